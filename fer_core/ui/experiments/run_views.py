"""Runs as the page shows them: names checked, states read, figures put into words. Knows no Gradio.

Everything is read from the run folders every time; nothing about a run is remembered here.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.inherited import inherited_words
from fer_core.runs.record import Progress, RunError, list_runs, read_progress
from fer_core.runs.record_fields import missing_field

#: What a shipped checkpoint's name starts with in lists of the page; no run's name can.
SHIPPED = "shipped/"


@dataclass(frozen=True)
class RunState:
    """One run of the list: its name and the state its folder shows."""

    name: str
    state: str


def find_run(runs_folder: Path, name: object) -> RunFolder:
    """The folder of a run by its plain name; RunError for anything else, such as a path."""
    return _listed(Path(runs_folder), name)


def find_entry(runs_folder: Path, name: object) -> RunFolder:
    """A run's folder, or with the prefix `SHIPPED` the folder of a shipped checkpoint."""
    if isinstance(name, str) and name.startswith(SHIPPED):
        return _listed(SHIPPED_CHECKPOINTS, name.removeprefix(SHIPPED))
    return _listed(Path(runs_folder), name)


def _listed(parent: Path, name: object) -> RunFolder:
    """A folder that stands in the parent's own listing, so that no path can be smuggled in."""
    if not name:
        raise RunError("no run is chosen; choose one from the list")
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.name == name and (folder / "config.json").is_file():
            return RunFolder(folder)
    raise RunError(f"there is no run named {str(name)[:60]!r}; choose one from the list")


def run_states(runs_folder: Path) -> list[RunState]:
    """Every run under the folder with its state, newest first."""
    return [RunState(run.name, read_progress(run).state) for run in list_runs(runs_folder)]


def followed_run(states: list[RunState]) -> str | None:
    """The run to show when none was chosen: the running one, else the newest."""
    running = [run.name for run in states if run.state == "running"]
    return (running or [run.name for run in states] or [None])[0]


def read_config(folder: RunFolder) -> RunConfig | None:
    """The run's configuration, or None when the file is missing, damaged or of another version."""
    try:
        return RunConfig.from_run(folder)
    except (OSError, ConfigError):  # no file, none of ours
        return None


def duration(seconds: float | None) -> str:
    """Seconds as people say them: "40 s", "3 min 20 s", "2 h 05 min"; "–" when unknown."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def percent(share: float | None) -> str:
    """A fraction as "68.4 %", "–" when unknown."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.1f} %"


def interval_text(interval: Any) -> str:
    """(low, high) as fractions → "66.9–69.9", in percent; "" when unknown."""
    if interval is None or len(interval) != 2 or not all(math.isfinite(end) for end in interval):
        return ""
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"


def best_epoch(epochs: list[dict[str, Any]], choose_by: str) -> int | None:
    """The number of the epoch whose weights are kept so far: the first with the best figure."""
    figures = [(epoch.get(choose_by), epoch["epoch"]) for epoch in epochs]
    figures = [(figure, number) for figure, number in figures if figure is not None]
    if not figures:
        return None
    sign = 1 if choose_by == "validation_loss" else -1
    return min(figures, key=lambda pair: (sign * pair[0], pair[1]))[1]


#: What a record must hold for its result to be put into words.
_TOLD = ("test.n", "test.accuracy", "test.interval", "test.macro_f1")
_TOLD_WITHOUT_TWINS = ("test_without_twins.accuracy", "test_without_twins.n")


def test_sentence(record: Mapping[str, Any] | None) -> str:
    """The test result with its interval in plain words, "" where it is not all there."""
    test = (record or {}).get("test")
    if not test or missing_field(record, _TOLD):
        return ""
    text = (
        f"On the {test['n']:,} test images the best epoch ({record.get('best_epoch', '?')}) named "
        f"the expression right for <b>{percent(test['accuracy'])}</b> "
        f"(95 % interval {interval_text(test['interval'])} %), "
        f"macro F1 {test['macro_f1']:.3f}."
    )
    free = record.get("test_without_twins")
    if free and not missing_field(record, _TOLD_WITHOUT_TWINS):
        text += (
            f" Without test images that also appear in training: {percent(free['accuracy'])} "
            f"of {free['n']:,}."
        )
    if told := inherited_words(record.get("data") or {}):
        text += f" <b>Not to be compared:</b> {told}"
    return text


def status_html(name: str, progress: Progress, record: Mapping[str, Any] | None) -> str:
    """The head of the live panel: name, state, bar, figures of the moment, result or reason."""
    done = _share_done(progress)
    cells = {
        "epoch": f"{_epoch_shown(progress)} of {progress.epochs}" if progress.epochs else "–",
        "images/s": f"{progress.images_per_second:,.0f}" if progress.images_per_second else "–",
        "time left": duration(progress.seconds_left) if progress.state == "running" else "–",
        "device": progress.device_words or "–",
    }
    figures = "".join(
        f"<div><dt>{label}</dt><dd>{html.escape(value)}</dd></div>"
        for label, value in cells.items()
    )
    state = html.escape(state_sentence(progress, record))
    result = test_sentence(record)
    if result:
        result = (
            f"<p class='result'>{result} Compare it in <b>Experiments</b>, "
            "try it on a photo in <b>Predict</b>.</p>"
        )
    return (
        f"<div class='top'><b class='name'>{html.escape(name)}</b>{badge(progress.state)}</div>"
        f"<div class='bar {progress.state}' role='progressbar' aria-label='share of the run done' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{100 * done:.0f}'>"
        f"<div style='width:{100 * done:.1f}%'></div></div>"
        f"<dl>{figures}</dl><p class='state'>{state}</p>{result}"
    )


