"""A folder or a zip as a list of names with their sizes, and a way to each one's content.

A zip is never extracted: its members are read one by one, within bounds, under no path of theirs.
"""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fer_core.data.faces import DataError, Unreadable
from fer_core.data.pictures import MAX_PICTURE_BYTES

MAX_FILES = 1_000_000
MAX_ZIP_BYTES = 32 * 2**30
#: A zip hardly shrinks pictures, FER2013's csv shrinks to a third; beyond this it is a bomb.
MAX_ZIP_RATIO = 100
_ALWAYS_ALLOWED = 64 * 2**20
_MAX_DIRECTORY = 256 * 2**20

#: What reading a damaged zip member raises.
DAMAGED_ZIP = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error),
    *(OSError, ValueError, lzma.LZMAError),
)


class FolderFiles:
    """The regular files below a folder. Linked folders are not entered, hidden ones left out.

    Names are texts that can be written: what is no UTF-8 in one on the disk stands as "\\xff".
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name or str(folder)
        self.refused: list[Unreadable] = []
        self.sizes: dict[str, int] = {}
        self._folder = folder
        self._places: dict[str, str] = {}
        self._times: dict[str, int] = {}
        self._list(folder, "")

    def state(self) -> object:
        """Changes when a file comes, goes or changes."""
        return sorted((name, size, self._times[name]) for name, size in self.sizes.items())

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, Path | Unreadable]]:
        for name in names:
            yield name, Path(self._places[name])

    def opener(self, name: str) -> Callable[[], BinaryIO]:
        return lambda: Path(self._places[name]).open("rb")

    seekable = opener

    def _list(self, folder: Path, prefix: str) -> None:
        try:
            found = sorted(os.scandir(folder), key=lambda item: item.name)
        except OSError as error:
            if not prefix:
                raise DataError(f"{folder} cannot be opened ({error.strerror})") from error
            self.refused.append(Unreadable(prefix, f"cannot be opened ({error.strerror})"))
            return
        for item in found:
            name = f"{prefix}{_writable(item.name)}"
            if item.name.startswith("."):
                continue
            if item.is_dir(follow_symlinks=False):
                self._list(Path(item.path), f"{name}/")
            elif item.is_file():
                facts = item.stat()
                self._places[name] = item.path
                self.sizes[name], self._times[name] = facts.st_size, facts.st_mtime_ns
        if len(self.sizes) > MAX_FILES:
            raise DataError(
                f"{self._folder} holds over {MAX_FILES:,} files; name a folder inside it"
            )


def _writable(name: str) -> str:
    """A file's name as a text: Python keeps bytes that are no UTF-8 as characters that no file
    takes, as in a run's predictions."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class ZipFiles:
    """The members of a zip. Raises DataError when it is damaged or would unpack to too much."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.refused: list[Unreadable] = []
        self.sizes: dict[str, int] = {}
        self._path = path
        try:
            with path.open("rb") as file:
                _check_directory(path, file)
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
        except DAMAGED_ZIP as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path.name} is no readable zip ({error}); get it again") from error
        _check_sizes(path, members)
        for member in members:
            reason = _refusal(member)
            if reason:
                self.refused.append(Unreadable(member.filename, reason))
            else:
                self.sizes[member.filename] = member.file_size

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | Unreadable]]:
        with zipfile.ZipFile(self._path) as archive:
            for name in names:
                if self.sizes[name] > MAX_PICTURE_BYTES:
                    yield name, Unreadable(name, f"{self.sizes[name] / 2**20:.0f} MB is too large")
                    continue
                try:
                    yield name, archive.read(name)  # never more than the size it declares
                except DAMAGED_ZIP as error:
                    yield name, Unreadable(name, f"damaged in the zip ({error})")

    def opener(self, name: str) -> Callable[[], BinaryIO]:
        return lambda: self._member(name)

    def seekable(self, name: str) -> Callable[[], BinaryIO]:
        """Opens a nameless temporary copy: parquet is read from its end."""
        return lambda: self._copy(name)

    def _member(self, name: str) -> BinaryIO:
        with zipfile.ZipFile(self._path) as archive:  # an open member keeps the file open
            try:
                return archive.open(name)
            except DAMAGED_ZIP as error:
                raise DataError(
                    f"{name} in {self.name} cannot be unpacked ({error}); get it again"
                ) from error

    def _copy(self, name: str) -> BinaryIO:
        with self._member(name) as member:  # which says itself why it cannot be opened
            copy = tempfile.TemporaryFile()  # noqa: SIM115 the caller closes it
            try:
                shutil.copyfileobj(member, copy, 2**20)
            except DAMAGED_ZIP as error:
                copy.close()
                raise DataError(
                    f"{name} in {self.name} cannot be unpacked ({error}); get it again"
                ) from error
        copy.seek(0)
        return copy


def _check_directory(path: Path, file: BinaryIO) -> None:
    """The list of members is read whole by `zipfile`, so its length is looked at before."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 70_000))
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0:
        raise zipfile.BadZipFile("its end is missing")
    (size,) = struct.unpack_from("<L", tail, place + 12)
    large = tail.rfind(b"PK\x06\x06")
    if size == 0xFFFFFFFF and large >= 0:
        (size,) = struct.unpack_from("<Q", tail, large + 40)
    if size > _MAX_DIRECTORY:
        raise DataError(f"{path.name} lists too many files; at most {MAX_FILES:,} are read")


def _check_sizes(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_FILES:
        raise DataError(f"{path.name} holds {len(members):,} files; at most {MAX_FILES:,} are read")
    total = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    bomb = total > _ALWAYS_ALLOWED and total > MAX_ZIP_RATIO * packed
    if total > MAX_ZIP_BYTES or bomb:
        raise DataError(
            f"{path.name} would unpack to {total / 1e9:.1f} GB, {total / packed:.0f} times its "
            f"size; at most {MAX_ZIP_BYTES / 1e9:.0f} GB and {MAX_ZIP_RATIO} times are read"
        )


def _refusal(member: zipfile.ZipInfo) -> str:
    """Why a member is not read, or an empty text."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if ".." in path.parts or path.is_absolute() or ":" in (path.parts or ("",))[0]:
        return "its path leads out of the zip"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a link, not a file"
    if member.flag_bits & 0x1:
        return "protected by a password"
    return ""
