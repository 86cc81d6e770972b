"""Recognises what a source is; leaves a `Form`, and the state that its cache key needs."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fer_core.data.containers import FolderFiles, ZipFiles
from fer_core.data.csv_files import csv_form, csv_usefulness
from fer_core.data.entries import Entry, Form
from fer_core.data.faces import DataError, Unreadable
from fer_core.data.hub import download_parquet
from fer_core.data.image_trees import classes_and_splits, is_picture_name
from fer_core.data.parquet_files import are_one_set, parquet_form
from fer_core.data.pictures import PICTURE_ENDINGS
from fer_core.labels import FER2013_CLASSES

CSV_ENDINGS = (".csv", ".tsv", ".txt")
READABLE = (
    "a fer2013.csv, a parquet file, a folder class/*.jpg or split/class/*.jpg, a zip of one "
    "of them, 'drawn', or 'hub:owner/name'"
)


@dataclass(frozen=True)
class Found:
    """A source that exists. state: changes with its content. kind: csv, zip, parquet or folder."""

    path: Path
    kind: str
    state: object
    files: FolderFiles | None = None

    def form(self) -> Form:
        """Recognise what is inside. Raises DataError when nothing in it can be read."""
        if self.kind == "csv":
            return csv_form(self.path.name, lambda: self.path.open("rb"), self.path.stat().st_size)
        if self.kind == "parquet":
            return parquet_form([(self.path.name, lambda: self.path.open("rb"))])
        return files_form(self.files or ZipFiles(self.path))


def find_source(path: Path) -> Found:
    """What lies at a path. Raises DataError when there is nothing or nothing that can be read."""
    try:
        path = path.expanduser()
        if path.is_dir():
            files = FolderFiles(path.resolve())
            return Found(path, "folder", files.state(), files)
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise OSError("no regular file")  # opening a pipe would wait for ever
        with path.open("rb") as file:
            start = file.read(4)
    except (OSError, RuntimeError) as error:
        raise DataError(f"there is no readable file or folder {path}; give {READABLE}") from error
    if not facts.st_size:
        raise DataError(f"{path.name} is empty; get it again, or give {READABLE}")
    state = (facts.st_size, facts.st_mtime_ns)
    if start == b"PK\x03\x04" or path.suffix.lower() == ".zip":
        return Found(path, "zip", state)
    if start == b"PAR1" or path.suffix.lower() == ".parquet":
        return Found(path, "parquet", state)
    if path.suffix.lower() in CSV_ENDINGS:
        return Found(path, "csv", state)
    advice = "unpack it first" if path.suffix.lower() in (".gz", ".tar", ".rar", ".7z") else ""
    if path.suffix.lower() in PICTURE_ENDINGS:
        advice = "put it into a folder named after its class and give the folder above"
    raise DataError(f"{path.name} is in no form that can be read; {advice or f'give {READABLE}'}")


def hub_form(repository: str) -> Form:
    """The parquet files of a Hub data set."""
    files = download_parquet(repository)
    return parquet_form([(name, partial(path.open, "rb")) for name, path in files])


def files_form(files: FolderFiles | ZipFiles) -> Form:
    """What a folder or a zip holds: pictures in class folders, else tables, else loose pictures."""
    pictures = [name for name in files.sizes if is_picture_name(name)]
    places = classes_and_splits(pictures)
    if not any(label for label, _ in places):
        tables = _tables_form(files)
        if tables is not None:
            return tables
    if not pictures and not any(is_picture_name(item.where) for item in files.refused):
        raise DataError(_nothing_inside(files))
    return _tree_form(files, pictures, places)


def _tree_form(
    files: FolderFiles | ZipFiles,
    pictures: list[str],
    places: list[tuple[str | None, str | None]],
) -> Form:
    numbered = {label for label, _ in places if label} == {str(number) for number in range(7)}
    if numbered:  # folders 0 to 6 are FER2013's numbers
        places = [(FER2013_CLASSES[int(label)] if label else None, part) for label, part in places]
    where = dict(zip(pictures, places, strict=True))

    def entries() -> Iterator[Entry | Unreadable]:
        yield from files.refused
        for name, content in files.contents(pictures):
            yield content if isinstance(content, Unreadable) else Entry(name, content, *where[name])

    return Form(entries, len(pictures) + len(files.refused))


def _tables_form(files: FolderFiles | ZipFiles) -> Form | None:
    """The parquet files, or the csv that says most (labels and usages); None without either."""
    names = [name for name in files.sizes if name.lower().endswith(".parquet")]
    if names:
        if not are_one_set(names):
            listed = ", ".join(names[:5])
            raise DataError(f"{files.name} holds several data sets ({listed}); give one of them")
        return _with_refused(parquet_form([(name, files.seekable(name)) for name in names]), files)
    ranked = [
        (csv_usefulness(files.opener(name)), files.sizes[name], name)
        for name in files.sizes
        if name.lower().endswith(CSV_ENDINGS) and "__MACOSX" not in name
    ]
    useful = [item for item in ranked if item[0]]
    if not useful:
        return None
    _, size, name = max(useful)
    return _with_refused(csv_form(name, files.opener(name), size), files)


def _with_refused(form: Form, files: FolderFiles | ZipFiles) -> Form:
    def entries() -> Iterator[Entry | Unreadable]:
        yield from files.refused
        yield from form.entries()

    return replace(form, entries=entries)


def _nothing_inside(files: FolderFiles | ZipFiles) -> str:
    if files.refused:
        item = files.refused[0]
        return f"nothing in {files.name} can be read ({item.where}: {item.reason})"
    if any(name.lower().endswith(".zip") for name in files.sizes):
        return f"{files.name} holds only other zips; unpack it and give one of them"
    examples = ", ".join(list(files.sizes)[:4]) or "nothing"
    return f"{files.name} holds no pictures, csv with pixels or parquet (it holds {examples})"
