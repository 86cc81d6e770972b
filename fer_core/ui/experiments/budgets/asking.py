"""Having checkpoints answer their set's test images, so that they are compared image by image.

The shipped ones come without such answers; see `kept_answers`.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from fer_core.comparison.budgets.verdict import Comparison
from fer_core.comparison.kept_answers import ask, lacks_answers
from fer_core.data.faces import DataError
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.training.lineage import own_source
from fer_core.ui.experiments.budgets.results import Choice, read_choice
from fer_core.ui.experiments.domains.html import problem, progress_line, sentence
from fer_core.ui.experiments.run_views import STATUS_CSS
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.progress import paced, stop_twice
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_CLOSED = "This is a published page: data sets are closed here, so nothing can be asked about one."


def build_asking(
    settings: AppSettings, shared: SharedState, chosen: list[gr.components.Component]
) -> tuple[gr.Column, gr.HTML, Any]:
    """The panel, which says whom it would ask, and the event after whose end results are new.

    chosen: the stored comparison and the runs picked by hand.
    """
    with gr.Column(visible=False, elem_id="budget-asking") as body:
        note = gr.HTML(js_on_load=None, elem_id="budget-asking-note")
        with gr.Row():
            start = gr.Button("Compare image by image", size="sm", elem_id="budget-ask")
            stop = gr.Button("Stop", size="sm", interactive=False, elem_id="budget-ask-stop")
        status = gr.HTML(css_template=STATUS_CSS, js_on_load=None, elem_id="budget-ask-status")

    def on_ask(stored: Any, picked: Any, data: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
        yield (*_buttons(True), sentence("Reading the images …"))
        try:
            steps = asked(settings, read_choice(settings, stored, picked), data)
            for name, done, total in paced(steps):
                yield gr.skip(), gr.skip(), progress_line(done, total, f"{name} answers")
        except (ValueError, OSError) as error:
            yield (*_buttons(False), problem(error))
            return
        yield (*_buttons(False), "")

    def on_stop() -> tuple[Any, Any, str]:
        text = "Stopped; the answers of those that were through are kept."
        return (*_buttons(False), sentence(text))

    running = start.click(
        on_ask,
        [*chosen, shared.data_choice],
        [start, stop, status],
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=1,
    )
    stopped = {"fn": on_stop, "outputs": [start, stop, status], "api_visibility": "private"}
    stop_twice(stop, running, queue=False, **stopped)
    return body, note, running


def asked(
    settings: AppSettings, choice: Choice, data: Mapping[str, Any]
) -> Iterator[tuple[str, int, int]]:
    """Ask each run of the choice that has no answers: (its name, images done, all images).

    About the set that it learned from where that lies in the data folder, else about the one of the
    Data tab. DataError where that is another set, and on a published page.
    """
    if settings.public:
        raise DataError(_CLOSED)
    for name, run in lacking(choice).items():
        checkpoint = load_checkpoint(run.path)
        own = own_source(checkpoint, settings.data_folder)
        source = open_sets.allowed_source(own or data.get("source"), settings)
        faces = open_sets.open_faces(source)
        try:
            for done, total in ask(checkpoint, faces):
                yield name, done, total
        except DataError as error:
            raise DataError(f"{error} in the Data tab, then press the button again.") from error


def lacking(choice: Choice) -> dict[str, Any]:
    """Name → folder of the runs that have to be asked before they can be matched."""
    return {name: run for name, run in choice.runs.items() if lacks_answers(run)}


def asking_updates(
    settings: AppSettings, choice: Choice, comparison: Comparison | None
) -> dict[str, Any]:
    """Of the panel and its note: there where asking makes a verdict sharper."""
    pairs = comparison.pairs if comparison else ()
    names = list(lacking(choice)) if any(_blunt(pair) for pair in pairs) else []
    shown = bool(names) and not settings.public
    return {
        "asking": gr.update(visible=shown),
        "asking_note": f"<p class='note'>{_note(names)}</p>" if shown else gr.skip(),
    }


def _blunt(pair: Any) -> bool:
    return pair.same_set and not pair.paired


def _note(names: list[str]) -> str:
    who = html.escape(" and ".join(", ".join(names).rsplit(", ", 1)))
    come = "comes" if len(names) == 1 else "come"
    return (
        f"{who} {come} without answers to single images. With the set at hand, in the data folder "
        "or chosen in the <b>Data</b> tab, the test images are put to "
        f"{'it' if len(names) == 1 else 'them'} here once; the runs are then compared image by "
        "image, which tells smaller differences from noise."
    )


def _buttons(running: bool) -> tuple[Any, Any]:
    return gr.Button(interactive=not running), gr.Button(interactive=running)
