"""The Efficiency tab: accuracy against cost, its Pareto front, latency measured here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from fer_core.comparison.costs.latency import LEAST_ROUNDS, MOST_ROUNDS, SECONDS, measure_latency
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.experiments import efficiency_page as content
from fer_core.ui.figures.efficiency import accuracy_cost_figure
from fer_core.ui.shared.progress import paced, stop_twice
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_COSTS = [column for _, column in content.COST_CHOICES]
_CLOSED = "Measuring is closed on this published page; run the app on your own computer."
_PARTS = 7
#: Ticks of two seconds for which the ceiling is waited for.
_LOOKS_FOR_A_CEILING = 30


def build_efficiency_view(settings: AppSettings, shared: SharedState) -> None:
    """Components and events of the inner tab; call inside its `gr.Tab`."""
    empty = gr.Markdown(content.NOTHING, visible=False, elem_id="no-efficiency")
    with gr.Column() as body:
        with gr.Row():
            # Custom values are allowed because the list grows while the page is open.
            group = gr.Dropdown(
                [],
                label="Test images",
                info="Accuracies compare only on the same images, so one set at a time.",
                allow_custom_value=True,
                min_width=260,
                elem_id="efficiency-set",
            )
            cost = gr.Radio(
                list(content.COST_CHOICES),
                value=_COSTS[0],
                label="Cost",
                info="On a logarithmic axis: each step to the right is as many times dearer.",
                min_width=260,
                elem_id="efficiency-cost",
            )
        chart = gr.Plot(show_label=False, elem_id="efficiency-chart")
        note = gr.HTML(elem_id="efficiency-note", js_on_load=None)
        with gr.Row(elem_classes="bottom-row"):
            measure = gr.Button(
                "Measure latency",
                size="sm",
                visible=not settings.public,
                elem_id="measure-latency",
            )
            stop = gr.Button(
                "Stop measuring",
                size="sm",
                interactive=False,
                visible=not settings.public,
                elem_id="stop-latency",
            )
            download = gr.DownloadButton(
                "Download as CSV", size="sm", elem_id="download-efficiency"
            )
        status = gr.HTML(elem_id="latency-status", js_on_load=None)
        table = gr.HTML(elem_id="efficiency-table", js_on_load=None)
    sent = gr.State({})  # what this viewer has: stamp, set, cost, band
    inputs = [group, cost, sent]
    outputs = [empty, body, group, chart, note, table, download, sent]
    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}

    def on_look(key: Any, wanted: str | None, known: dict[str, Any]) -> tuple[Any, ...]:
        return efficiency_updates(settings, key, wanted, known)

    def on_measure(key: Any) -> Iterator[tuple[Any, Any, str]]:
        yield from _measure(settings, key)

    def on_stop() -> tuple[Any, Any, str]:
        return (*_buttons(False), "Stopped; what had been measured is kept.")

    shared.fast_timer.tick(on_look, inputs, outputs, **quiet)
    gr.on([group.input, cost.input], on_look, inputs, outputs, **quiet)
    running = measure.click(
        on_measure, group, [measure, stop, status], show_progress="hidden", api_visibility="private"
    )
    running.then(on_look, inputs, outputs, **quiet)
    stopped = {"fn": on_stop, "outputs": [measure, stop, status], **quiet}
    stop_twice(stop, running, **stopped)


def efficiency_updates(
    settings: AppSettings, key: Any, cost: Any, sent: dict[str, Any]
) -> tuple[Any, ...]:
    """Updates of the empty note, the body, the list, chart, note, table, download and `sent`.

    Everything is a `gr.skip()` as long as nothing has changed for this viewer.
    """
    cost = cost if cost in _COSTS else _COSTS[0]
    stamp = content.efficiency_stamp(settings)
    same = (sent.get("stamp"), sent.get("key"), sent.get("cost")) == (stamp, key, cost)
    if same and sent.get("ceiling known"):
        return (gr.skip(),) * (_PARTS + 1)
    page = content.read_efficiency(settings, key, cost)
    now = {"stamp": stamp, "key": page.key, "cost": cost, "ceiling known": page.ceiling is not None}
    if same:
        # the band may come at a later tick, and costs a look as long as it has not
        now["ceiling known"] |= sent.get("looks", 0) >= _LOOKS_FOR_A_CEILING
        now["looks"] = sent.get("looks", 0) + 1
        if page.ceiling is None:
            return (*(gr.skip(),) * _PARTS, now)
    if page.table is None:
        nothing = (gr.skip(),) * (_PARTS - 2)
        return (gr.update(visible=True), gr.update(visible=False), *nothing, now)
    band = None if page.ceiling is None else page.ceiling.band
    return (
        gr.update(visible=False),
        gr.update(visible=True),
        gr.update(choices=list(page.choices), value=page.key),
        accuracy_cost_figure(page.table, page.table["front"], cost, band, settings.public),
        content.note_html(page, cost),
        content.table_html(page.table),
        gr.update(value=str(content.write_efficiency(page.table))),
        now,
    )


def _measure(settings: AppSettings, key: Any) -> Iterator[tuple[Any, Any, str]]:
    """Measure every model of the chosen set, with words on how far it is."""
    if settings.public:
        raise gr.Error(_CLOSED, print_exception=False)
    group = content.find_group(content.groups_of(settings), key)
    if group is None:
        raise gr.Error("There is no scored model to measure.", print_exception=False)
    count = len(group.folders)
    models = f"{count} model{'s' * (count != 1)}"
    yield (*_buttons(True), f"Loading {models} …")
    number = measured = 0
    try:
        for number, found in paced(measure_latency(group.folders)):
            measured = len(found)
            yield (
                *_buttons(True),
                f"Round {number} of at most {MOST_ROUNDS}, {models} in turn "
                f"(ends after {SECONDS:.0f} s; results count from round {LEAST_ROUNDS} on) …",
            )
    except CheckpointError as error:
        yield (*_buttons(False), "")
        raise gr.Error(str(error), print_exception=False) from error
    left_out = count - measured
    text = f"Measured {measured} of {models} in {number} rounds, one after the other in each."
    if left_out:
        text += f" The weights of {left_out} are not there or cannot be used."
    yield (*_buttons(False), text)


def _buttons(measuring: bool) -> tuple[Any, Any]:
    return gr.update(interactive=not measuring), gr.update(interactive=measuring)
