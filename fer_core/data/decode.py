"""From a recognised `Form` to a decoded set in a folder, one picture at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.data.entries import Entry, Form
from fer_core.data.faces import DataError, Unreadable
from fer_core.data.pictures import (
    PictureError,
    decode_picture,
    picture_side,
    resized,
    with_channels,
)
from fer_core.data.store import ImageWriter, check_room, write_faces
from fer_core.labels import ordered_classes

#: Pictures of one size keep it up to this side; of several sizes the median, up to the next.
LARGEST_UNIFORM = 512
LARGEST_MIXED = 224
_REPORT_EVERY = 250

Progress = Callable[[int, int], None]


class _SeveralSizes(Exception):
    pass


def decode_form(
    form: Form,
    folder: Path,
    *,
    image_size: int | None,
    channels: int | None,
    name: str,
    source: str,
    progress: Progress | None,
) -> None:
    """Decode every entry of `form` into `folder`; what cannot be read is recorded, not fatal.

    image_size None: the longer side of the pictures when all have the same one (at most 512), else
    the median of the longer sides (at most 224). Raises DataError when no picture can be read.
    """
    try:
        side = image_size or _first_side(form)
        _decode(form, folder, side, image_size is None, channels, name, source, progress)
    except _SeveralSizes:
        side = _common_side(form)
        _decode(form, folder, side, False, channels, name, source, progress)


def _decode(
    form: Form,
    folder: Path,
    side: int,
    uniform: bool,
    channels: int | None,
    name: str,
    source: str,
    progress: Progress | None,
) -> None:
    """uniform: stop with _SeveralSizes at the first picture that has another longer side."""
    check_room(folder, form.count * side * side * (channels or 1))
    labels: list[str | None] = []
    ids: list[str] = []
    splits: list[str | None] = []
    unreadable: list[Unreadable] = []
    done = 0
    with ImageWriter(folder, side, channels) as writer:
        for done, item in enumerate(form.entries(), start=1):
            if isinstance(item, Entry):
                item = _append(item, writer, side, uniform, channels)
            if isinstance(item, Unreadable):
                unreadable.append(item)
            else:
                labels.append(item.label)
                ids.append(item.where)
                splits.append(item.split)
            if progress and done % _REPORT_EVERY == 0:
                progress(done, max(done, form.count))
    if not ids:
        raise _nothing_read(name, unreadable)
    names = ordered_classes([*form.classes, *(label for label in set(labels) if label)])
    positions = {label: index for index, label in enumerate(names)}
    write_faces(
        folder,
        labels=(positions[label] if label else -1 for label in labels),
        ids=ids,
        splits=splits,
        class_names=names,
        name=name,
        source=source,
        unreadable=tuple(unreadable),
    )
    if progress:
        progress(done, done)


def _append(
    entry: Entry, writer: ImageWriter, side: int, uniform: bool, channels: int | None
) -> Entry | Unreadable:
    try:
        if isinstance(entry.content, np.ndarray):
            image = with_channels(entry.content, channels)
        else:
            image = decode_picture(entry.content, None if uniform else side, channels)
    except PictureError as error:
        return Unreadable(entry.where, str(error))
    if image.shape[:2] != (side, side):
        if uniform:
            raise _SeveralSizes
        image = resized(image, side)
    writer.append(image)
    return entry


def _first_side(form: Form) -> int:
    """The longer side of the first picture that can be read."""
    unreadable: list[Unreadable] = []
    for item in form.entries():
        if isinstance(item, Entry):
            try:
                side = picture_side(item.content)
            except PictureError as error:
                item = Unreadable(item.where, str(error))
            else:
                if side > LARGEST_UNIFORM:
                    raise _SeveralSizes
                return side
        unreadable.append(item)
    raise _nothing_read("the source", unreadable)


def _common_side(form: Form) -> int:
    sides = []
    for item in form.entries():
        if isinstance(item, Entry):
            try:
                sides.append(picture_side(item.content))
            except PictureError:
                continue  # listed when it is decoded
    limit = LARGEST_UNIFORM if len(set(sides)) == 1 else LARGEST_MIXED
    return min(round(float(np.median(sides))), limit)


def _nothing_read(name: str, unreadable: list[Unreadable]) -> DataError:
    if not unreadable:
        return DataError(f"{name} holds no picture; nothing was found to read")
    examples = "; ".join(f"{item.where}: {item.reason}" for item in unreadable[:3])
    return DataError(f"none of the {len(unreadable)} pictures of {name} can be read ({examples})")
