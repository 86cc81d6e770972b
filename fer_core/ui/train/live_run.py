"""One run as it stands now, read from its folder: what the live panel shows. Knows no Gradio."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import Any

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import (
    Progress,
    RunError,
    read_epochs,
    read_log_tail,
    read_progress,
    read_record,
)
from fer_core.training.job import queue_state, resume_run, stop_run
from fer_core.ui.experiments.ceiling_band import band_for
from fer_core.ui.experiments.run_views import (
    best_epoch,
    find_run,
    followed_run,
    log_html,
    queue_html,
    read_config,
    run_states,
    status_html,
)
from fer_core.ui.figures.band import Band
from fer_core.ui.shared.settings import AppSettings

#: Why buttons of a published page do nothing.
CLOSED = (
    "Training is closed on this published page. Run the app on your own computer to train: "
    "`python app.py`, or the command shown on this page."
)
#: The entry of the run list that follows whatever is running.
FOLLOW = ""
LOG_LINES = 12
_STOPPABLE = ("queued", "running")
_RESUMABLE = ("stopped", "interrupted", "failed")
_NOTHING = (
    "<p class='state'>No run yet. Choose a recipe in the form and press "
    "<b>Start training</b>: its curves appear here.</p>"
)
_NOTHING_HERE = "<p class='state'>This published page has no run to watch.</p>"


@dataclass(frozen=True)
class LiveRun:
    """Everything the panel shows of the chosen run; `curves` tells whether charts must be redrawn.

    choices: (label, name) of the run list. epochs: lines of epochs.jsonl. best: 1-based epoch.
    waiting: whether runs wait for their turn and none is running. band: how far people agree on its
    test images, where that is known.
    """

    choices: tuple[tuple[str, str], ...]
    name: str | None
    status: str
    epochs: list[dict[str, Any]]
    best: int | None
    log: str
    can_stop: bool
    can_resume: bool
    queue: str
    waiting: bool = False
    band: Band | None = None

    @property
    def curves(self) -> tuple[Any, ...]:
        """The same value as long as the charts are the same."""
        last = self.epochs[-1] if self.epochs else {}
        return (self.name, len(self.epochs), last.get("train_loss"), self.best, self.band)


def read_live(settings: AppSettings, chosen: object) -> LiveRun:
    """The chosen run, or with `FOLLOW` or a run that is gone the running or newest one."""
    runs_folder = settings.runs_folder
    states = run_states(runs_folder)
    choices = [("the running or newest run", FOLLOW)]
    choices += [(f"{run.name} · {run.state}", run.name) for run in states]
    queued = queue_state(runs_folder)
    queue = queue_html(queued)
    waiting = bool(queued) and all(state == "queued" for _, state in queued)
    name, gone = followed_run(states), ""
    if chosen:
        try:
            name = find_run(runs_folder, chosen).name
        except RunError as error:
            gone = f"<p class='state'>{html.escape(str(error))}; shown instead:</p>"
    if name is None:
        nothing = gone + (_NOTHING_HERE if settings.public else _NOTHING)
        return LiveRun(
            tuple(choices), None, nothing, [], None, log_html(""), False, False, queue, waiting
        )
    folder = find_run(runs_folder, name)
    # The state is read before the epochs: a run seen as finished then has all of its lines.
    progress = read_progress(folder)
    log = read_log_tail(folder, LOG_LINES)
    if settings.public:  # both may name folders of the owner's
        log = "The log is for the owner of this page."
        progress = replace(progress, reason="")
    config = read_config(folder)
    epochs = read_epochs(folder)
    record = read_record(folder) if progress.state == "finished" else None
    return LiveRun(
        choices=tuple(choices),
        name=name,
        status=gone + status_html(name, _with_epochs(progress, config, epochs), record),
        epochs=epochs,
        best=best_epoch(epochs, config.choose_by) if config else None,
        log=log_html(log),
        # the buttons act on the run that was chosen, not on one that is shown in its place
        can_stop=progress.state in _STOPPABLE and not settings.public and not gone,
        can_resume=progress.state in _RESUMABLE and not settings.public and not gone,
        queue=queue,
        waiting=waiting,
        band=band_for([folder], settings.data_folder),
    )


def _with_epochs(
    progress: Progress, config: RunConfig | None, epochs: list[dict[str, Any]]
) -> Progress:
    """Progress that at least knows the epochs on disk; a queued run has none written yet."""
    total = progress.epochs or (config.epochs if config else 0)
    return replace(progress, epochs=total, epoch=max(progress.epoch, len(epochs)))


def stop(settings: AppSettings, chosen: object) -> str:
    """Ask the shown run to stop; returns a sentence. RunError when that is not possible."""
    folder = _shown_run(settings, chosen)
    waiting = read_progress(folder).state == "queued"
    stop_run(folder)
    if waiting:
        return f"{folder.name} is taken out of the queue."
    return f"{folder.name} stops after the current step; what its finished epochs made is kept."


def resume(settings: AppSettings, chosen: object) -> str:
    """Put the shown run back into the queue; returns a sentence. RunError when not possible."""
    folder = _shown_run(settings, chosen)
    resume_run(folder)
    return f"{folder.name} goes on from its last finished epoch."


def _shown_run(settings: AppSettings, chosen: object) -> RunFolder:
    if settings.public:
        raise RunError(CLOSED)
    name = chosen or followed_run(run_states(settings.runs_folder))
    return find_run(settings.runs_folder, name)
