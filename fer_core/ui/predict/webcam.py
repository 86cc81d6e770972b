"""The live webcam: frames in, boxes over the moving picture and bars beside it out.

A frame lives only while its request is answered; nothing of it is written. What lasts between the
frames of one viewer is a `LiveView`, dropped when the page is closed.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

import gradio as gr
import numpy as np

from fer_core.inference.photo import PhotoError
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.inference.track import FaceTracker
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.predict import predict_views as views
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.picture_input import PhotoInput, read_picture
from fer_core.ui.shared.shared_state import SharedState

#: Seconds between two frames that the browser sends; it waits longer where the answer takes longer.
FRAME_SECONDS = 0.04
#: Viewers served at once; others wait until one of them has had TURN_SECONDS.
_VIEWERS = 4
_TURN_SECONDS = 120
#: Frames looked at at once: what is posted directly goes past the limit of the queue.
_FRAMES_AT_ONCE = threading.BoundedSemaphore(_VIEWERS)
#: Cards beside the picture.
_CARDS = 3
_REMEMBERED = 64
_LOOK_UP_SECONDS = 3

_CONSENT = views.message(
    "Before the camera starts",
    "<p>Your browser will ask for the camera. While it is on, up to 25 pictures a second go to "
    "the computer that serves this page, are looked at, and are dropped at once: none is stored, "
    "and no one else sees them. Ask the others in the picture first.</p>"
    "<p>It goes off with its button, when you open another tab of this page, and when you close "
    "the page. Browsers lend a camera only to pages on this computer itself or behind https.</p>",
)
_WAITING = (
    '<p class="note">Waiting for the camera. The first picture takes a few seconds, and longer '
    "when many people look at the same time.</p>"
)

# Gradio's camera wants two more clicks ("Click to Access Webcam", "Record"), the second with a word
# that frightens where nothing is recorded. The consent button makes them.
_START_CAMERA = """() => {
  let tries = 0;
  const timer = setInterval(() => {
    const camera = document.querySelector('#webcam-camera');
    if (++tries > 600) clearInterval(timer);
    if (!camera) return;
    const grant = camera.querySelector('[title="grant webcam access"] button');
    if (grant) {
      if (!grant.dataset.asked) { grant.dataset.asked = 'yes'; grant.click(); }
      return;
    }
    const record = camera.querySelector('[title="start recording"]');
    if (record) { record.closest('button').click(); clearInterval(timer); }
  }, 100);
}"""


class LiveView:
    """One viewer's memory between frames: the followed faces and the chosen checkpoint."""

    def __init__(self) -> None:
        self.tracker = FaceTracker()
        self.lock = threading.Lock()
        self._predictor: Predictor | None = None
        self._name: str | None = None
        self._looked_up = float("-inf")

    def predictor(self, loaded: LoadedCheckpoints, name: str | None, now: float) -> Predictor:
        """The chosen checkpoint; the list on the disk is read again every three seconds only."""
        if (
            self._predictor is None
            or name != self._name
            or now - self._looked_up > _LOOK_UP_SECONDS
        ):
            self._predictor = loaded.predictor(loaded.entry(name))
            self._name, self._looked_up = name, now
        return self._predictor


class LiveViews:
    """The views of all open pages by session, the one unused for longest dropped beyond a bound."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, LiveView] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, session: str | None) -> LiveView:
        with self._lock:
            view = self._views.setdefault(session or "", LiveView())
            self._views.move_to_end(session or "")
            while len(self._views) > _REMEMBERED:
                self._views.popitem(last=False)
        return view

    def forget(self, session: str | None) -> None:
        with self._lock:
            self._views.pop(session or "", None)


def look_at_frame(
    view: LiveView,
    loaded: LoadedCheckpoints,
    name: str | None,
    image: np.ndarray,
    unsure_below: float = views.UNSURE_BELOW,
) -> tuple[str, str]:
    """HTML over the picture (boxes) and beside it (cards, frame rate) for one frame.

    image uint8 (H, W, 3) as the browser shows it. unsure_below: see `predict_views.sentence`.
    CheckpointError when there is nothing to use.
    """
    start = time.monotonic()
    predictor = view.predictor(loaded, name, start)
    faces = view.tracker.follow(image, predictor, start)
    seconds = time.monotonic() - start
    beside = live_html(faces, view.tracker.frames_per_second, seconds, unsure_below)
    return overlay_html(faces, image, unsure_below), beside


def overlay_html(
    faces: list[FacePrediction], image: np.ndarray, unsure_below: float = views.UNSURE_BELOW
) -> str:
    """Boxes in a frame with the picture's proportions, laid over the video by the style sheet."""
    height, width = image.shape[:2]
    return (
        f'<div class="over" style="aspect-ratio:{width}/{height};--wide:{width / height:.4f}">'
        f"{views.boxes(faces, width, height, unsure_below)}</div>"
    )


