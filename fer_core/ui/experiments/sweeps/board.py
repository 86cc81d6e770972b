"""A sweep as the page shows it, read from its plan and its runs' folders. Knows no Gradio."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.comparison.sweeps.document import FORMATS, TableDocument, render
from fer_core.comparison.sweeps.report import CHOICE_NOTE, sweep_document
from fer_core.comparison.wording import counted
from fer_core.paths import downloads_folder
from fer_core.runs.record import RunError, read_epochs, write_text
from fer_core.training.planned_runs import MISSING
from fer_core.training.sweep import Sweep, SweepError
from fer_core.training.sweep_files import list_sweeps, read_sweep
from fer_core.training.sweep_queue import (
    SweepProgress,
    delete_sweep,
    resume_sweep,
    start_sweep,
    stop_sweep,
    sweep_folders,
    sweep_progress,
)
from fer_core.ui.experiments.run_details import DELETING_CLOSED
from fer_core.ui.experiments.run_views import badge, duration
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.live_run import CLOSED

#: Curves of more runs than this are no chart any more.
MOST_CURVES = 24
_MOST_REASONS = 3
_NOTHING = (
    "<p class='state'>No sweep yet. Choose settings and their values in the form and press "
    "<b>Put it in the queue</b>: how far it is, and its table, appear here.</p>"
)
_NOTHING_HERE = "<p class='state'>This published page has no sweep to watch.</p>"
#: State → what the counts call it, in the order in which they stand.
_STATE_WORDS = {
    "finished": "finished",
    "running": "running",
    "queued": "waiting",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
    MISSING: "missing",
}


@dataclass(frozen=True)
class SweepWatch:
    """Everything the page shows of the chosen sweep; results and curves are made when their stamps
    have changed. name: None while there is no sweep."""

    choices: tuple[str, ...]
    name: str | None
    sweep: Sweep | None
    status: str
    can_stop: bool
    can_resume: bool
    results_stamp: tuple[Any, ...]
    curves_stamp: tuple[Any, ...]


def read_watch(settings: AppSettings, chosen: object) -> SweepWatch:
    """The chosen sweep, or the newest when none is chosen or the chosen one is gone."""
    choices = tuple(list_sweeps(settings.runs_folder))
    name = str(chosen) if chosen in choices else next(iter(choices), None)
    if name is None:
        nothing = _NOTHING_HERE if settings.public else _NOTHING
        return SweepWatch(choices, None, None, nothing, False, False, (), ())
    try:
        sweep = read_sweep(settings.runs_folder, name)
    except SweepError as error:
        # the error names the plan's file, which is the owner's alone to know
        text = "This sweep's plan cannot be read" if settings.public else str(error)
        status = f"<p class='state'>{html.escape(text)}.</p>"
        return SweepWatch(choices, name, None, status, False, False, (name,), (name,))
    progress = sweep_progress(sweep, settings.runs_folder)
    return SweepWatch(
        choices=choices,
        name=name,
        sweep=sweep,
        status=status_html(sweep, progress, with_reasons=not settings.public),
        can_stop=progress.can_stop and not settings.public,
        can_resume=progress.can_resume and not settings.public,
        results_stamp=(name, tuple(progress.states.values())),
        curves_stamp=(name, progress.epochs_finished),
    )


def status_html(sweep: Sweep, progress: SweepProgress, with_reasons: bool = True) -> str:
    """Name, state, the bar over all epochs, counts, time left, and why runs failed."""
    counts = progress.counts
    state = overall_state(progress)
    words = {
        name: f"{counts[key]} of {len(progress.states)}" if key == "finished" else str(counts[key])
        for key, name in _STATE_WORDS.items()
        if counts[key] or key == "finished"
    }
    cells = {f"runs {name}": text for name, text in words.items()}
    cells["epochs"] = f"{progress.epochs_done:,.0f} of {progress.epochs:,}"
    if progress.can_stop:
        cells["time left, about"] = duration(progress.seconds_left)
    figures = "".join(f"<div><dt>{key}</dt><dd>{text}</dd></div>" for key, text in cells.items())
    running = [name for name, state_of in progress.states.items() if state_of == "running"]
    now = f"<p class='state'>Now: {html.escape(', '.join(running))}</p>" if running else ""
    share = 100 * progress.share
    return (
        f"<div class='top'><b class='name'>{html.escape(sweep.name)}</b>{badge(state)}</div>"
        f"<div class='bar {state}' role='progressbar' aria-label='share of the sweep done' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{share:.0f}'>"
        f"<div style='width:{share:.1f}%'></div></div>"
        f"<dl>{figures}</dl>{now}{_reasons_html(progress) if with_reasons else ''}"
    )


def overall_state(progress: SweepProgress) -> str:
    """One state for the whole: that of the liveliest run, else of the one in most trouble."""
    for state in ("running", "queued", "failed", "interrupted", "stopped"):
        if progress.counts[state]:
            return state
    return "stopped" if progress.counts[MISSING] else "finished"


def _reasons_html(progress: SweepProgress) -> str:
    reasons = list(progress.reasons.items())
    lines = [
        f"<p class='state'><b>{html.escape(name)}</b> failed: {html.escape(reason)}</p>"
        for name, reason in reasons[:_MOST_REASONS]
    ]
    if len(reasons) > _MOST_REASONS:
        lines.append(f"<p class='state'>… and {len(reasons) - _MOST_REASONS} more failed.</p>")
    return "".join(lines)


def results(settings: AppSettings, sweep: Sweep, kind: str, order: str) -> TableDocument | str:
    """The sweep's table, or a sentence when it has none of that kind."""
    try:
        return sweep_document(sweep, settings.runs_folder, kind, order)
    except SweepError as error:
        return str(error)


