"""What the New domain tab does first: a checkpoint and a set, the mapping of classes, the scoring.

Knows no Gradio. Names and sources come from visitors and are looked up, never used as paths.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.comparison.domains.domain import Scoring, score_domain
from fer_core.comparison.wording import counted
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.runs.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
)
from fer_core.runs.checkpoint_list import list_checkpoints
from fer_core.training.devices import choose_device
from fer_core.training.evaluation import proposed_mapping, run_config
from fer_core.training.lineage import learned_from, own_source
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.run_form import source_name

#: Images that an evaluation takes at most on a published page.
PUBLIC_LIMIT = 500
#: Classes of a set that the page can map; the rest of a larger set is mapped by name.
MOST_CLASSES = 24
LEAVE_OUT = ("– leave out –", "")
NO_CHECKPOINT = (
    "There is no checkpoint yet: train one in the Train tab; the recipe Quick look takes two "
    "minutes."
)

Reading = Callable[[int, int], None]


@dataclass(frozen=True)
class Pair:
    """A checkpoint and a set, as plain values for a viewer's session.

    counts: class of the set → labelled images; targets: the checkpoint's classes; proposed: the
    mapping by name; learned: whether the checkpoint learned from this very set.
    """

    checkpoint: str
    source: str
    set_name: str
    counts: dict[str, int]
    targets: tuple[str, ...]
    proposed: dict[str, str]
    learned: bool
    about: str


@dataclass(frozen=True)
class Question:
    """What an evaluation was asked: a checkpoint, a set and what each of its classes counts as."""

    checkpoint: str
    source: str
    set_name: str
    mapping: dict[str, str]


def checkpoint_choices(settings: AppSettings) -> list[tuple[str, str]]:
    """(title, name) of everything that can classify."""
    return [(entry.title, entry.name) for entry in list_checkpoints(settings.runs_folder)]


def find_checkpoint(settings: AppSettings, name: object) -> Checkpoint:
    """The checkpoint of that name in the list; CheckpointError for anything else."""
    for entry in list_checkpoints(settings.runs_folder):
        if entry.name == name:
            return load_checkpoint(entry.folder, choose_device("auto").type)
    if not name:
        raise CheckpointError(NO_CHECKPOINT)
    raise CheckpointError(f"there is no checkpoint named {str(name)[:60]!r}; choose another")


def set_choices(settings: AppSettings, data_choice: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, source) of the sets in the Data tab's list, and what was opened there beside them."""
    found = [(entry.name, entry.source) for entry in open_sets.sources(settings)]
    opened = str(data_choice.get("source") or "")
    if opened and opened not in {source for _, source in found}:
        found.append((source_name(opened), opened))
    return found


def open_set(
    settings: AppSettings, source: object, checkpoint: Checkpoint, reading: Reading | None = None
) -> Faces:
    """The set at the checkpoint's image size; DataError when this visitor may not open it."""
    allowed = open_sets.allowed_source(str(source or ""), settings)
    size = checkpoint.preprocessing.image_size
    return read_faces(allowed, image_size=size, progress=reading)


def open_pair(
    settings: AppSettings, name: object, source: object, reading: Reading | None = None
) -> Pair:
    """Read both and propose a mapping; CheckpointError or DataError in a sentence."""
    checkpoint = find_checkpoint(settings, name)
    faces = open_set(settings, source, checkpoint, reading)
    if not faces.labelled:
        raise DataError(f"{faces.name} has no labelled image, so there is nothing to score")
    learned = learned_from(checkpoint, faces) is not None
    pre = checkpoint.preprocessing
    text = (
        f"<b>{html.escape(faces.name)}</b>: {int((faces.labels >= 0).sum()):,} labelled "
        f"{'grey' if faces.channels == 1 else 'colour'} images. The checkpoint sees each as "
        f"{pre.image_size} × {pre.image_size} pixels in "
        f"{'grey' if pre.channels == 1 else 'colour'}, as in its own training."
    )
    if learned:
        text += (
            " <b>The checkpoint learned from this very set</b>: it is no new domain. Only the "
            "images that its run kept for testing are scored."
        )
    return Pair(
        checkpoint=str(name),
        source=str(source),
        set_name=faces.name,
        counts={label: n for label, n in faces.counts().items() if n},
        targets=checkpoint.class_names,
        proposed=proposed_mapping(
            faces.class_names, checkpoint.class_names, run_config(checkpoint)
        ),
        learned=learned,
        about=f"<p class='note'>{text}</p>",
    )


