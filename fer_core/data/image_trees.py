"""Trees of picture files, in a folder or a zip: `class/*`, `split/class/*`, also deeper ones.

Enters: the paths inside the source. Leaves: the class and the split of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fer_core.data.entries import split_name
from fer_core.data.pictures import PICTURE_ENDINGS
from fer_core.labels import COLOURS, canonical_name


def is_picture_name(path: str) -> bool:
    """Whether a path inside a source counts as a picture: by its ending, hidden ones left out."""
    hidden = path.startswith((".", "__MACOSX/")) or "/." in path or "/__MACOSX/" in path
    stem, dot, ending = path.rpartition(".")
    return not hidden and bool(stem) and f"{dot}{ending.lower()}" in PICTURE_ENDINGS


def classes_and_splits(paths: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """(class, split) of each picture path, either None where no folder says it.

    The split is the folder with a split's name ("Training", "PublicTest", "val"). The class is the
    deepest folder with a known expression's name; a path without one takes the folder at the place
    where the others have theirs, counted from the file. Where no name is known, it is the folder
    below the split, else the one that holds the pictures. One lone folder of pictures whose name is
    no known expression names no class.
    """
    folders = [path.rpartition("/")[0] for path in paths]
    parts_of = {folder: tuple(filter(None, folder.split("/"))) for folder in set(folders)}
    shared = _shared_depth(list(parts_of.values()))
    plain_of = {
        folder: tuple(part for part in parts if not split_name(part))
        for folder, parts in parts_of.items()
    }
    places: Counter[int] = Counter()
    for folder, count in Counter(folders).items():
        place = _known_place(plain_of[folder])
        if place is not None:
            places[place] += count
    usual = places.most_common(1)[0][0] if places else None
    answers = {
        folder: (_class_of(parts, plain_of[folder], shared, usual), _split_of(parts))
        for folder, parts in parts_of.items()
    }
    return [answers[folder] for folder in folders]


def _class_of(
    parts: tuple[str, ...], plain: tuple[str, ...], shared: int, usual: int | None
) -> str | None:
    place = _known_place(plain)
    if place is None and usual is not None:
        place = usual if usual <= len(plain) else None
    elif place is None:
        below = _below_split(parts)
        own = parts[shared:] if below is None else below
        return canonical_name(own[0] if below else own[-1]) if own else None
    return None if place is None else canonical_name(plain[-place])


def _known_place(parts: tuple[str, ...]) -> int | None:
    """How many folders up from the file the deepest known expression is; 1 is the file's folder."""
    for place, part in enumerate(reversed(parts), start=1):
        if canonical_name(part) in COLOURS:
            return place
    return None


def _split_of(parts: tuple[str, ...]) -> str | None:
    return next((split for split in map(split_name, reversed(parts)) if split), None)


def _below_split(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    for depth in range(len(parts), 0, -1):
        if split_name(parts[depth - 1]):
            return parts[depth:]
    return None


def _shared_depth(folders: Sequence[tuple[str, ...]]) -> int:
    """How many leading folders all paths have in common."""
    if not folders:
        return 0
    lowest, highest = min(folders), max(folders)
    depth = 0
    while depth < min(len(lowest), len(highest)) and lowest[depth] == highest[depth]:
        depth += 1
    return depth
