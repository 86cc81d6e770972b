"""Files of predictions as people hand them in: CSV with id and emotion, names or numbers.

Enters: the bytes of a file. Leaves: ids and values as texts; what is wrong is a DataError in a
sentence for the person who made the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer_core.data.csv_files import LATIN_1_INSTEAD, text_encoding
from fer_core.data.entries import LABEL_COLUMNS, chosen_column
from fer_core.data.faces import DataError
from fer_core.labels import FER2013_CLASSES, canonical_name

#: Rows and bytes that are read of one file at most.
MOST_ROWS = 200_000
MOST_BYTES = 8 * 2**20
ID_COLUMNS = ("id", "image_id", "row", "row_id", "index", "image")
EMOTION_COLUMNS = (*LABEL_COLUMNS, "prediction", "predicted", "name")
GFLOPS_COLUMN = "gflops"
_SHOWN = 3  # examples in a sentence


@dataclass(frozen=True)
class PredictionTable:
    """ids and values (labels as texts) by row; gflops from a column of that name, or None."""

    ids: list[str]
    values: list[str]
    gflops: float | None


def read_table(content: bytes) -> PredictionTable:
    """The ids and labels of a file as texts. DataError says what is wrong with it."""
    if len(content) > MOST_BYTES:
        raise DataError(
            f"The file has {len(content) / 2**20:.0f} MB; at most {MOST_BYTES / 2**20:.0f} MB are "
            "read. A row needs an id and a label, nothing else."
        )
    if not content.strip():
        raise DataError("The file is empty.")
    encoding = text_encoding(content[:4])
    if b"\0" in content[:4096] and encoding == "utf-8-sig":
        raise DataError("This is no CSV but a binary file; save it as CSV with id and emotion.")
    errors = LATIN_1_INSTEAD if encoding == "utf-8-sig" else "replace"
    text = content.decode(encoding, errors=errors)
    lines = io.StringIO(text, newline="")  # which ends a line where old Macs did, too
    first = lines.readline()
    lines.seek(0)
    try:
        reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
        rows = [
            (reader.line_num, [cell.strip() for cell in row])
            for row in reader
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise DataError(f"The file is no readable CSV ({error}).") from error
    header, *body = [row for _, row in rows] or [[]]
    id_column = chosen_column(header, ID_COLUMNS)
    emotion_column = chosen_column(header, EMOTION_COLUMNS)
    if id_column is None or emotion_column is None:
        got = ", ".join(cell[:20] for cell in header[:6])
        raise DataError(
            f"The first line must name the columns id and emotion; it says: {got or 'nothing'}."
        )
    if not body:
        raise DataError("The file has a header and no rows.")
    if len(body) > MOST_ROWS:
        raise DataError(f"The file has {len(body):,} rows; at most {MOST_ROWS:,} are read.")
    places = header.index(id_column), header.index(emotion_column)
    for number, row in rows[1:]:
        if len(row) <= max(places):
            raise DataError(f"Line {number} has {len(row)} of {len(header)} columns.")
    ids = [plain_id(row[places[0]]) for row in body]
    return PredictionTable(ids, [row[places[1]] for row in body], _file_gflops(header, body))


def _file_gflops(header: list[str], body: list[list[str]]) -> float | None:
    column = chosen_column(header, (GFLOPS_COLUMN,))
    if column is None:
        return None
    place = header.index(column)
    values = {row[place] for row in body if len(row) > place and row[place]}
    if not values:
        return None
    if len(values) > 1:
        raise DataError("The column gflops must hold one number for the whole file.")
    try:
        return float(values.pop())
    except ValueError:
        raise DataError("The column gflops holds no number.") from None


def label_places(values: Sequence[str], class_names: tuple[str, ...]) -> np.ndarray:
    """int64 (N,): names or numbers as places in class_names.

    Numbers are FER2013's, or places where class_names has others. An expression of FER2013 that
    class_names lacks is len(class_names): a wrong answer. DataError names the unknown labels.
    """
    known = set(class_names) <= set(FER2013_CLASSES)
    numbered = FER2013_CLASSES if known else class_names
    positions = {name: place for place, name in enumerate(class_names)}
    found, unknown = [], []
    for value in values:
        number = whole_number(value)
        name = canonical_name(value) if number is None else None
        if number is not None and 0 <= number < len(numbered):
            name = numbered[number]
        place = positions.get(name or "", len(class_names) if name in numbered else None)
        if place is None:
            unknown.append(value or "an empty cell")
        found.append(-1 if place is None else place)
    if unknown:
        raise DataError(
            f"Rows with an unknown label: {len(unknown):,} ({examples(unknown)}); known are "
            f"0 to {len(numbered) - 1} and {', '.join(numbered)}."
        )
    return np.array(found, dtype=np.int64)


def check_ids(ids: Sequence[str]) -> None:
    """DataError when an id occurs more than once."""
    seen: set[str] = set()
    twice = [one for one in ids if one in seen or seen.add(one)]  # type: ignore[func-returns-value]
    if twice:
        raise DataError(f"Ids that occur more than once: {len(twice):,} ({examples(twice)}).")


def examples(values: Sequence[str]) -> str:
    """The first few different values, for a sentence."""
    shown = ", ".join(value[:30] for value in list(dict.fromkeys(values))[:_SHOWN])
    return shown + (", …" if len(set(values)) > _SHOWN else "")


def plain_id(text: str) -> str:
    """One spelling of an id: "007", "7.0" and "row 7" are 7."""
    number = whole_number(text.removeprefix("row ").strip())
    return text if number is None else str(number)


#: "7", "-7", "007", "7.0"; not "1_11" or "1e5", which Python takes for numbers: they may be ids.
_WHOLE = re.compile(r"([+-]?[0-9]{1,40})(?:[.]0*)?")


def whole_number(text: str) -> int | None:
    """The number that a text is, None for anything but a whole one."""
    found = _WHOLE.fullmatch(text)
    return int(found[1]) if found else None
