"""Other views of a set's images, such as each face as a detector cuts it out of a photograph.

A file of them holds no labels: a view has the label, the votes and the stored answers of the image
that it was made of. `training_batches` draws a view now and then in the image's place.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fer_core.data.faces import DataError, Faces
from fer_core.paths import replaced

_ARRAYS = ("images", "rows", "of")
#: What reading raises for a file that is missing, no archive (a lone array: TypeError or
#: AttributeError), damaged (RuntimeError: as if it were encrypted), or one of something else.
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    TypeError,
    AttributeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Views:
    """images: uint8 (V, H, W, C). rows: int64 (V,), the image of the set that each shows."""

    images: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits over pixels and rows."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.rows).data)
        return digest.hexdigest()[:32]

    def of_part(self, indices: np.ndarray) -> Views:
        """Those of the images at `indices` (int (N,)), with rows that count from 0 among these, in
        their order."""
        places = np.full(max(indices.max(initial=-1), self.rows.max(initial=-1)) + 1, -1)
        places[indices] = np.arange(len(indices))
        rows = places[self.rows]
        order = np.argsort(rows, kind="stable")[(rows < 0).sum() :]
        return Views(self.images[order], rows[order])


def write_views(path: Path, views: Views, faces: Faces) -> None:
    """An .npz file; `faces` is the set that they were made of, known again by its pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as scratch, scratch.open("wb") as file:
        # a file, for numpy would add an ending to a name
        np.savez_compressed(
            file, images=views.images, rows=views.rows, of=np.array(pixel_fingerprint(faces))
        )


def read_views(path: str | Path, faces: Faces) -> Views:
    """What `write_views` wrote; DataError where it is of another set, or no such file."""
    advice = "make one with python -m fer_core views --data DATA --out FILE"
    place = os.path.expanduser(path)
    if not os.path.isfile(place):
        what = "is a folder" if os.path.isdir(place) else "is not there"
        raise DataError(f"{path} is no file of views, it {what}; {advice}")
    try:
        # opened here: numpy leaves the file open where it cannot read it
        with (
            open(place, "rb") as stream,
            np.load(stream, allow_pickle=False) as file,
        ):
            images, rows, of = (file[name] for name in _ARRAYS)
    except _UNREADABLE as error:
        raise DataError(
            f"{path} is no file of views, or a damaged one: no whole .npz archive with "
            f"{', '.join(_ARRAYS)}; {advice}"
        ) from error
    shape = faces.images.shape[1:]
    if images.dtype != np.uint8 or images.shape[1:] != shape or rows.shape != images.shape[:1]:
        raise DataError(
            f"{path} has views of {images.dtype} {images.shape}, the set's images are uint8 "
            f"{shape}; {advice} of this set at this size"
        )
    known = rows.dtype.kind == "i" and len(rows) and rows.min() >= 0 and rows.max() < len(faces)
    if not known or str(of) != pixel_fingerprint(faces):
        raise DataError(f"{path} shows the images of another set than {faces.name}; {advice}")
    return Views(images, rows.astype(np.int64))


def pixel_fingerprint(faces: Faces) -> str:
    """32 hex digits over the images alone, the same however the labels are read."""
    digest = hashlib.sha256(repr(faces.images.shape).encode())
    for start in range(0, len(faces.images), 4096):  # a memory-mapped set need not fit in memory
        digest.update(np.ascontiguousarray(faces.images[start : start + 4096]).data)
    return digest.hexdigest()[:32]
