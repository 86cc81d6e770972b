"""What the widgets of the Experiments tab receive; everything is reread from the run folders."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError
from fer_core.runs.record import RunError, examined_record, read_record
from fer_core.ui.experiments.ceiling_band import band_for
from fer_core.ui.experiments.run_board import (
    board_rows,
    curves_of,
    displayed,
    read_board,
    write_leaderboard,
)
from fer_core.ui.experiments.run_details import (
    config_and_command,
    mistakes,
    per_class_table,
    summary_html,
)
from fer_core.ui.experiments.run_views import SHIPPED, find_entry
from fer_core.ui.figures.band import Band
from fer_core.ui.figures.runs import comparison_figure, confusion_figure, run_colours
from fer_core.ui.shared.face_grid import face_grid
from fer_core.ui.shared.settings import AppSettings

NO_ROWS = (
    "**Nothing to compare yet.** Go to the **Train** tab, choose the recipe *Quick look* and press "
    "*Start training*; in about two minutes its result stands here."
)
_NONE_CHOSEN = "Choose a run in the list, or click a row of the leaderboard."
_FIRST_COMPARED = 2


def board_updates(
    settings: AppSettings, chosen: Any, compared: Any, sent: dict[str, Any]
) -> tuple[Any, ...]:
    """Updates of the note for an empty page, of all below it, the lists, curves and the stamp.

    chosen: name of the run in detail; compared: names of those over each other. sent: what this
    viewer has already; every part that has not changed since is a `gr.skip()`.
    """
    was_chosen, was_compared = chosen, compared or []
    rows = board_rows(settings.runs_folder)
    board = read_board(settings.runs_folder) if rows != sent.get("rows") else None
    names = list(board.names) if board else sent["names"]
    curved = list(board.with_curves) if board else sent["curved"]
    compared = [name for name in dict.fromkeys(compared or []) if name in rows]
    if not sent.get("chosen before"):  # once per viewer: a list emptied by hand stays empty
        compared = compared or curved[:_FIRST_COMPARED]
    if chosen not in rows:  # nothing chosen yet, or deleted by whomever
        chosen = names[0] if names else None
    runs = curves_of(settings.runs_folder, compared)
    curves = [(name, len(epochs)) for name, epochs in runs.items()]
    band = curves_band(settings, runs)
    stamp = (chosen, rows.get(chosen))
    now = {
        "rows": rows,
        "names": names,
        "curved": curved,
        "curves": curves,
        "band": band,
        "stamp": stamp,
        "chosen before": bool(sent.get("chosen before") or curved),
    }
    # a typed name that is no run must leave the lists, even where nothing else has changed
    if now == sent and (chosen, compared) == (was_chosen, was_compared):
        return (gr.skip(),) * 11
    table = (gr.skip(),) * 4
    if board:
        table = (
            gr.update(visible=not names),
            gr.update(visible=bool(names)),
            gr.update(value=displayed(board.table), visible=bool(names)),
            gr.update(value=str(write_leaderboard(board.table)), interactive=bool(names)),
        )
    lists = (
        _list_update(curved if board else None, compared, was_compared),
        _list_update(names if board else None, chosen, was_chosen),
    )
    figures = (gr.skip(),) * 3
    if (sent.get("curves"), sent.get("band")) != (curves, band):
        charts = [comparison_figure(runs, quantity, band) for quantity in ("loss", "accuracy")]
        figures = (legend_html(list(runs)), *charts)
    return (*table, *lists, *figures, stamp if sent.get("stamp") != stamp else gr.skip(), now)


def curves_band(settings: AppSettings, runs: Iterable[str]) -> Band | None:
    """The ceiling on the test images of all these runs, None when theirs differ or have none."""
    return band_for([find_entry(settings.runs_folder, name) for name in runs], settings.data_folder)


def legend_html(names: list[str]) -> str:
    """Which colour is which run, once for both charts."""
    entries = [
        f"<span class='legend'><span class='swatch' style='background:{colour}'></span>"
        f"{html.escape(name)}</span>"
        for name, colour in run_colours(names).items()
    ]
    return " ".join(entries)


def _list_update(choices: list[str] | None, value: Any, was: Any) -> Any:
    """New choices and value of a list; a value that stays is not sent, the viewer may be at it."""
    changes = {} if value == was else {"value": value}
    if choices is not None:
        changes["choices"] = choices
    return gr.update(**changes)


def detail_updates(settings: AppSettings, name: Any, as_shares: bool) -> tuple[Any, ...]:
    """Summary, the row of scores, heat map, per-class table, command, configuration, delete."""
    try:
        folder = find_entry(settings.runs_folder, name)
    except RunError:
        note = f"<p class='state'>{_NONE_CHOSEN}</p>"
        return (note, gr.update(visible=False), None, None, "", "", gr.update(visible=False))
    record, fault = examined_record(folder)
    config, command = config_and_command(settings, folder, record)
    said = f"<p class='state'>{html.escape(fault)}.</p>" if fault else ""
    return (
        said + summary_html(folder, record),
        gr.update(visible=bool(record and record.get("test"))),
        confusion_update(settings, name, as_shares),
        per_class_table(record),
        command,
        config,
        gr.update(visible=not name.startswith(SHIPPED), interactive=not settings.public),
    )


def confusion_update(settings: AppSettings, name: Any, as_shares: bool) -> Any:
    """The heat map of a run's test split, None while there is none."""
    try:
        test = (read_record(find_entry(settings.runs_folder, name)) or {}).get("test") or {}
    except RunError:
        return None
    if not (test.get("confusion") and test.get("per_class")):
        return None
    names = [row["class"] for row in test["per_class"]]
    return confusion_figure(test["confusion"], names, bool(as_shares))


def mistakes_html(settings: AppSettings, name: Any) -> str:
    """The most confident mistakes as a grid, or one sentence that says why there are none."""
    try:
        folder = find_entry(settings.runs_folder, name)
        return face_grid(mistakes(settings, folder, read_record(folder)))
    except RunError:
        return f"<p class='note'>{_NONE_CHOSEN}</p>"
    except DataError as error:
        return face_grid([], str(error))
