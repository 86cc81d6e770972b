"""FER2013's csv forms: emotion, pixels and usage in any order, emotion and pixels, or pixels alone.

Enters: a stream of bytes, plain or out of a zip, as UTF-8, UTF-16, UTF-32 or Latin-1. Leaves: a
`Form`. Read row by row, so that memory stays bounded.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import BinaryIO

import numpy as np

from fer_core.data.entries import (
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    Entry,
    Form,
    LabelNames,
    chosen_column,
    known_split,
)
from fer_core.data.faces import DataError, Unreadable
from fer_core.labels import FER2013_CLASSES

PIXEL_COLUMNS = ("pixels", "pixel", "pixel_values")
_SMALLEST_SIDE = 8
_MAX_LINE = 8 * 2**20
_SAMPLE_ROWS = 50
#: How a wide encoding begins → its name; a tool such as Excel or PowerShell writes such files.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Opener = Callable[[], BinaryIO]


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 are letters of the older encoding."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


#: The name under which a decoder is told so.
LATIN_1_INSTEAD = "fer_core.latin_1"
codecs.register_error(LATIN_1_INSTEAD, _as_latin_1)


def text_encoding(start: bytes) -> str:
    """The encoding of a text by its first bytes: UTF-16 or UTF-32 by their mark or, without one, by
    the zeros between the letters of a header; else UTF-8, marked or not."""
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if marked is not None:
        return marked
    if len(start) >= 4 and start[0] and start[2] and not start[1] and not start[3]:
        return "utf-16-le"
    if len(start) >= 4 and start[1] and start[3] and not start[0] and not start[2]:
        return "utf-16-be"
    return "utf-8-sig"


def csv_form(name: str, opener: Opener, size: int) -> Form:
    """The rows of a csv with a pixel column; `size` is the length of the stream in bytes.

    A label column of whole numbers has FER2013's meaning (0 angry … 6 neutral), one of words holds
    class names; without one the images are unlabelled. Rows with another count of numbers than
    most have, a number outside 0 to 255, an unknown label or an unknown usage are Unreadable.
    Raises DataError when it is no such csv.
    """
    header, sample, row_bytes = _sample(name, opener)
    columns = _columns(header)
    pixels, label, usage = columns
    if pixels is None:
        got = ", ".join(column.strip()[:20] for column in header[:8])
        raise DataError(f"{name} has no column 'pixels'; its columns are {got or 'none'}")
    if not sample:
        raise DataError(f"{name} has a header and no rows; nothing can be read from it")
    counts = Counter(len(_numbers(row[pixels])) for row in sample if len(row) > pixels)
    expected = counts.most_common(1)[0][0] if counts else 0
    side = math.isqrt(expected)
    if side < _SMALLEST_SIDE or side * side != expected:
        raise DataError(
            f"{name}: the pixels of a row must be the numbers of a square image (48×48 is 2304), "
            f"got {expected} numbers per row"
        )
    names = _label_names(sample, label)

    def entries() -> Iterator[Entry | Unreadable]:
        for number, row in enumerate(_lines_parsed(opener)):
            if number == 0:
                continue  # the header
            where = f"row {number - 1}"
            if isinstance(row, csv.Error):
                yield Unreadable(where, str(row))
                continue
            if len(row) < len(header):
                yield Unreadable(where, f"{len(row)} of {len(header)} columns")
                continue
            try:
                image = _image(row[pixels], side)
                known = None if label is None else names.name(row[label])
                yield Entry(where, image, known, None if usage is None else known_split(row[usage]))
            except ValueError as error:
                yield Unreadable(where, str(error))

    return Form(entries, max(1, round(size / row_bytes)), names.classes)


def csv_usefulness(opener: Opener) -> int:
    """How much a csv says: 0 no pixels, 1 pixels, 2 with labels, 3 with labels and usages."""
    try:
        header, _, _ = _sample("", opener)
    except (DataError, OSError):
        return 0
    pixels, label, usage = _columns(header)
    return 0 if pixels is None else 1 + (label is not None) + (usage is not None)


def _columns(header: Sequence[str]) -> tuple[int | None, int | None, int | None]:
    """Positions of the pixel, label and split columns."""
    chosen = (
        chosen_column(header, names) for names in (PIXEL_COLUMNS, LABEL_COLUMNS, SPLIT_COLUMNS)
    )
    return tuple(None if column is None else header.index(column) for column in chosen)


def _label_names(sample: list[list[str]], label: int | None) -> LabelNames:
    if label is None:
        return LabelNames([])
    values = [row[label] for row in sample if len(row) > label]
    names = LabelNames(values)
    return names if names.classes == () and values else LabelNames([], FER2013_CLASSES)


def _sample(name: str, opener: Opener) -> tuple[list[str], list[list[str]], float]:
    """The header, the first rows, and the average length of a row in bytes."""
    with closing(_lines_parsed(opener)) as lines:
        header, *rows = list(islice(lines, _SAMPLE_ROWS + 1)) or [[]]
    if isinstance(header, csv.Error) or not any(column.strip() for column in header):
        raise DataError(f"{name} is empty or no csv; its first line must name the columns")
    rows = [row for row in rows if not isinstance(row, csv.Error)]
    mean_bytes = sum(sum(map(len, row)) + len(row) for row in rows) / max(1, len(rows))
    mean_bytes *= {"utf-16": 2, "utf-32": 4}.get(_encoding(opener)[:6], 1)
    return header, rows, max(1.0, mean_bytes)


def _encoding(opener: Opener) -> str:
    with opener() as stream:
        return text_encoding(stream.read(4))


def _lines_parsed(opener: Opener) -> Iterator[list[str] | csv.Error]:
    """The header and every row that is not blank; one that cannot be parsed comes as its error.

    A line is cut at _MAX_LINE characters, so that a file without line ends stays bounded.
    """
    encoding = _encoding(opener)
    errors = LATIN_1_INSTEAD if encoding == "utf-8-sig" else "replace"
    with io.TextIOWrapper(opener(), encoding=encoding, errors=errors, newline="") as text:
        first = text.readline(_MAX_LINE)
        lines = itertools.chain([first], iter(lambda: text.readline(_MAX_LINE), ""))
        csv.field_size_limit(_MAX_LINE)
        reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield error
            else:
                if row:
                    yield row


def _numbers(text: str) -> list[str]:
    """With blanks between them, as FER2013 has them, or as a list: commas, in brackets."""
    return text.strip(" \t[]").replace(",", " ").split()


def _image(text: str, side: int) -> np.ndarray:
    """Numbers 0 to 255 with blanks between → uint8 (side, side, 1). Raises ValueError."""
    raw = text.encode(errors="replace")
    plain = bool(raw.strip()) and not raw.translate(None, b"0123456789 ")
    # fromstring does not complain of what it cannot parse, so it is given digits and blanks alone
    values = np.fromstring(text, dtype=np.int64, sep=" ") if plain else None
    if values is None or values.max() > 255:
        words = _numbers(text)
        values = np.array([_byte(word) for word in words], dtype=np.int64)
    if len(values) != side * side:
        raise ValueError(f"{len(values)} numbers, expected {side * side} ({side}×{side})")
    return values.astype(np.uint8).reshape(side, side, 1)


def _byte(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text[:20]!r} is no number") from None
    if not 0 <= number <= 255 or number != int(number):
        raise ValueError(f"{text[:20]} is no whole number from 0 to 255")
    return int(number)
