"""What the widgets of the Equal budgets page receive; a part that has not changed is not sent."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import gradio as gr

from fer_core.comparison.budgets.runs import ContenderState
from fer_core.comparison.budgets.spending import AXES
from fer_core.comparison.budgets.verdict import Comparison, PairVerdict
from fer_core.training.planned_runs import MISSING
from fer_core.ui.experiments.budgets.asking import asking_updates
from fer_core.ui.experiments.budgets.results import (
    BY_HAND,
    Choice,
    chosen_first,
    compare_command,
    curves,
    read_choice,
    read_result,
    scored_names,
    states_of,
    stored_names,
)
from fer_core.ui.experiments.budgets.words import (
    MEASURES,
    class_html,
    progress_html,
    spent_html,
    verdict_html,
)
from fer_core.ui.experiments.ceiling_band import band_for
from fer_core.ui.experiments.experiment_updates import legend_html
from fer_core.ui.figures.band import Band, with_band
from fer_core.ui.figures.budgets import budget_figure, class_figure
from fer_core.ui.figures.layout import empty_figure
from fer_core.ui.figures.runs import run_colours
from fer_core.ui.shared.settings import AppSettings

#: Names of the widgets, in the order in which `budget_updates` returns their updates.
PARTS = (
    "empty",
    "body",
    "stored",
    "picked",
    "progress",
    "stop",
    "resume",
    "verdict",
    "asking",
    "asking_note",
    "legend",
    "accuracy",
    "loss",
    "spent",
    "pair",
    "class_group",
    "class_chart",
    "class_table",
    "command",
    "known",
)
_STOPPABLE = ("queued", "running")
_RESUMABLE = ("stopped", "interrupted", "failed", MISSING)


def budget_updates(
    settings: AppSettings,
    stored: Any,
    picked: Any,
    axis: Any,
    pair: Any,
    measure: Any,
    sent: dict[str, Any],
) -> tuple[Any, ...]:
    """One update for each of `PARTS`.

    stored: name of a comparison, or `BY_HAND` for the runs in `picked`. axis: one of `AXES`.
    pair: "first against second". measure: "recall" or "f1". sent: what this viewer has already.
    """
    axis = axis if axis in AXES else AXES[0]
    measure = measure if measure in MEASURES else "recall"
    names, scored = stored_names(settings.runs_folder), scored_names(settings.runs_folder)
    was = (stored, picked or [])
    if not sent.get("visited") and (names or len(scored) > 1):
        if not stored and not picked:
            stored, picked = chosen_first(settings.runs_folder)
        sent = {**sent, "visited": True}
    if stored and stored not in names:  # deleted by whomever
        stored = BY_HAND
    picked = [name for name in picked or [] if name in scored]
    choice = read_choice(settings, stored, picked)
    states = states_of(settings, choice)
    band = band_for(list(choice.runs.values()), settings.data_folder)
    now = {
        "visited": sent.get("visited", False),
        "lists": (names, scored),
        "chosen": (stored, picked),
        "states": [astuple(item) for item in states],
        "stamp": choice.stamp,
        "curves": (choice.stamp[0], tuple(choice.runs), axis, _lengths(choice), band),
    }
    result = read_result(choice)
    shown, titles = _chosen_pair(result.comparison, pair)
    now["verdict"] = (choice.stamp, result.problem, len(choice.runs), shown and titles, pair)
    now["classes"] = (now["verdict"], measure)
    updates: dict[str, Any] = dict.fromkeys(PARTS, gr.skip())
    if now == sent and (stored, picked) == was:
        return tuple(updates.values())
    colours = run_colours(list(choice.runs))
    if now["lists"] != sent.get("lists") or now["chosen"] != sent.get("chosen"):
        # a list that is as before is not sent: the viewer may have chosen on in the meantime
        new = now["lists"] != sent.get("lists")
        updates |= _lists(names, scored, stored, picked, was if "chosen" in sent else None, new)
        updates["command"] = compare_command(settings, choice)
    if now["states"] != sent.get("states") or now["chosen"] != sent.get("chosen"):
        updates |= _progress(settings, choice, states)
    if now["curves"] != sent.get("curves"):
        updates |= _curves(choice, axis, colours, band)
    if now["verdict"] != sent.get("verdict"):
        updates |= _verdict(choice, result.comparison, result.problem, shown, titles, colours)
        updates |= asking_updates(settings, choice, result.comparison)
    if now["classes"] != sent.get("classes"):
        updates |= _classes(shown, measure, colours)
    updates["known"] = now
    return tuple(updates.values())


def _lengths(choice: Choice) -> tuple[int, ...]:
    return tuple(
        run.epochs.stat().st_size if run.epochs.is_file() else 0 for run in choice.runs.values()
    )


def _lists(
    names: list[str],
    scored: list[str],
    stored: str,
    picked: list[str],
    was: tuple[Any, Any] | None,
    new: bool,
) -> dict[str, Any]:
    """was: what the viewer's lists say, None where they were never filled. new: others to offer."""
    something = bool(names) or len(scored) > 1
    own, runs = {}, {"visible": not stored}
    if was is None or stored != was[0]:
        own["value"] = stored
    if was is None or picked != was[1]:
        runs["value"] = picked
    if new:
        own["choices"] = [*((name, name) for name in names), ("runs chosen by hand", BY_HAND)]
        runs["choices"] = scored
    return {
        "empty": gr.update(visible=not something),
        "body": gr.update(visible=something),
        "stored": gr.update(**own) if own else gr.skip(),
        "picked": gr.update(**runs),
    }


