"""The Predict tab: a photo or the webcam in, for every face its box, label and probabilities out.

A handler here reads a picture, asks a `Predictor`, and shows what `predict_views` makes of the
answer. The endpoint for programs is `api`.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fer_core.inference.photo import PhotoError
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.examples import EXAMPLES
from fer_core.ui.predict import predict_views as views
from fer_core.ui.predict.api import build_api
from fer_core.ui.predict.explain_views import explained
from fer_core.ui.predict.webcam import build_webcam
from fer_core.ui.shared.checkpoint_choices import checkpoint_choices
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.patient_slider import PatientSlider
from fer_core.ui.shared.picture_input import (
    PICTURES_AT_ONCE,
    PhotoInput,
    read_picture,
)
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_NOTE = (
    "The model names the <strong>expression</strong> a face resembles. It does not know what a "
    "person feels, and it is often wrong. A picture stays on the computer that serves this page "
    "and is deleted within a minute after you leave it."
)
_EMPTY = views.message(
    "Which expression does a face resemble?",
    "<p>Upload a photo, take one, paste one, or click an example. Every face that is found gets a "
    "box, a label, and the probability of each expression.</p>",
)
_NO_CHECKPOINT = views.message(
    "There is no trained model yet",
    "<p>This page has no shipped checkpoint and no finished run to predict with. To make one:</p>"
    "<ol><li>Open the <strong>Train</strong> tab.</li>"
    "<li>Choose the recipe <strong>quick</strong>; it learns from drawn faces in about two "
    "minutes and needs no data.</li>"
    "<li>Start it, wait for its end, and come back here.</li></ol>",
)
_NO_FACE = views.message(
    "No face found",
    "<p>A face that is turned away, covered or very dark is easily missed, and one that is smaller "
    "than about a fiftieth of the picture's longer side: cut out the part with it. If the picture "
    "is a close-up of one face, use all of it as the face.</p>",
)


_ON_EXAMPLE_CLICK = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-index]');
  if (button) trigger('click', { index: Number(button.dataset.index) });
});
"""


#: In the page: on a telephone the answer lies below the fold, and nothing there would have changed.
_SHOW_ANSWER = """
() => {
  const answer = document.querySelector('#predict-result .prediction');
  if (answer && innerWidth < 700 && answer.getBoundingClientRect().top > 0.8 * innerHeight)
    answer.scrollIntoView({ behavior: 'smooth', block: 'start' });
}
"""


@dataclass(frozen=True)
class Answer:
    """What the page shows for one picture. offers_whole: it was readable but has no face."""

    html: str
    offers_whole: bool = False


def answer(
    loaded: LoadedCheckpoints,
    source: str | bytes | None,
    name: str | None,
    whole_picture: bool,
    unsure_below: float = views.UNSURE_BELOW,
    explain: bool = False,
) -> Answer:
    """The page's answer to one picture, problems included, as HTML.

    unsure_below: the probability (0-1) under which a face's strongest label is not named.
    explain: also show what the labels of the first faces rest on.
    """
    if not loaded.entries():
        return Answer(_NO_CHECKPOINT)
    if not source:
        return Answer(_EMPTY)
    try:
        entry = loaded.entry(name)
        predictor = loaded.predictor(entry)
        with PICTURES_AT_ONCE:
            image = read_picture(source)
            start = time.perf_counter()
            faces = predictor.predict(image, whole_picture=whole_picture)
            seconds = time.perf_counter() - start
    except (CheckpointError, PhotoError) as error:
        return Answer(views.problem(error))
    if not faces:
        return Answer(_NO_FACE, offers_whole=True)
    feet = explained(predictor, faces, unsure_below) if explain else ()
    model = entry.name.removeprefix("run:")
    return Answer(views.prediction_html(image, faces, seconds, model, unsure_below, feet))


