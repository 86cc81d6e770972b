"""The data sets that this process has open: read once, audited once, shared by all visitors.

Knows who may open what: a visitor of a public page gets the built-in sets and nothing else.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fer_core.data.audit import Audit, audit_faces, mean_faces
from fer_core.data.faces import DataError, Faces
from fer_core.data.near_twins import MostAlike, alike_in_training
from fer_core.data.readers import Source, list_sources, read_faces
from fer_core.data.split import Split, SplitPlan, split_faces
from fer_core.data.synthetic import draw_faces
from fer_core.data.twins import twin_groups
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

Progress = Callable[[int, int], None]
Value = TypeVar("Value")

UPLOAD_KINDS = (".zip", ".csv", ".parquet")
_BUILT_IN = "drawn"
_WAIT_SECONDS = 0.3
_PREVIEW_FACES = 70  # drawn in less than a second; the first faces of the whole set


class _Shelf:
    """The last few results by key. Two who want the same thing wait for one making of it."""

    def __init__(self, places: int) -> None:
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._places = places
        self._lock = threading.Lock()
        self._making: dict[Any, threading.Lock] = {}

    def get(
        self, key: Any, make: Callable[[], Value], waiting: Callable[[], None] | None = None
    ) -> Value:
        """The value of `key`, made when it is not there.

        waiting: called now and then while somebody else makes it.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        while not making.acquire(timeout=_WAIT_SECONDS):
            if waiting is not None:
                waiting()
        try:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._places:
                    dropped, _ = self._values.popitem(last=False)
                    self._making.pop(dropped, None)
            return value
        finally:
            making.release()

    def __contains__(self, key: Any) -> bool:
        with self._lock:
            return key in self._values


#: Held while an upload gets its name.
_KEEPING = threading.Lock()
#: Folders below a set's own that are looked into for changes.
_DEEPEST = 5
_FACES = _Shelf(4)
_SPLITS = _Shelf(16)
_AUDITS = _Shelf(16)
_MEANS = _Shelf(8)
_NEAR_TWINS = _Shelf(8)
_TWIN_GROUPS = _Shelf(8)
#: How far the reading of a source is, as (done, total), for all who wait for it.
_READ_SO_FAR: dict[str, tuple[int, int]] = {}


def sources(settings: AppSettings) -> list[Source]:
    """What the choice offers: the built-in sets first, then what lies in the data folder."""
    found = list_sources(settings.data_folder)
    if settings.public:
        return [source for source in found if source.kind == "drawn"]
    return found


def allowed_source(text: str | None, settings: AppSettings) -> str:
    """`text` as a source this visitor may open; DataError says why not."""
    source = (text or "").strip().strip("\"'")
    if not source:
        raise DataError(
            "No data set was named. Type the path of a file or folder, or hub:owner/name."
        )
    known = {entry.source for entry in sources(settings)}
    if settings.public and source not in known:
        raise DataError(
            "This is a public page: only the built-in drawn faces can be opened here. "
            "Run the app on your own machine to read your own data."
        )
    if source in known or source.startswith(("hub:", f"{_BUILT_IN}:")):
        return source
    if re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", source) and not Path(source).exists():
        return f"hub:{source}"
    try:
        path = Path(source).expanduser()
        exists = path.exists()
    except (OSError, RuntimeError):  # a name too long for the system, or the home of nobody
        exists = False
    if not exists:
        raise DataError(
            f"There is no file or folder {source!r}. Type a full path, "
            "or hub:owner/name for a set on the Hugging Face Hub."
        )
    return str(path)


