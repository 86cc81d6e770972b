"""The tables of a sweep as documents: its results, and methods yes/no as an ablation table.

Every figure comes from run folders, through `cell_results`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fer_core.comparison.sweeps.ablation import is_off, switches
from fer_core.comparison.sweeps.document import TableDocument
from fer_core.comparison.sweeps.table import (
    CellResult,
    Figure,
    best_cell,
    cell_results,
    reference_cell,
)
from fer_core.comparison.sweeps.words import (
    changed_settings,
    policy_text,
    source_title,
    without_folders,
)
from fer_core.comparison.wording import interval_figures, p_figure, signed_points
from fer_core.training.sweep import Sweep, SweepError, field_title

AS_BASE = "as the base"
YES, NO = "yes", "no"
#: Said wherever validation and test stand side by side.
CHOICE_NOTE = (
    "The best row is marked by validation accuracy. Choosing by the test column would be cheating: "
    "the test part would then no longer show what new faces give."
)

#: (header, text of a row) and (plain header, plain value of a row).
_Column = tuple[str, Callable[[CellResult], str]]
_PlainColumn = tuple[str, Callable[[CellResult], object]]


def sweep_document(
    sweep: Sweep, runs_folder: Path, kind: str = "results", order: str = "validation"
) -> TableDocument:
    """A sweep's table from its run folders. kind: "results" in the given order, or "ablation"."""
    results = cell_results(sweep, runs_folder, order)
    return (ablation_document if kind == "ablation" else results_document)(sweep, results)


def results_document(sweep: Sweep, results: Sequence[CellResult]) -> TableDocument:
    """One row per cell: the varied fields, validation and test accuracy, macro F1, best epoch,
    parameters, seconds, and how surely a cell differs from the reference."""
    titles = [*sweep.methods] or [field_title(field) for field in sweep.fields]
    varied = [(title, _value_text(sweep, place)) for place, title in enumerate(titles)]
    if not varied:
        varied = [("cell", lambda row: row.cell.name)]
    columns: list[_Column] = [
        *varied,
        ("validation %", lambda row: percent_text(row.validation)),
        (accuracy_header(sweep), accuracy_text),
        ("macro F1", lambda row: figure_text(row.macro_f1)),
        ("best epoch", lambda row: ", ".join(map(str, row.best_epochs))),
        ("parameters", lambda row: "" if row.parameters is None else f"{row.parameters:,}"),
        ("seconds", lambda row: "" if row.seconds is None else f"{row.seconds:,.0f}"),
    ]
    text = f"Results of the sweep {sweep.name}"
    return _document(sweep, results, text, columns, _plain_values(sweep, titles), len(varied))


def ablation_document(sweep: Sweep, results: Sequence[CellResult]) -> TableDocument:
    """Methods yes/no → accuracy with interval, macro F1 and the difference from the reference.

    A field with several strengths shows the strength in place of yes. Rows come in the plan's own
    order. SweepError when no field of the sweep can be off.
    """
    is_switch = switches(sweep)
    if not any(is_switch):
        raise SweepError(
            "an ablation table needs a field that is on in some runs and off in others, such as "
            "augment.flip_probability=0,0.5 or class_weights=no,yes"
        )
    rows = sorted(results, key=lambda row: row.place)
    titles = [*sweep.methods] or [field_title(field) for field in sweep.fields]
    varied = [
        (title, _switch_text(sweep, place) if is_switch[place] else _value_text(sweep, place))
        for place, title in enumerate(titles)
    ]
    reference = reference_cell(sweep, rows)
    base = next((row.accuracy for row in rows if row.cell is reference), None)

    def difference(row: CellResult) -> str:
        if base is None or row.accuracy is None or row.cell is reference:
            return ""
        return signed_points(row.accuracy.mean - base.mean)

    columns: list[_Column] = [
        *varied,
        ("validation %", lambda row: percent_text(row.validation)),
        (accuracy_header(sweep), accuracy_text),
        ("macro F1", lambda row: figure_text(row.macro_f1)),
        ("difference", difference),
    ]
    plain = _plain_values(sweep, titles)
    for place, (name, text) in enumerate(varied):
        plain[place] = (name, text)
    document = _document(
        sweep, rows, f"Ablation table of {sweep.name}", columns, plain, len(varied)
    )
    compared = "the first row" if sweep.methods else "the best row"
    about = f"Difference: percentage points of test accuracy against {compared}."
    return replace(
        document, notes=(*strength_note(sweep), *document.notes[:-1], about, CHOICE_NOTE)
    )


def _document(
    sweep: Sweep,
    rows: Sequence[CellResult],
    title: str,
    columns: list[_Column],
    plain: list[_PlainColumn],
    varied: int,
) -> TableDocument:
    columns = list(columns)
    if len(sweep.seeds) > 1:
        columns.insert(varied, ("runs", lambda row: f"{row.scored} of {row.runs}"))
    compared = "the first row" if sweep.methods else "the best row"
    if any(row.p_value is not None for row in rows):
        columns.append(("p", lambda row: "" if row.p_value is None else p_figure(row.p_value)))
    best = best_cell(rows)
    return TableDocument(
        title=title,
        headers=tuple(header for header, _ in columns),
        rows=tuple(tuple(text(row) for _, text in columns) for row in rows),
        plain_headers=tuple(header for header, _ in plain),
        plain_rows=tuple(tuple(value(row) for _, value in plain) for row in rows),
        numbers=frozenset(range(varied, len(columns))),
        bold=frozenset(place for place, row in enumerate(rows) if row.cell is best),
        notes=tuple(_notes(sweep, rows, compared)),
    )