def build_predict_tab(settings: AppSettings, shared: SharedState) -> None:
    loaded = LoadedCheckpoints(settings.runs_folder)
    with gr.Row(elem_id="predict-head"):
        with gr.Column(scale=2, min_width=290):
            checkpoint = gr.Dropdown(
                label="Checkpoint",
                elem_id="predict-checkpoint",
                **checkpoint_choices(loaded, None),
            )
            unsure = PatientSlider(
                0,
                90,
                round(100 * views.UNSURE_BELOW),
                step=5,
                label="Answer “unsure” below, %",
                info="When the strongest expression's probability is lower, no label is given.",
                elem_id="predict-unsure",
            )
        with gr.Column(scale=2, min_width=290):
            gr.HTML(f'<p class="note">{_NOTE}</p>', elem_id="predict-note")
    with gr.Tabs(elem_id="predict-sources", overflow_behavior="wrap"):
        with gr.Tab("Photo", id="photo") as photo_tab:
            photo, explain, result, whole = _photo_area(
                _EMPTY if loaded.entries() else _NO_CHECKPOINT
            )
        with gr.Tab("Live webcam", id="webcam", elem_id="predict-webcam"):
            build_webcam(loaded, checkpoint, unsure, photo_tab, shared)

    # An update while a visitor chooses undoes the choice: none is sent where the list is as before.
    listed = gr.State(checkpoint_choices(loaded, None)["choices"])
    whole_of = gr.State("")  # the mark of the picture that is to be taken as one face

    def on_ask(
        picture: Any,
        name: str | None,
        percent: float,
        explain: bool,
        marked: str,
        request: gr.Request,
    ) -> tuple[Any, Any]:
        shared.uploads.hold(request.session_hash, picture)
        as_whole = bool(marked) and marked == _mark(picture)
        shown = answer(loaded, picture, name, as_whole, percent / 100, explain)
        return shown.html, gr.Button(visible=shown.offers_whole)

    def on_open(chosen: str | None, before: list[Any]) -> tuple[Any, Any]:
        found = checkpoint_choices(loaded, chosen)
        same = found["choices"] == before and "value" not in found
        return gr.skip() if same else gr.Dropdown(**found), found["choices"]

    quiet = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    # Queued, since outside the queue a State does not tell that it changed.
    whole.click(_mark, photo, whole_of, show_progress="hidden", api_visibility="private")
    gr.on(  # one listener for all, so that the answer asked for last is the one that stays
        [photo.change, checkpoint.change, unsure.change, explain.input, whole_of.change],
        on_ask,
        [photo, checkpoint, unsure, explain, whole_of],
        [result, whole],
        trigger_mode="always_last",
        concurrency_id="predict",
        concurrency_limit=2,
        show_progress_on=result,
        api_visibility="private",
    ).then(None, None, None, js=_SHOW_ANSWER, api_visibility="private")
    for opened in (shared.page.load, shared.tabs.select):
        opened(on_open, [checkpoint, listed], [checkpoint, listed], **quiet)
    build_api(loaded, shared.uploads)


def _mark(picture: str | bytes | None) -> str:
    """Something short by which a picture is known again; "" without one."""
    if isinstance(picture, bytes):
        return hashlib.sha256(picture).hexdigest()
    return picture or ""


def _photo_area(first: str) -> tuple[PhotoInput, gr.Checkbox, gr.HTML, gr.Button]:
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            photo = PhotoInput(
                label="Photo",
                sources=["upload", "webcam", "clipboard"],
                height=300,
                buttons=["fullscreen"],
                elem_id="predict-photo",
                elem_classes="photo-input",
                alt_text="The picture you gave",
            )
            explain = gr.Checkbox(
                label="Show what each label rests on",
                info="Covers one part of the face after the other and colours those that count.",
                elem_id="predict-explain",
            )
            _example_strip(photo)
        with gr.Column(scale=4, min_width=320):
            result = gr.HTML(first, elem_id="predict-result")
            whole = gr.Button(
                "Use the whole picture as the face",
                variant="primary",
                visible=False,
                elem_id="predict-whole",
            )
    return photo, explain, result, whole


def _example_strip(photo: PhotoInput) -> None:
    # Served from where they lie: a handler may not hand over files from outside the working folder.
    gr.set_static_paths([example.path for example in EXAMPLES])
    strip = gr.HTML(
        views.examples_html(EXAMPLES), js_on_load=_ON_EXAMPLE_CLICK, elem_id="predict-examples"
    )

    def on_example(event: gr.EventData) -> str:
        return str(EXAMPLES[_place(event, len(EXAMPLES))].path)

    strip.click(
        on_example, None, photo, show_progress="hidden", queue=False, api_visibility="private"
    )


def _place(event: gr.EventData, count: int) -> int:
    """The clicked place. What comes from outside is only ever a number in the list."""
    index = (event._data or {}).get("index")
    if not isinstance(index, int) or not 0 <= index < count:
        raise gr.Error("There is no such example.", print_exception=False)
    return index