def keep_upload(upload: Path, settings: AppSettings) -> str:
    """Move an uploaded file into the data folder and return its new path.

    The upload folder is emptied regularly, and a run must find its data again to be resumed.
    """
    if settings.public:
        raise DataError("This is a public page: uploads of data sets are closed here.")
    if upload.suffix.lower() not in UPLOAD_KINDS:
        wanted = ", ".join(UPLOAD_KINDS)
        raise DataError(f"A data set is one file of {wanted}; got {upload.name!r}.")
    # until it is whole it is no set of the list; two uploads may have one name
    scratch = settings.data_folder / f".{secrets.token_hex(8)}{upload.suffix}.part"
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
        shutil.move(upload, scratch)
        with _KEEPING:
            target = settings.data_folder / upload.name
            number = 2
            while target.exists():
                target = settings.data_folder / f"{upload.stem}-{number}{upload.suffix}"
                number += 1
            scratch.rename(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise DataError(
            f"{upload.name} cannot be kept in {settings.data_folder} ({error.strerror or error}); "
            "free space there or start the app with another --data folder"
        ) from error
    return str(target)


def open_faces(source: str, progress: Progress | None = None) -> Faces:
    """The set behind `source`, read at most once per state of the file.

    progress: told (done, total), also when another visitor's reading is being waited for.
    """

    def report(done: int, total: int) -> None:
        _READ_SO_FAR[source] = (done, total)
        if progress is not None:
            progress(done, total)

    def waiting() -> None:
        if progress is not None and source in _READ_SO_FAR:
            progress(*_READ_SO_FAR[source])

    def read() -> Faces:
        try:
            return read_faces(source, progress=report)
        finally:
            _READ_SO_FAR.pop(source, None)

    return _FACES.get(_stamp(source), read, waiting)


def is_open(source: str) -> bool:
    """Whether `open_faces` would answer at once."""
    return _stamp(source) in _FACES


def faces_at_once(source: str) -> Faces:
    """As `open_faces`, but while the built-in set is still being drawn, its first few faces."""
    if source == _BUILT_IN and not is_open(source):
        return _FACES.get("preview", lambda: draw_faces(_PREVIEW_FACES))
    return open_faces(source)


def warm_up() -> None:
    """Read and audit the built-in set, so that the first visitor finds it ready."""
    faces = open_faces(_BUILT_IN)
    open_audit(faces, plan_of(DEFAULT_DATA_CHOICE))
    open_mean_faces(faces)


def plan_of(choice: dict[str, Any]) -> SplitPlan:
    """The split of a data choice (`shared_state.DEFAULT_DATA_CHOICE` has its keys)."""
    return SplitPlan(
        kind=choice["split"],
        validation_share=choice["validation_share"],
        test_share=choice["test_share"],
        seed=choice["split_seed"],
    )


def open_split(faces: Faces, plan: SplitPlan) -> Split:
    """Which image is in which part; DataError when the plan cannot be met."""
    return _SPLITS.get((faces.fingerprint, plan), lambda: split_faces(faces, plan))


def open_audit(faces: Faces, plan: SplitPlan) -> Audit:
    """Counts and twins of the set under this split."""
    split = open_split(faces, plan)
    return _AUDITS.get((faces.fingerprint, plan), lambda: audit_faces(faces, split))


def open_plain_audit(faces: Faces) -> Audit:
    """Counts and twins of a set that cannot be split."""
    return _AUDITS.get((faces.fingerprint, None), lambda: audit_faces(faces, None))


def open_mean_faces(faces: Faces) -> np.ndarray:
    """uint8 (classes, H, W, C), the average picture of every class."""
    return _MEANS.get(faces.fingerprint, lambda: mean_faces(faces))


def open_twin_groups(faces: Faces) -> list[np.ndarray]:
    """Which images of the set are one picture, as `twin_groups` has it."""
    return _TWIN_GROUPS.get(faces.fingerprint, lambda: twin_groups(faces.images))


def open_near_twins(
    faces: Faces, plan: SplitPlan, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, MostAlike]:
    """The most alike training image of every test and validation image, compared once."""
    split = open_split(faces, plan)
    key = (faces.fingerprint, plan)
    return _NEAR_TWINS.get(key, lambda: alike_in_training(faces, split, progress))


def _stamp(source: str) -> tuple[Any, ...]:
    """Changes when what lies behind `source` changes, so that a stale set is never shown."""
    path = Path(source)
    try:
        facts = path.stat()
        if not path.is_dir():
            return (source, facts.st_mtime_ns, facts.st_size)
        # a picture that comes or goes shows in the time of its folder
        inner = [facts, *(entry.stat() for entry in _folders(path))]
    except OSError:
        return (source,)
    return (source, len(inner), max(one.st_mtime_ns for one in inner))


def _folders(path: Path) -> list[os.DirEntry[str]]:
    """Every folder below `path`, as deep as `_DEEPEST`: downloads wrap their class folders."""
    found, level = [], [os.fspath(path)]
    for _ in range(_DEEPEST):
        inner = [entry for place in level for entry in os.scandir(place) if entry.is_dir()]
        found += inner
        level = [entry.path for entry in inner]
    return found
