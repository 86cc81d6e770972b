"""Reads what people have into `Faces`: csv, parquet, folders, zips, the Hub, the drawn faces.

Decoded once and kept on disk under the source's state; a second reading opens a memory map.
Rows that cannot be read are in `Faces.unreadable`; a source that cannot be used is a DataError.
"""

from __future__ import annotations

import errno
import hashlib
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import pyarrow

from fer_core.data.csv_files import csv_usefulness
from fer_core.data.decode import decode_form
from fer_core.data.entries import Form, split_name
from fer_core.data.faces import DataError, Faces
from fer_core.data.image_trees import is_picture_name
from fer_core.data.sources import CSV_ENDINGS, READABLE, find_source, hub_form
from fer_core.data.store import (
    cache_key,
    cached_faces,
    check_room,
    images_file,
    save_all_but_images,
    stored_faces,
)
from fer_core.labels import COLOURS, canonical_name

IMAGE_SIZES = (8, 1024)
DRAWN_COUNTS = (14, 200_000)
#: What reading a damaged source raises, besides OSError.
_DAMAGED = (
    *(BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(pyarrow.ArrowException, UnicodeDecodeError),
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """Something that `read_faces` can read. name: for a list; source: what to give to `read_faces`;
    kind: drawn, csv, zip, parquet or folder."""

    name: str
    source: str
    kind: str


def read_faces(
    source: str | Path,
    image_size: int | None = None,
    channels: int | None = None,
    progress: Progress | None = None,
) -> Faces:
    """Read a source into `Faces`, from the cache when it has not changed.

    source: a path to a csv, parquet, zip or folder, "hub:owner/name", or a built-in set: "drawn",
    "drawn:COUNT", "drawn:six" (224 pixels and colour where nothing else is asked for).
    image_size: side of the square in pixels, 8 to 1024; None keeps the pictures' own size, see
    `decode.decode_form` for pictures of several sizes. channels: 1 grey, 3 colour; None is 1 when
    every picture is grey. A picture that is not square is scaled to fit and filled with its edge.
    progress: called with (done, total) while decoding. The images are a read-only memory map.
    Raises DataError when the source does not exist, is damaged, or holds nothing that can be read.
    """
    text = str(source).strip()
    _check_options(text, image_size, channels)
    scheme, _, rest = text.partition(":")
    if scheme == "drawn":
        if rest == "six":
            return _six_drawn(image_size, channels, progress)
        return _drawn(text, rest, image_size or 48, channels or 1, progress)
    if scheme == "hub":
        # the name alone is the key: a set that has been fetched opens without a network
        key = cache_key("hub", rest, image_size, channels)
        return _read(key, lambda: hub_form(rest), rest, text, image_size, channels, progress)
    found = find_source(Path(text))
    place = (str(found.path.resolve()), found.state)
    as_it_is = stored_faces(cache_key(*place, None, channels)) if image_size else None
    if as_it_is is not None and as_it_is.image_size == (image_size, image_size):
        return replace(
            as_it_is, source=text
        )  # the page has read it, and its size is the wanted one
    key = cache_key(*place, image_size, channels)
    name = found.path.resolve().name if found.kind == "folder" else found.path.stem
    return _read(key, found.form, name, text, image_size, channels, progress)


def list_sources(data_folder: Path) -> list[Source]:
    """What can be read in the data folder, the drawn sets first, which are always there.

    Looks at the folder, at the folders in it and, where such a folder is no tree of pictures, at
    the files in that one. Opens no file but the header of a csv.
    """
    sources = [
        Source("Drawn faces (built in)", "drawn", "drawn"),
        Source("Drawn faces, six classes in colour (built in)", "drawn:six", "drawn"),
    ]
    folder = Path(data_folder)
    children = _children(folder)
    if _is_tree(children):
        sources.append(Source(folder.resolve().name, str(folder), "folder"))
        children = [child for child in children if child.is_file()]
    for child in children:
        if child.is_file():
            sources += _file_source(child, child.name)
        elif _holds_pictures(child):
            sources.append(Source(child.name, str(child), "folder"))
        else:
            for file in _children(child):
                if file.is_file():
                    sources += _file_source(file, f"{child.name}/{file.name}")
    return sources


def _read(
    key: str,
    make_form: Callable[[], Form],
    name: str,
    source: str,
    image_size: int | None,
    channels: int | None,
    progress: Progress | None,
) -> Faces:
    def build(folder: Path) -> None:
        try:
            decode_form(
                make_form(),
                folder,
                image_size=image_size,
                channels=channels,
                name=name,
                source=source,
                progress=progress,
            )
        except _DAMAGED as error:
            raise DataError(f"{name} is damaged ({_first_line(error)}); get it again") from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DataError(
                    "the disk is full; free some of it, or set FER_CACHE to a folder with room"
                ) from error
            raise DataError(f"{name} cannot be read ({_first_line(error)})") from error

    # the same file may have been read under another spelling of its path
    return replace(cached_faces(key, build), source=source)


def _drawn(
    text: str, count_text: str, image_size: int, channels: int, progress: Progress | None
) -> Faces:
    # drawing needs modules that reading a file does not
    from fer_core.data import synthetic
    from fer_core.data.drawing_processes import draw_images

    low, high = DRAWN_COUNTS
    try:
        count = int(count_text) if count_text else synthetic.DRAWN_COUNT
    except ValueError:
        count = -1
    if not low <= count <= high:
        raise DataError(
            f"drawn:COUNT takes {low} to {high:,} faces, got {text!r}; "
            "try drawn:7000, or drawn:six for six classes in colour"
        )
    key = cache_key("drawn", count, image_size, channels, _drawing_code(Path(synthetic.__file__)))

    def build(folder: Path) -> None:
        synthetic.check_drawing(image_size, channels)
        check_room(folder, count * channels * image_size**2)
        images = draw_images(images_file(folder), count, image_size, channels, progress)
        save_all_but_images(folder, synthetic.as_drawn_set(images), source=text)

    return cached_faces(key, build)


def _six_drawn(image_size: int | None, channels: int | None, progress: Progress | None) -> Faces:
    from fer_core.data import six_classes, synthetic
    from fer_core.data.drawing_processes import draw_images

    size, channels = image_size or six_classes.IMAGE_SIZE, channels or six_classes.CHANNELS
    code = _drawing_code(Path(synthetic.__file__), Path(six_classes.__file__))

    def build(folder: Path) -> None:
        synthetic.check_drawing(size, channels)
        path, count = images_file(folder), six_classes.count()
        check_room(folder, count * channels * size**2)
        images = draw_images(path, count, size, channels, progress, drawer=six_classes)
        save_all_but_images(folder, six_classes.as_six_classes(images), source=six_classes.SOURCE)

    return cached_faces(cache_key(six_classes.SOURCE, size, channels, code), build)


def _drawing_code(module: Path, *more: Path) -> str:
    """A digest of the code that draws, so that a change of it draws the set again."""
    files = [module, *sorted(module.parent.glob("drawn/*.py")), *more]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _check_options(text: str, image_size: int | None, channels: int | None) -> None:
    if not text:
        raise DataError(f"no data set was named; give {READABLE}")
    if "\0" in text:
        raise DataError("a path cannot hold a zero byte")
    low, high = IMAGE_SIZES
    if image_size is not None and not low <= image_size <= high:
        raise DataError(f"image_size must be {low} to {high} pixels, got {image_size}; try 48")
    if channels not in (None, 1, 3):
        raise DataError(f"channels must be 1 (grey) or 3 (colour), got {channels}")


def _children(folder: Path) -> list[Path]:
    try:
        found = [child for child in folder.iterdir() if not child.name.startswith(".")]
    except OSError:
        return []
    return sorted(found, key=lambda child: child.name.lower())


def _is_tree(children: list[Path]) -> bool:
    """Whether the folder that holds these is itself a data set: those among them that are folders
    are splits or known expressions."""
    names = [child.name for child in children if child.is_dir() and _holds_pictures(child)]
    splits = sum(split_name(name) is not None for name in names)
    classes = sum(canonical_name(name) in COLOURS for name in names)
    return splits >= 1 or classes >= 2


def _holds_pictures(folder: Path, depth: int = 6) -> bool:
    children = _children(folder)
    if any(is_picture_name(child.name) and child.is_file() for child in children):
        return True
    inner = (child for child in children if child.is_dir() and not child.is_symlink())
    return depth > 0 and any(_holds_pictures(child, depth - 1) for child in inner)


def _file_source(path: Path, name: str) -> list[Source]:
    """The file as a list of one source, or an empty list."""
    ending = path.suffix.lower()
    if ending in (".zip", ".parquet"):
        return [Source(name, str(path), ending[1:])]
    if ending in CSV_ENDINGS and csv_usefulness(lambda: path.open("rb")):
        return [Source(name, str(path), "csv")]
    return []


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
