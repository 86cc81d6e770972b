"""Decoded sets on disk: written once under a key, opened again as a memory map.

A set is built in a folder of its own and renamed when complete, so a killed decode leaves nothing
that could be taken for one. What does not open cleanly is built again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from fer_core.data.faces import SPLIT_NAMES, DataError, Faces, Unreadable
from fer_core.paths import cache_folder

#: Part of every key: raised when the same source would be decoded differently.
VERSION = 3
_UNUSED_DAYS = 60
#: One decode per key in a process; whoever comes second finds what the first has made.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def cache_key(*parts: object) -> str:
    """32 hex digits for what the decoded set depends on: source, its state, options."""
    return hashlib.sha256(repr((VERSION, *parts)).encode()).hexdigest()[:32]


def stored_faces(key: str) -> Faces | None:
    """The set stored under `key`, or None when it is not there or broken."""
    try:
        return _opened(cache_folder() / key)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def cached_faces(key: str, build: Callable[[Path], None]) -> Faces:
    """The set stored under `key`, built by `build(folder)` first when it is not there or broken.

    The images are memory-mapped and read-only.
    """
    folder = cache_folder() / key
    with _locks[key]:
        found = stored_faces(key)
        if found is not None:
            return found
        # not there, cut short or from another version: built anew
        _clear_leftovers(folder.parent)
        work = Path(tempfile.mkdtemp(prefix=f"part-{os.getpid()}-", dir=folder.parent))
        try:
            build(work)
            if stored_faces(key) is None:  # else another process was faster with the same set
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return _opened(folder)


def write_faces(
    folder: Path,
    *,
    labels: Iterable[int],
    ids: Iterable[str],
    splits: Iterable[str | None],
    class_names: tuple[str, ...],
    name: str,
    source: str,
    unreadable: tuple[Unreadable, ...] = (),
) -> None:
    """Everything of a set but its images, which `ImageWriter` has put into the folder before.

    splits: None throughout is a source without a split; where others name one, None means train.
    """
    named = list(splits)
    if any(named):
        parts = np.array([SPLIT_NAMES.index(split or "train") for split in named], dtype=np.int8)
    else:
        parts = np.empty(0, dtype=np.int8)
    np.save(folder / "labels.npy", np.fromiter(labels, dtype=np.int64))
    np.save(folder / "ids.npy", np.array(list(ids), dtype=np.str_))
    np.save(folder / "splits.npy", parts)
    sizes = {file.name: file.stat().st_size for file in sorted(folder.glob("*.npy"))}
    facts = {
        "class_names": class_names,
        "name": name,
        "source": source,
        "unreadable": [[item.where, item.reason] for item in unreadable],
        "sizes": sizes,
    }
    arrays = _arrays(folder)
    facts["fingerprint"] = Faces(**arrays, class_names=class_names).fingerprint
    (folder / "facts.json").write_text(json.dumps(facts))


def save_faces(folder: Path, faces: Faces, source: str) -> None:
    """A set that is in memory already, under the name of what reads it again."""
    np.save(images_file(folder), faces.images)
    save_all_but_images(folder, faces, source)


def images_file(folder: Path) -> Path:
    """Where a stored set has its images."""
    return folder / "images.npy"


def save_all_but_images(folder: Path, faces: Faces, source: str) -> None:
    """As `save_faces`, for a set whose images lie in their file already."""
    splits = [None] * len(faces) if faces.source_split is None else faces.source_split.tolist()
    write_faces(
        folder,
        labels=faces.labels.tolist(),
        ids=faces.ids.tolist(),
        splits=splits,
        class_names=faces.class_names,
        name=faces.name,
        source=source,
        unreadable=faces.unreadable,
    )


class ImageWriter:
    """Appends images to images.npy without holding them: uint8 (S, S, 1 or 3), all of one S.

    channels: None stores grey as long as all images are grey; the first colour image turns the
    ones before it into colour, which loses nothing.
    """

    def __init__(self, folder: Path, image_size: int, channels: int | None) -> None:
        self.count = 0
        self._size = image_size
        self._channels = channels or 1
        self._fixed = channels is not None
        self._path = images_file(folder)
        self._file = self._path.open("w+b")
        self._start = self._write_header()

    def append(self, image: np.ndarray) -> None:
        if image.shape[2] > self._channels:
            assert not self._fixed
            self._to_colour()
        if image.shape[2] < self._channels:
            image = np.repeat(image, self._channels, axis=2)
        self._file.write(np.ascontiguousarray(image).data)
        self.count += 1

    def __enter__(self) -> ImageWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:  # the true count is known now; numpy leaves room for it in the header
            self._file.seek(0)
            assert self._write_header() == self._start
        self._file.close()

    def _write_header(self) -> int:
        """The position behind the header."""
        shape = (self.count, self._size, self._size, self._channels)
        values = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, values)
        return self._file.tell()

    def _to_colour(self) -> None:
        grey = self._path.with_suffix(".grey")
        self._file.close()
        os.replace(self._path, grey)
        self._channels = 3
        self._file = self._path.open("w+b")
        with grey.open("rb") as before:
            before.seek(self._start)
            self._start = self._write_header()
            while block := before.read(2**20):
                self._file.write(np.repeat(np.frombuffer(block, dtype=np.uint8), 3).data)
        grey.unlink()


def _arrays(folder: Path) -> dict[str, np.ndarray | None]:
    images = np.load(images_file(folder), mmap_mode="r")
    parts = np.load(folder / "splits.npy")
    own = np.array(SPLIT_NAMES)[parts] if len(parts) else None
    labels = np.load(folder / "labels.npy")
    ids = np.load(folder / "ids.npy", mmap_mode="r" if len(labels) else None)
    return {"images": images, "labels": labels, "ids": ids, "source_split": own}


def _opened(folder: Path) -> Faces:
    facts = json.loads((folder / "facts.json").read_text())
    for name, size in facts["sizes"].items():
        if (folder / name).stat().st_size != size:
            raise ValueError(f"{name} was cut short")
    faces = Faces(
        **_arrays(folder),
        class_names=tuple(facts["class_names"]),
        name=facts["name"],
        source=facts["source"],
        fingerprint=facts["fingerprint"],
        unreadable=tuple(Unreadable(*item) for item in facts["unreadable"]),
    )
    with suppress(OSError):
        os.utime(folder / "facts.json")  # used today
    return faces


def _clear_leftovers(folder: Path) -> None:
    """Remove what killed decodes left, and sets that nothing has opened for two months."""
    now = time.time()
    with suppress(OSError):
        for path in folder.iterdir():
            stamp = path / "facts.json"
            is_part = path.name.startswith("part-")
            days = 1 if is_part else _UNUSED_DAYS
            if (is_part or stamp.is_file()) and path.is_dir():
                age = now - (path if is_part else stamp).stat().st_mtime
                if age > days * 86_400:
                    shutil.rmtree(path, ignore_errors=True)


def check_room(folder: Path, needed: int) -> None:
    """DataError when the disk of `folder` has no room for `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if needed > 0.9 * free:
        raise DataError(
            f"the decoded set needs {needed / 1e9:.1f} GB and {folder.parent} has {free / 1e9:.1f} "
            "GB free; choose a smaller image size, or set FER_CACHE to a folder with room"
        )
