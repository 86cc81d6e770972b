"""Parquet files in the layout of the Hub: an image column, a label column, perhaps a split column.

Enters: one or several files. Leaves: a `Form`. Read in batches, never as a whole.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from fer_core.data.entries import (
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    Entry,
    Form,
    LabelNames,
    chosen_column,
    joined,
    known_split,
    split_name,
)
from fer_core.data.faces import DataError, Unreadable

_IMAGE_COLUMNS = ("image", "img", "picture", "photo", "face", "images", "img_bytes", "image_bytes")
_BATCH_ROWS = 256

Opener = Callable[[], BinaryIO]


def parquet_form(files: Sequence[tuple[str, Opener]]) -> Form:
    """The pictures of one or several parquet files, given as (name, how to open it). Raises
    DataError when one cannot be read.

    A file's name or its folder gives the split ("data/train-00000-of-00002.parquet") where there is
    no column for it; a single file's name does not.
    """
    several = len(files) > 1
    tables = [_table(name, opener) for name, opener in files]
    told = {tuple(table.declared) for table in tables if table.declared}
    if len(told) > 1:
        first, second, *_ = ("/".join(names) for names in sorted(told))
        raise DataError(
            f"these files are of several data sets: one numbers its classes {first[:120]}, another "
            f"{second[:120]}; give the files of one set"
        )
    declared = list(told.pop()) if told else []
    # one meaning of the numbers for all files, whichever of them happens to hold which
    values = [value for table in tables for value in table.values]
    names = LabelNames(values, declared, column=tables[0].label or "")
    forms = []
    for table in tables:
        split = _split_of_name(table.name) if several else None
        forms.append(_table_form(table, names, split, prefix=f"{table.name} " if several else ""))
    return joined(forms)


def are_one_set(names: Sequence[str]) -> bool:
    """Whether files belong together: each names a split, or they are numbered parts of one."""
    if len(names) == 1:
        return True
    if all(map(_split_of_name, names)):
        return len({_folders_besides_splits(name) for name in names}) == 1
    return len({re.sub(r"\d+", "", PurePosixPath(name).name) for name in names}) == 1


@dataclass(frozen=True)
class _Table:
    """What one file says of itself. values: the distinct ones of its label column."""

    name: str
    opener: Opener
    count: int
    image: str
    label: str | None
    usage: str | None
    declared: list[str]
    values: list[object]


def _table(name: str, opener: Opener) -> _Table:
    try:
        with opener() as file, parquet.ParquetFile(file) as opened:
            schema, count = opened.schema_arrow, opened.metadata.num_rows
            twice = [column for column, times in Counter(schema.names).items() if times > 1]
            if twice:
                raise DataError(f"{name} has two columns named {twice[0]!r}; rename one of them")
            label = chosen_column(schema.names, LABEL_COLUMNS)
            usage = chosen_column(schema.names, SPLIT_COLUMNS)
            image = _image_column(name, schema, (label, usage))
            for column in filter(None, (label, usage)):
                _check_values(column, schema.field(column).type)
            values = [] if label is None else _distinct(opened, label)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise DataError(f"{name} is no readable parquet file ({reason}); get it again") from error
    return _Table(name, opener, count, image, label, usage, _declared_names(schema, label), values)


def _table_form(table: _Table, names: LabelNames, split: str | None, prefix: str) -> Form:
    image, label, usage = table.image, table.label, table.usage
    columns = [column for column in (image, label, usage) if column is not None]

    def entries() -> Iterator[Entry | Unreadable]:
        row = 0
        with table.opener() as file, parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS, columns=columns):
                for values in batch.to_pylist():
                    where = f"{prefix}row {row}"
                    row += 1
                    try:
                        yield Entry(
                            where,
                            _content(values[image]),
                            None if label is None else names.name(_decoded(values[label])),
                            split if usage is None else known_split(_decoded(values[usage])),
                        )
                    except ValueError as error:
                        yield Unreadable(where, str(error))

    return Form(entries, table.count, names.classes)


def _image_column(name: str, schema: pyarrow.Schema, others: Sequence[str | None]) -> str:
    """others: what is taken for the label and the split, which may be bytes as well."""

    def holds_pictures(kind: pyarrow.DataType) -> bool:
        if pyarrow.types.is_struct(kind):
            return kind.get_field_index("bytes") >= 0
        return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)

    kinds = {column: schema.field(column).type for column in schema.names if column not in others}
    usable = [column for column, kind in kinds.items() if holds_pictures(kind)]
    column = chosen_column(usable, _IMAGE_COLUMNS) or next(iter(usable), None)
    if column is None:
        got = ", ".join(schema.names[:12]) or "none"
        wanted = "an image column ({bytes, path} or bytes)"
        raise DataError(f"{name} has no pictures: {wanted} is needed, the columns are {got}")
    return column


def _declared_names(schema: pyarrow.Schema, label: str | None) -> list[str]:
    """Class names by number from the `ClassLabel` that the Hub's libraries write into the file."""
    text = (schema.metadata or {}).get(b"huggingface")
    if label is None or text is None:
        return []
    try:
        feature = json.loads(text)["info"]["features"][label]
        names = feature.get("names") or feature.get("feature", {}).get("names") or []
        if isinstance(names, dict):  # {"0": "angry", …}
            names = [names[key] for key in sorted(names, key=int)]
        return [str(name) for name in names]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _check_values(column: str, kind: pyarrow.DataType) -> None:
    """DataError for a column of labels or splits that holds neither words nor numbers. A time may
    even be one that Python has no value for."""
    inner = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    if pyarrow.types.is_nested(inner) or pyarrow.types.is_temporal(inner):
        raise DataError(
            f"column {column!r} holds {kind}; one word or number per picture is needed, so rename "
            "or drop it"
        )


def _distinct(opened: parquet.ParquetFile, column: str) -> list[object]:
    found: set[object] = set()
    for batch in opened.iter_batches(65536, columns=[column]):
        found.update(map(_decoded, batch.column(0).unique().to_pylist()))
        if len(found) > 10_000:
            raise DataError(f"column {column!r} holds over 10,000 values; it is no class column")
    return list(found)


def _decoded(value: object) -> object:
    """A text that the file holds as bytes, as a text; any other value as it is."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _content(value: object) -> bytes | np.ndarray:
    if isinstance(value, dict):
        value = value.get("bytes")
    if not isinstance(value, bytes) or not value:
        raise ValueError("no picture in this row")
    return value


def _folders_besides_splits(name: str) -> tuple[str, ...]:
    """The folders of a file that name no split: those that two sets in one place differ in."""
    folders = PurePosixPath(name.replace("\\", "/")).parts[:-1]
    return tuple(folder for folder in folders if split_name(folder) is None)


def _split_of_name(name: str) -> str | None:
    """The split that a file's name or, failing that, one of its folders names."""
    path = PurePosixPath(name.replace("\\", "/"))
    words = [re.split(r"[-_.]\d|[.]", path.name)[0], re.split(r"[-_.]", path.name)[0]]
    words += reversed(path.parts[:-1])
    return next((split for split in map(split_name, words) if split), None)
