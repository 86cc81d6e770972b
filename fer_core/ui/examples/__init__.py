"""Pictures to click in the Predict tab. README.md beside them says where each comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """path: the file. caption: what it shows. origin: who made it and why it may be shown."""

    path: Path
    caption: str
    origin: str


EXAMPLES = (
    Example(
        _FOLDER / "astronaut.jpg",
        "Astronaut",
        "Astronaut: Eileen Collins, photograph by NASA, public domain.",
    ),
    Example(
        _FOLDER / "drawn_group.jpg",
        "Three drawn faces",
        "Drawn faces: by this project's own code.",
    ),
    Example(_FOLDER / "drawn_sad.jpg", "A drawn face", ""),
    Example(
        _FOLDER / "photographer.jpg",
        "In profile",
        "In profile: photograph by Lav Varshney, CC0.",
    ),
    Example(
        _FOLDER / "cat.jpg",
        "No face: a cat",
        "Cat: photograph by Stefan van der Walt, CC0.",
    ),
)