def mapping_of(pair: Pair, values: Sequence[object]) -> dict[str, str]:
    """The mapping that the lists show; class by class in the order of `pair.counts`.

    A class beyond the page's lists keeps what was proposed.
    """
    mapping = dict(pair.proposed)
    for label, value in zip(list(pair.counts)[:MOST_CLASSES], values, strict=False):
        mapping[label] = str(value or "")
    return mapping


def question_of(pair: Pair, values: Sequence[object]) -> Question:
    """What Evaluate would ask with the pair and the lists as they are now."""
    return Question(pair.checkpoint, pair.source, pair.set_name, mapping_of(pair, values))


def told_apart(told: Question, now: Pair | None, values: Sequence[object]) -> str:
    """That the figures on show belong to `told`, where something else is chosen now; else ""."""
    if now is not None and question_of(now, values) == told:
        return ""
    same = now is not None and (now.checkpoint, now.source) == (told.checkpoint, told.source)
    name = told.checkpoint.partition(":")[2] or told.checkpoint
    of = "the classes as they were mapped before" if same else f"{name} on {told.set_name}"
    return f"The figures below are those of {of}. Press Evaluate for what is chosen now."


def mapping_words(pair: Pair, mapping: Mapping[str, str]) -> str:
    """HTML: how many images count, and which classes are left out with how many images."""
    total = sum(pair.counts.values())
    unknown = [new for new in mapping.values() if new and new not in pair.targets]
    if unknown:
        return (
            f"<p class='note'><b>{html.escape(unknown[0])}</b> is no class of the checkpoint; it "
            f"knows {html.escape(', '.join(pair.targets))}.</p>"
        )
    gone = {label: n for label, n in pair.counts.items() if not mapping.get(label)}
    used = total - sum(gone.values())
    text = f"{used:,} of {total:,} labelled images count."
    if gone:
        names = ", ".join(
            f"<b>{html.escape(label)}</b> ({counted(n, 'image')})" for label, n in gone.items()
        )
        text += f" Left out: {names}."
    missing = [target for target in pair.targets if target not in mapping.values()]
    if missing and used:
        text += (
            f" No image stands for the checkpoint's {html.escape(', '.join(missing))}; "
            "it may still answer so, and is then wrong."
        )
    return f"<p class='note'>{text}</p>"


def image_limit(settings: AppSettings, wanted: object) -> int:
    """At most how many images are scored; 0 is all of them, which a published page does not do."""
    number = int(wanted) if isinstance(wanted, int | float) and wanted > 0 else 0
    return min(number or PUBLIC_LIMIT, PUBLIC_LIMIT) if settings.public else number


def scoring(
    settings: AppSettings,
    pair: Pair,
    mapping: Mapping[str, str],
    limit: int,
    reading: Reading | None = None,
) -> tuple[Faces, Iterator[Scoring]]:
    """The faces and the steps of their evaluation.

    The checkpoint's own set is looked through for twins where it is at hand.
    """
    checkpoint = find_checkpoint(settings, pair.checkpoint)
    faces = open_set(settings, pair.source, checkpoint, reading)
    own = None
    source = None if settings.public else own_source(checkpoint, settings.data_folder)
    if source is not None and not pair.learned:
        try:
            own = read_faces(source, checkpoint.preprocessing.image_size, progress=reading)
        except (DataError, OSError):
            own = None  # without it twins are simply not looked for
    return faces, score_domain(checkpoint, faces, mapping, limit, own_faces=own)
