"""results/reference.md: each reference system's published figure beside that of our run.

Every figure of ours is read from a run folder; what is not finished says so.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fer_core.comparison.marks import put_marked
from fer_core.comparison.references.rows import ReferenceRow
from fer_core.comparison.sweeps.document import TableDocument, to_csv, to_markdown
from fer_core.runs import references
from fer_core.runs.record import write_text
from fer_core.runs.references import Reference
from fer_core.training.metrics import wilson_interval

_HEADERS = (
    "System",
    "Recipe",
    "Measure",
    "Published",
    "Ours",
    "95 % interval",
    "Verdict",
    "Untouched test part",
    "Split: train / validation / test",
    "Epochs",
    "Seconds",
    "Device",
    "Commit",
    "Remarks",
)
_SHORT = (
    "System",
    "Recipe",
    "Measure",
    "Published",
    "Ours",
    "95 % interval",
    "Verdict",
    "Epochs",
    "Remarks",
)
#: Between these marks of a Markdown file stands the short table.
BEGIN = "<!-- reference table: written by python -m fer_core reproduce -->"
END = "<!-- end of the reference table -->"
_NUMBERS = frozenset({3, 4, 9, 10})
_METRICS = {"accuracy": "accuracy", "macro_f1": "macro F1"}


def reference_document(rows: Sequence[ReferenceRow]) -> TableDocument:
    """The table, one row per reference, in the order given."""
    plain_headers = (
        "system",
        "name",
        "metric",
        "published",
        "ours",
        "low",
        "high",
        "test_accuracy",
        "train",
        "validation",
        "test",
        "epochs_run",
        "epochs",
        "seconds",
        "device",
        "commit",
        "state",
        "settings",
    )
    plain = []
    for row in rows:
        low, high = row.interval or (None, None)
        plain.append(
            (
                row.reference.system,
                row.reference.name,
                row.reference.metric,
                row.reference.published,
                row.value,
                low,
                high,
                row.test[0] if row.test else None,
                *row.counts,
                *row.epochs,
                round(row.seconds),
                row.device,
                row.commit,
                row.state,
                row.settings,
            )
        )
    return TableDocument(
        title="Reference systems",
        headers=_HEADERS,
        rows=tuple(_cells(row) for row in rows),
        plain_headers=plain_headers,
        plain_rows=tuple(plain),
        numbers=_NUMBERS,
    )


def write_reference_table(rows: Sequence[ReferenceRow], path: Path, command: str) -> None:
    """Replace the Markdown file at `path`, and the CSV file beside it, by the table."""
    text = [
        "# The five reference systems",
        "",
        f"Written by `{command}` on {time.strftime('%Y-%m-%d')} from the run folders. The "
        "published figures are those of the five reports. *Ours* is measured on the split on which "
        "the report measured, and chosen there too where the report did so. *Verdict* says where "
        "our figure lies: *level* when the published one is inside our 95 % interval. The "
        "*untouched test part* took no part in choosing the epoch; for A, B and C it is FER2013's "
        "PrivateTest, for E its accuracy where the row's own measure is macro F1. Seconds are "
        "those of a shared machine and only say the order of size.",
        "",
        to_markdown(reference_document(rows)),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n".join(text).rstrip() + "\n")
    write_text(path.with_suffix(".csv"), to_csv(reference_document(rows)))


def read_reference_rows(path: Path) -> dict[str, ReferenceRow]:
    """Reference → its row of the CSV beside `path`, as `write_reference_table` left it.

    What cannot be read, and what was not run, is not there.
    """
    try:
        with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    found = {}
    for line in lines:
        reference = references.REFERENCES.get(line.get("name") or "")
        with suppress(KeyError, TypeError, ValueError):  # another version's, or written by hand
            if reference is not None and line["state"] != "not run":
                found[reference.name] = _read_back(reference, line)
    return found


def _read_back(reference: Reference, line: Mapping[str, str]) -> ReferenceRow:
    counts = tuple(int(line[part]) for part in ("train", "validation", "test"))
    facts: dict[str, Any] = {}
    if line["ours"]:
        facts["value"], facts["interval"] = (
            float(line["ours"]),
            (float(line["low"]), float(line["high"])),
        )
    if line["test_accuracy"]:
        accuracy = float(line["test_accuracy"])
        facts["test"] = (accuracy, wilson_interval(round(accuracy * counts[2]), counts[2]))
    return ReferenceRow(
        reference,
        line["state"],
        counts=counts,
        epochs=(int(line["epochs_run"]), int(line["epochs"])),
        seconds=float(line["seconds"]),
        device=line["device"],
        commit=line["commit"],
        settings=line["settings"],
        drawn=bool(reference.drawn_note),  # `reproduce` has no others
        **facts,
    )


def short_document(rows: Sequence[ReferenceRow]) -> TableDocument:
    """The columns that a README has room for."""
    kept = [_HEADERS.index(name) for name in _SHORT]
    cells = [_cells(row) for row in rows]
    shown = tuple(tuple(line[place] for place in kept) for line in cells)
    return TableDocument(
        title="Reference systems",
        headers=_SHORT,
        rows=shown,
        plain_headers=_SHORT,
        plain_rows=shown,
        numbers=frozenset({3, 4}),
    )


def put_table(path: Path, rows: Sequence[ReferenceRow]) -> bool:
    """Replace what stands between the two marks in a Markdown file by the short table.

    Returns whether the file has the marks; without them it is left as it is.
    """
    return put_marked(path, BEGIN, END, to_markdown(short_document(rows)))


def _cells(row: ReferenceRow) -> tuple[str, ...]:
    reference = row.reference
    done, planned = row.epochs
    return (
        reference.system,
        f"{reference.what}: {reference.name}",
        f"{_METRICS[reference.metric]}, {reference.part}",
        _figure(reference.published, reference.metric),
        _figure(row.value, reference.metric) if row.value is not None else "–",
        _interval(row.interval, reference.metric),
        row.verdict,
        f"{row.test[0]:.2%} ({_interval(row.test[1], 'accuracy')})" if row.test else "–",
        " / ".join(f"{count:,}" for count in row.counts) if any(row.counts) else "–",
        f"{done} of {planned}" if planned else "–",
        f"{row.seconds:,.0f}" if round(row.seconds) else "–",
        row.device or "–",
        row.commit or "–",
        "; ".join(_remarks(row)) or "–",
    )


def _remarks(row: ReferenceRow) -> list[str]:
    remarks = []
    if row.state == "not run":
        remarks.append("not run yet")
    elif row.state != "finished":
        remarks.append(f"{row.state}: {row.reason}" if row.reason else row.state)
    elif row.reason:
        remarks.append(row.reason)
    if row.settings == "other data":
        remarks.append("measured on other data than the report's, so not to be compared with it")
    if row.settings == "changed":
        remarks.append("settings changed from the recipe's")
    if row.settings == "part":
        whole = f"python -m fer_core reproduce {row.reference.name} --whole --data …"
        remarks.append(f"in part: {row.reference.small_note}; whole: {whole}")
    if row.drawn and row.reference.drawn_note:
        remarks.append(row.reference.drawn_note)
    if row.reference.note:
        remarks.append(row.reference.note)
    return remarks


def _figure(value: float, metric: str) -> str:
    return f"{value:.2%}" if metric == "accuracy" else f"{value:.3f}"


def _interval(interval: tuple[float, float] | None, metric: str) -> str:
    if interval is None:
        return "–"
    return " to ".join(_figure(edge, metric) for edge in interval)
