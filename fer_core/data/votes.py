"""FER+: what ten taggers said of each FER2013 face (Barsoum et al. 2016, arXiv 1608.01041).

Enters: a source whose rows carry `ferplus_*` columns, or a fer2013.csv (or the train.csv of its
training rows) beside which the published fer2013new.csv lies. Leaves: `Votes`, one row per image of
`read_faces`, in its order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from fer_core.data.csv_files import text_encoding
from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.labels import canonical_name
from fer_core.paths import is_path

PREFIX = "ferplus_"
#: The published file of votes, looked for beside a csv.
VOTES_FILE = "fer2013new.csv"
#: Options that name no expression, as the published file spells them.
UNKNOWN, NO_FACE = "unknown", "not a face"
_SPELLINGS = {"nf": NO_FACE, "not a face": NO_FACE, "unknown": UNKNOWN}
#: Columns of the published file that are no votes.
_OTHER_COLUMNS = ("usage", "image name")


@dataclass(frozen=True)
class Votes:
    """counts: int64 (N, options), how many taggers chose each option for each image.

    options: canonical expression names, beside them `UNKNOWN` and `NO_FACE`, in column order.
    """

    counts: np.ndarray
    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.counts.ndim != 2 or self.counts.shape[1] != len(self.options):
            raise DataError(
                f"votes must be (images, {len(self.options)} options), got {self.counts.shape}"
            )
        if self.counts.size and self.counts.min() < 0:
            raise DataError(f"votes must be 0 or more, got {self.counts.min()}")

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def expressions(self) -> np.ndarray:
        """bool (options,): which options name an expression."""
        return np.array([name not in (UNKNOWN, NO_FACE) for name in self.options])

    def subset(self, indices: np.ndarray) -> Votes:
        """The votes on the images at `indices` (int (M,)), in that order."""
        return Votes(self.counts[indices], self.options)

    def mapped(self, class_map: Mapping[str, str]) -> Votes:
        """The votes with options renamed and merged as `RunConfig.class_map` does with classes.

        A class that the map leaves out ("") stays an option of its own.
        """
        wanted = {canonical_name(name): new for name, new in class_map.items()}
        names = [_option(wanted.get(name) or name) for name in self.options]
        options = tuple(dict.fromkeys(names))
        counts = np.zeros((len(self), len(options)), dtype=np.int64)
        for place, name in enumerate(names):
            counts[:, options.index(name)] += self.counts[:, place]
        return Votes(counts, options)


def has_votes(source: str | Path) -> bool:
    """Whether there are votes for a source, found out without reading its images."""
    try:
        return read_votes(source, np.zeros(0, dtype=np.str_)) is not None
    except DataError:
        return False


def read_votes(source: str | Path, ids: np.ndarray | None = None) -> Votes | None:
    """The votes on the images of a source, or None when it has none.

    ids: `Faces.ids` of the images that are asked for; None takes all that `read_faces` gives. An id
    names the row of the file, so votes stay with their image where rows could not be read. Raises
    DataError when the file of votes does not fit the source.
    """
    text = str(source).strip()
    if not is_path(text):
        return None
    path = Path(text).expanduser()
    if path.suffix.lower() == ".parquet":
        votes, file = _parquet_votes(path), path.name
    elif path.suffix.lower() == ".csv":
        votes, file = _csv_votes(path), VOTES_FILE
    else:
        return None
    if votes is None:
        return None
    if ids is None:
        ids = read_faces(text).ids
    rows = _row_numbers(ids)
    if rows is None:
        return None
    if len(rows) and rows.max() >= len(votes):
        raise DataError(
            f"{file} has votes for {len(votes):,} rows, {path.name} has at least "
            f"{rows.max() + 1:,}; give the file of votes that belongs to it"
        )
    return votes.subset(rows)


def _parquet_votes(path: Path) -> Votes | None:
    try:
        with parquet.ParquetFile(path) as opened:
            columns = [name for name in opened.schema_arrow.names if name.startswith(PREFIX)]
            if not columns:
                return None
            table = opened.read(columns=columns)
        given = np.column_stack([table[name].fill_null(0).to_numpy() for name in columns])
        counts = _whole(given)
    except OSError:
        return None  # no such file; reading its faces says so
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise DataError(f"the {PREFIX}* columns of {path.name} are no votes ({reason})") from error
    return Votes(counts, tuple(_option(name.removeprefix(PREFIX)) for name in columns))


def _whole(given: np.ndarray) -> np.ndarray:
    """int64 of votes that may be stored as floats. ValueError for a share of votes, which would be
    rounded to none, and for what is no number."""
    odd = given[~(np.isfinite(given) & (given == np.floor(given)))]
    if odd.size:
        raise ValueError(f"votes must be counts, got {odd[0]:g}")
    return given.astype(np.int64)


def _csv_votes(faces: Path) -> Votes | None:
    """The votes beside a csv of faces, one for each of its rows.

    DataError when it has another number of rows: any csv may lie in the same folder, and the rows
    of another set must not get these votes.
    """
    path = faces.with_name(VOTES_FILE)
    if not path.is_file():
        return None
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
        places = [place for place, name in enumerate(header) if _plain(name) not in _OTHER_COLUMNS]
        counts = np.array(
            [[_count(row, place, number) for place in places] for number, row in enumerate(rows)],
            dtype=np.int64,
        )
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} is no readable file of votes (it is no UTF-8 text); get it again"
        ) from error
    except (OSError, csv.Error, ValueError) as error:
        raise DataError(f"{path.name} is no readable file of votes ({error})") from error
    options = tuple(_option(header[place]) for place in places)
    votes = Votes(counts.reshape(len(rows), len(options)), options)
    count = _data_rows(faces)
    if count == len(votes):
        return votes
    usage = next((place for place, name in enumerate(header) if _plain(name) == "usage"), None)
    if usage is not None:  # Kaggle's train.csv is the training rows of fer2013.csv
        training = np.array([_plain(row[usage]) == "training" for row in rows])
        if count == training.sum():
            return votes.subset(np.flatnonzero(training))
    raise DataError(
        f"{path.name} has votes for {len(rows):,} rows, {faces.name} has {count:,}; it belongs to "
        "another file"
    )


def _count(row: list[str], place: int, number: int) -> int:
    """How many taggers chose an option. ValueError for a cell that says no such number."""
    cell = row[place].strip() if place < len(row) else "nothing"
    if not (cell.isdecimal() and len(cell) < 7):
        raise ValueError(f"row {number} has {cell[:20]} where a number of taggers is wanted")
    return int(cell)


def _plain(text: str) -> str:
    return text.strip().lower()


def _data_rows(path: Path) -> int:
    """Rows of a csv below its header, without reading what is in them."""
    try:
        facts = path.stat()
        return _counted_rows(path, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error})") from error


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        return text_encoding(file.read(4))


@lru_cache(maxsize=32)
def _counted_rows(path: Path, changed: int, size: int) -> int:
    encoding = _encoding(path)
    if encoding == "utf-8-sig":  # quicker as bytes
        with path.open("rb") as file:
            return _filled_lines(file)
    with path.open(encoding=encoding, errors="replace", newline="\n") as file:
        return _filled_lines(file)


def _filled_lines(lines: Iterable[str | bytes]) -> int:
    """Lines below the header that are not blank."""
    return max(0, sum(1 for line in lines if line.strip()) - 1)


def _option(name: str) -> str:
    plain = canonical_name(name)
    return _SPELLINGS.get(plain, plain)


def _row_numbers(ids: np.ndarray) -> np.ndarray | None:
    """int64 (N,) out of ids "row 12"; None for ids that name files."""
    texts = [str(text) for text in ids]
    if not all(text.startswith("row ") and text[4:].isdecimal() for text in texts):
        return None
    return np.array([int(text[4:]) for text in texts], dtype=np.int64)