def table_html(document: TableDocument | str) -> str:
    """The table with its best row marked and its notes below."""
    if isinstance(document, str):
        return f"<p class='note'>{html.escape(document[:1].upper() + document[1:])}.</p>"
    head = "".join(
        f"<th class='{'figure' if place in document.numbers else 'words'}'>{html.escape(text)}</th>"
        for place, text in enumerate(document.headers)
    )
    body = ""
    for place, row in enumerate(document.rows):
        best = place in document.bold
        cells = [
            f"<td class='{'figure' if column in document.numbers else 'words'}'>"
            f"{html.escape(text) or '–'}{_BEST if best and column == 0 else ''}</td>"
            for column, text in enumerate(row)
        ]
        body += f"<tr class='{'best' if best else ''}'>{''.join(cells)}</tr>"
    notes = "".join(
        f"<p class='note'>{html.escape(note)}</p>"
        for note in document.notes
        if note != CHOICE_NOTE  # stands above the table already
    )
    return (
        f"<div class='plain-table sweep'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{notes}"
    )


_BEST = " <span class='mark'>best</span>"

#: Scoped style of the results.
TABLE_CSS = """
.sweep tr > .words { text-align: left !important; }
.sweep tr > .figure { text-align: right !important; }
.sweep tr.best > * { font-weight: 600; background: rgba(91, 110, 225, 0.12) !important; }
.mark { font-size: 0.74rem; font-weight: 600; padding: 1px 7px; border-radius: 999px;
  color: #fff; background: #2b7a4b; margin-left: 4px; }
.note { margin: 6px 0 0; }
"""


def write_documents(sweep: Sweep, kind: str, document: TableDocument) -> dict[str, Path]:
    """Format → the table as a file to download; files of this process are replaced each time."""
    written = {}
    for name, ending in FORMATS.items():
        written[name] = downloads_folder() / f"{sweep.name}-{kind}.{ending}"
        write_text(written[name], render(document, name))
    return written


def sweep_curves(settings: AppSettings, sweep: Sweep) -> dict[str, list[dict[str, Any]]]:
    """Run → its epochs, for the first MOST_CURVES runs that have finished one; names without the
    sweep's own."""
    found = {}
    for name, folder in sweep_folders(sweep, settings.runs_folder).items():
        epochs = read_epochs(folder)
        if epochs:
            found[name.removeprefix(f"{sweep.name}-")] = epochs
        if len(found) == MOST_CURVES:
            break
    return found


def start(settings: AppSettings, sweep: Sweep) -> str:
    """Queue a planned sweep; returns a sentence. RunError when a name is taken."""
    _open_to_visitor(settings, CLOSED)
    runs = start_sweep(sweep, settings.runs_folder)
    return f"{sweep.name}: {counted(len(runs), 'run')} put into the queue."


def stop(settings: AppSettings, name: object) -> str:
    """Stop what is left of a sweep; returns a sentence."""
    _open_to_visitor(settings, CLOSED)
    count = stop_sweep(read_sweep(settings.runs_folder, name), settings.runs_folder)
    return f"{name}: {counted(count, 'run')} told to stop; what is finished stays."


def resume(settings: AppSettings, name: object) -> str:
    """Queue what was stopped again; returns a sentence."""
    _open_to_visitor(settings, CLOSED)
    count = resume_sweep(read_sweep(settings.runs_folder, name), settings.runs_folder)
    return f"{name}: {counted(count, 'run')} back in the queue."


def deletable_sweep(settings: AppSettings, name: object) -> Sweep:
    """The sweep that may be deleted. RunError on a published page."""
    _open_to_visitor(settings, DELETING_CLOSED)
    return read_sweep(settings.runs_folder, name)


def delete(settings: AppSettings, name: object) -> str:
    """Delete a sweep with its runs for good and say so. RunError while one runs."""
    sweep = deletable_sweep(settings, name)
    count = delete_sweep(sweep, settings.runs_folder)
    return f"{sweep.name} is deleted, {counted(count, 'run')} with it."


def _open_to_visitor(settings: AppSettings, refusal: str) -> None:
    if settings.public:
        raise RunError(refusal)