def _progress(
    settings: AppSettings, choice: Choice, states: list[ContenderState]
) -> dict[str, Any]:
    if choice.plan is None:
        hidden = gr.update(visible=False)
        return {"progress": hidden, "stop": hidden, "resume": hidden}
    able = {state.state for state in states}
    open_ = not settings.public
    return {
        "progress": gr.update(
            value=progress_html(choice.plan, states, settings.public), visible=True
        ),
        "stop": gr.update(visible=open_ and bool(able & set(_STOPPABLE))),
        "resume": gr.update(visible=open_ and bool(able & set(_RESUMABLE))),
    }


def _curves(
    choice: Choice, axis: str, colours: Mapping[str, str], band: Band | None
) -> dict[str, Any]:
    found = curves(choice, axis)
    budget = choice.plan.amount if choice.plan and choice.plan.kind == axis else None
    accuracy = budget_figure(found, "accuracy", axis, colours, budget)
    return {
        "legend": legend_html(list(choice.runs)),
        "accuracy": with_band(accuracy, band if accuracy.data else None),
        "loss": budget_figure(found, "loss", axis, colours, budget),
    }


def _chosen_pair(
    comparison: Comparison | None, wanted: Any
) -> tuple[PairVerdict | None, list[str]]:
    """The verdict on the wanted pair, else on the first; and the titles of all pairs."""
    if comparison is None:
        return None, []
    titles = [pair_title(pair) for pair in comparison.pairs]
    place = titles.index(wanted) if wanted in titles else 0
    return comparison.pairs[place], titles


def pair_title(pair: PairVerdict) -> str:
    return f"{pair.first} against {pair.second}"


def _verdict(
    choice: Choice,
    comparison: Comparison | None,
    problem: str,
    shown: PairVerdict | None,
    titles: list[str],
    colours: Mapping[str, str],
) -> dict[str, Any]:
    if comparison is None or shown is None:
        return {
            "verdict": f"<p class='state'>{html.escape(problem)}</p>",
            "spent": gr.update(visible=False),
            "pair": gr.update(visible=False),
        }
    missing = len(choice.runs) - len(comparison.entrants)
    return {
        "verdict": verdict_html(comparison, shown, missing),
        "spent": gr.update(value=spent_html(comparison, colours), visible=True),
        "pair": gr.update(choices=titles, value=pair_title(shown), visible=len(titles) > 1),
    }


def _classes(pair: PairVerdict | None, measure: str, colours: Mapping[str, str]) -> dict[str, Any]:
    if pair is None:
        return {"class_group": gr.update(visible=False)}
    return {
        "class_group": gr.update(visible=True),
        "class_chart": _class_chart(pair, measure, colours),
        "class_table": class_html(pair, measure),
    }


def _class_chart(pair: PairVerdict, measure: str, colours: Mapping[str, str]) -> Any:
    if not pair.same_set:  # bars would say which is better
        return empty_figure("Tested on different sets: not compared.", 160)
    tested = measure == "recall"
    clear = [
        None if row.p_value is None or not tested else row.p_value < 0.05 for row in pair.classes
    ]
    return class_figure(
        [row.label for row in pair.classes],
        [row.difference(measure) for row in pair.classes],
        clear,
        (pair.first, pair.second),
        (colours[pair.first], colours[pair.second]),
        MEASURES[measure],
    )