def state_sentence(progress: Progress, record: Mapping[str, Any] | None = None) -> str:
    """What the state means for the person at the page, with the reason the run gave."""
    reason = progress.reason[:1].upper() + progress.reason[1:]
    if progress.state == "running":
        return f"{reason or 'Training'}."
    if progress.state == "queued":
        return "Queued: it starts in a few seconds, or when the runs before it have ended."
    if progress.state == "finished":
        if record is None:
            return "Finished."
        tested = record.get("test")
        return f"Finished; {_SCORED if tested else 'the set has no test images to score it on'}."
    if progress.state == "stopped":
        if not progress.epoch:
            return f"{reason or 'Stopped'}; no epoch had ended, so Resume begins anew."
        after = f"Resume goes on after epoch {progress.epoch}"
        return f"{reason or 'Stopped'}; the best weights so far are kept. {after}."
    return f"{progress.state.capitalize()}: {progress.reason or 'no reason was written down'}."


_SCORED = "the best epoch was scored on the test images"


def badge(state: str) -> str:
    return f"<span class='badge {html.escape(state)}'>{html.escape(state)}</span>"


def _share_done(progress: Progress) -> float:
    if progress.state == "finished":
        return 1.0
    if not progress.epochs:
        return 0.0
    # of an epoch that was broken off nothing is kept
    under_way = progress.state == "running" and progress.steps
    current = progress.step / progress.steps if under_way else 0.0
    return min(1.0, (progress.epoch + current) / progress.epochs)


def _epoch_shown(progress: Progress) -> int:
    """While a run trains the epoch it is in, otherwise how many are finished."""
    ahead = 1 if progress.state == "running" and progress.steps else 0
    return min(progress.epoch + ahead, progress.epochs)


def queue_html(queue: list[tuple[str, str]]) -> str:
    """Running and waiting runs in their order, or what an empty queue means."""
    if not queue:
        return "<p class='note'>Nothing is running or waiting. Start a run with the form.</p>"
    items = "".join(f"<li>{html.escape(name)} {badge(state)}</li>" for name, state in queue)
    return f"<ol class='queue'>{items}</ol>"


def log_html(text: str) -> str:
    """The log's last lines in a box that stays at its end."""
    shown = html.escape(text) if text else "The log begins when the run does."
    return (
        "<p class='title'>Last lines of the log</p>"
        # what scrolls has to be reachable by the keyboard
        "<div class='log' tabindex='0' role='region' aria-label='Last lines of the log'>"
        f"<pre>{shown}</pre></div>"
    )


#: A name and its colour stay in one line of the legend.
LEGEND_CSS = ".legend { display: inline-block; margin-right: 1em; overflow-wrap: anywhere; }"

#: Scoped style of the live panel.
STATUS_CSS = """
.top { display: flex; gap: 10px; align-items: center; flex-wrap: wrap; }
.name { font-size: 1.05rem; overflow-wrap: anywhere; }
.badge { font-size: 0.78rem; font-weight: 600; padding: 1px 9px; border-radius: 999px;
  color: #fff; background: #64748b; }
.badge.running { background: #4f5fd0; }
.badge.finished { background: #2b7a4b; }
.badge.failed { background: #b83246; }
.badge.interrupted, .badge.stopped { background: #a8600f; }
.bar { height: 8px; border-radius: 999px; margin: 10px 0;
  background: var(--border-color-primary); overflow: hidden; }
.bar > div { height: 100%; border-radius: 999px; background: #5b6ee1; transition: width 0.6s; }
.bar.finished > div { background: #2b7a4b; }
.bar.failed > div { background: #b83246; }
.bar.interrupted > div, .bar.stopped > div { background: #a8600f; }
dl { display: grid; gap: 8px; margin: 0;
  grid-template-columns: repeat(auto-fit, minmax(min(145px, 40%), 1fr)); }
dl.wide { margin-top: 10px;
  grid-template-columns: repeat(auto-fit, minmax(min(180px, 40%), 1fr)); }
dt { font-size: 0.8rem; color: var(--body-text-color-subdued); }
dd { margin: 0; font-size: 1.05rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.state { margin: 10px 0 0; min-height: 1.4em; overflow-wrap: anywhere; }
.result { margin: 8px 0 0; padding: 10px 12px; border-radius: 8px;
  border: 1px solid var(--border-color-primary); background: var(--block-background-fill); }
.title { margin: 0 0 4px; font-weight: 600; }
.log { height: 150px; overflow: auto; display: flex; flex-direction: column-reverse;
  border: 1px solid var(--border-color-primary); border-radius: 8px;
  background: var(--block-background-fill); }
.log pre { margin: 0 0 auto; padding: 8px 10px; font-size: 0.8rem; line-height: 1.45;
  white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--font-mono);
  color: var(--body-text-color); background: none; }
.queue { margin: 0; padding-left: 1.4em; }
.queue li { margin: 2px 0; overflow-wrap: anywhere; }
"""