def _notes(sweep: Sweep, rows: Sequence[CellResult], compared: str) -> list[str]:
    base = sweep.base
    seeds = f"seed {sweep.seeds[0]}"
    if len(sweep.seeds) > 1:
        seeds = f"mean ± standard deviation over the seeds {', '.join(map(str, sweep.seeds))}"
    epochs = f"{base.epochs} epoch{'s' if base.epochs > 1 else ''}, "
    if "epochs" in sweep.fields:
        epochs = ""
    recipe = ", ".join([f"Recipe {base.recipe}", *changed_settings(base)])
    notes = [f"{recipe}, data {source_title(base.data)}, {epochs}{seeds}."]
    faults = [fault for row in rows for fault in row.faults]
    waiting = sum(row.runs - row.scored for row in rows) - len(faults)
    if waiting:
        notes.append(f"{waiting} of {len(sweep.runs())} runs have no result yet.")
    notes += [f"Left out: {fault}." for fault in faults]
    if any(row.p_value is not None for row in rows):
        notes.append(
            f"p: McNemar's test of the test predictions against {compared}, adjusted after Holm; "
            "0.05 and above is within noise."
        )
    return [*notes, CHOICE_NOTE]


def _plain_values(sweep: Sweep, titles: Sequence[str]) -> list[_PlainColumn]:
    """Every figure of a row in a column of its own, shares as fractions."""

    def mean(figure: Figure | None) -> float | None:
        return None if figure is None else figure.mean

    def deviation(figure: Figure | None) -> float | None:
        return None if figure is None else figure.deviation

    return [
        *((title, _value_text(sweep, place)) for place, title in enumerate(titles)),
        ("cell", lambda row: row.cell.name),
        ("runs", lambda row: row.runs),
        ("scored", lambda row: row.scored),
        ("validation_accuracy", lambda row: mean(row.validation)),
        ("validation_deviation", lambda row: deviation(row.validation)),
        ("test_accuracy", lambda row: mean(row.accuracy)),
        ("test_deviation", lambda row: deviation(row.accuracy)),
        ("test_low", lambda row: row.interval[0] if row.interval else None),
        ("test_high", lambda row: row.interval[1] if row.interval else None),
        ("macro_f1", lambda row: mean(row.macro_f1)),
        ("macro_f1_deviation", lambda row: deviation(row.macro_f1)),
        ("best_epochs", lambda row: " ".join(map(str, row.best_epochs))),
        ("parameters", lambda row: row.parameters),
        ("seconds", lambda row: row.seconds),
        ("p_value", lambda row: row.p_value),
    ]


def _value_text(sweep: Sweep, place: int) -> Callable[[CellResult], str]:
    def text(row: CellResult) -> str:
        value = row.cell.values[place]
        return AS_BASE if value is None else without_folders(sweep.fields[place], value) or "none"

    return text


def _switch_text(sweep: Sweep, place: int) -> Callable[[CellResult], str]:
    """yes or no; where a field is on with several strengths, the strength."""
    field = sweep.fields[place]
    values = {cell.values[place] for cell in sweep.cells}
    strengths = [value for value in values if not is_off(sweep, field, value)]
    shown = _value_text(sweep, place)

    def text(row: CellResult) -> str:
        if is_off(sweep, field, row.cell.values[place]):
            return NO
        return YES if len(strengths) == 1 else shown(row)

    return text


def strength_note(sweep: Sweep) -> list[str]:
    """What "yes" stands for, where it is not simply on."""
    found = []
    titles = sweep.methods or tuple(field_title(field) for field in sweep.fields)
    for place, (title, field) in enumerate(zip(titles, sweep.fields, strict=True)):
        on = {cell.values[place] for cell in sweep.cells}
        on = {value for value in on if not is_off(sweep, field, value)}
        strength = on.pop() if len(on) == 1 else YES
        strength = base_text(sweep, field) if strength is None else strength
        strength = without_folders(field, strength)
        if strength not in (YES, ""):
            found.append(f"{title} = {strength}")
    return [f"Yes means: {', '.join(found)}."] if found else []


def base_text(sweep: Sweep, field: str) -> str:
    """What the base has in a field, "" for nothing."""
    group, _, inner = field.partition(".")
    value = sweep.base.to_dict().get(group)
    if inner:
        value = (value or {}).get(inner)
    elif group == "augment":
        return policy_text(sweep.base.augment)
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, int | float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def accuracy_header(sweep: Sweep) -> str:
    return "test %" if len(sweep.seeds) > 1 else "test % (95 % interval)"


def accuracy_text(row: CellResult) -> str:
    """ "54.3 (52.7–55.9)" for one run, "54.3 ± 0.4" for several, "" while there is none."""
    text = percent_text(row.accuracy)
    if row.interval is not None:
        text += f" ({interval_figures(row.interval)})"
    return text


def percent_text(figure: Figure | None) -> str:
    return figure_text(figure, 100, 1)


def figure_text(figure: Figure | None, factor: float = 1, decimals: int = 3) -> str:
    """The mean, with its deviation where there is one; "" when unknown."""
    if figure is None:
        return ""
    text = f"{factor * figure.mean:.{decimals}f}"
    if figure.deviation is not None:
        text += f" ± {factor * figure.deviation:.{decimals}f}"
    return text