def live_html(
    faces: list[FacePrediction],
    rate: float,
    seconds: float,
    unsure_below: float = views.UNSURE_BELOW,
) -> str:
    """Cards of the largest faces and a line with the frame rate and the time of one frame."""
    speed = "" if rate <= 0 else f"{rate:.1f} pictures per second, "
    status = f'<p class="note" data-live="speed">{speed}{1000 * seconds:.0f} ms for this one</p>'
    if not faces:
        return f'<p class="summary">No face in the picture. Come closer, or add light.</p>{status}'
    shown = enumerate(faces[:_CARDS], start=1)
    cards = "".join(views.face_card(face, at, unsure_below) for at, face in shown)
    more = len(faces) - _CARDS
    rest = f'<p class="note">and {more} more in the picture</p>' if more > 0 else ""
    return f'<div class="face-cards">{cards}{rest}</div>{status}'


def build_webcam(
    loaded: LoadedCheckpoints,
    checkpoint: gr.Dropdown,
    unsure: gr.Slider,
    photo_tab: gr.Tab,
    shared: SharedState,
) -> None:
    """The camera's part of the Predict tab. Opening its neighbour, photo_tab, ends it.

    unsure: the percentage below which a face is answered with "unsure".
    """
    all_views = LiveViews()
    consent = gr.HTML(_CONSENT, elem_id="webcam-consent")
    with gr.Row() as start_row:
        start = gr.Button(
            "Start the camera", variant="primary", scale=0, min_width=260, elem_id="webcam-start"
        )
    with gr.Row(visible=False) as stage:
        with gr.Column(scale=3, min_width=300, elem_id="webcam-stage"):
            camera = PhotoInput(
                sources=["webcam"],
                streaming=True,
                visible=False,
                show_label=False,
                buttons=[],
                height=420,
                webcam_options=gr.WebcamOptions(
                    mirror=True,
                    constraints={"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}},
                ),
                elem_id="webcam-camera",
            )
            over = gr.HTML(elem_id="webcam-over")
        with gr.Column(scale=2, min_width=300):
            stop = gr.Button("Turn the camera off", elem_id="webcam-stop")
            beside = gr.HTML(_WAITING, elem_id="webcam-live")
    switched = [consent, start_row, stage, camera, over, beside]

    def on_start() -> list[Any]:
        return _switch(on=True)

    def on_stop(request: gr.Request) -> list[Any]:
        all_views.forget(request.session_hash)
        return _switch(on=False)

    def on_other_tab(event: gr.SelectData, request: gr.Request) -> list[Any]:
        if event.value == "Predict":  # coming back, when the camera is off already
            return [gr.skip()] * len(switched)
        return on_stop(request)

    def on_leave(request: gr.Request) -> None:
        all_views.forget(request.session_hash)

    def on_frame(
        frame: Any, name: str | None, percent: float, request: gr.Request
    ) -> tuple[Any, Any]:
        if not frame:
            return gr.skip(), gr.skip()
        view = all_views.of(request.session_hash)
        try:
            with view.lock, _FRAMES_AT_ONCE:
                return look_at_frame(view, loaded, name, read_picture(frame), percent / 100)
        except (CheckpointError, PhotoError) as error:
            return "", views.problem(error)

    quiet = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    start.click(on_start, None, switched, **quiet).then(
        None, None, None, js=_START_CAMERA, api_visibility="private"
    )
    for leaving in (stop.click, photo_tab.select):
        leaving(on_stop, None, switched, **quiet)
    shared.tabs.select(on_other_tab, None, switched, **quiet)
    shared.page.unload(on_leave)
    camera.stream(
        on_frame,
        [camera, checkpoint, unsure],
        [over, beside],
        stream_every=FRAME_SECONDS,
        time_limit=_TURN_SECONDS,
        concurrency_limit=_VIEWERS,
        show_progress="hidden",
        api_visibility="private",
    )


def _switch(on: bool) -> list[Any]:
    """Updates of consent, start row, stage, camera, over and beside.

    An invisible camera component is taken off the page, and the browser's camera stops with it.
    """
    return [
        gr.HTML(visible=not on),
        gr.Row(visible=not on),
        gr.Row(visible=on),
        gr.Image(visible=on),
        gr.HTML(""),
        gr.HTML(_WAITING),
    ]
