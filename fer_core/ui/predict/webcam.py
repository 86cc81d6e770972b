"""The live webcam: frames in, boxes over the moving picture and bars beside it out (camera.js).

A frame lives only while its request is answered; nothing of it is written. What lasts between the
frames of one viewer is a `LiveView`, dropped when the page is closed.
"""

from __future__ import annotations

import html
import re
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from fer_core.inference.photo import PhotoError, read_photo
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.inference.track import FaceTracker
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.predict import predict_views as views
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.picture_input import picture_bytes
from fer_core.ui.shared.shared_state import SharedState

#: Frames looked at at once; what is posted directly goes past the limits of Gradio's queue.
_FRAMES_AT_ONCE = threading.BoundedSemaphore(4)
#: A frame that waits longer is dropped: by then the browser has a newer one.
_PATIENCE_SECONDS = 2
#: A frame in base64 characters: 3 MB of file, a hundred times what 640 x 480 pixels need.
_LONGEST_FRAME = 4_000_000
#: Cards beside the picture.
_CARDS = 3
_REMEMBERED = 64
_REMEMBERED_SECONDS = 60
_LOOK_UP_SECONDS = 3
#: The cards change no more often than can be read; the boxes move with every frame.
_CARD_SECONDS = 0.25

_CONSENT = views.message(
    "Before the camera starts",
    "<p>Your browser will ask for the camera. While it is on, up to 20 pictures a second go to "
    "the computer that serves this page, are looked at, and are dropped at once: none is stored, "
    "and no one else sees them. Ask the others in the picture first.</p>"
    "<p>It goes off with its button, when you open another tab of this page, and when you close "
    "the page. Browsers lend a camera only to pages on this computer itself or behind https.</p>",
)
_VIDEO = (
    '<video playsinline muted data-session="{}" aria-label="the picture of your camera"></video>'
)
_BUSY = (
    '<p class="note">Many people look at the same time; this computer cannot look at every '
    "picture. It goes on by itself.</p>"
)
_WAITING = (
    '<p class="note">Waiting for the camera. The first picture takes a few seconds, and longer '
    "when many people look at the same time.</p>"
)

#: The browser's part: opens the camera, shows it, and sends frames until the video is taken away.
_START_CAMERA = Path(__file__).with_name("camera.js").read_text(encoding="utf-8")
_CHOOSE = (
    "(checkpoint, percent) => { if (window.cameraChoice) "
    "Object.assign(window.cameraChoice, {checkpoint, percent}); }"
)
#: Consent and start row shown, stage not: what is invisible is taken off the page, the browser's
#: loop then ends, and the camera with it. Done by the browser alone: a page being set up says that
#: its first tabs were selected, and an answer of the server to that could come after the start.
_SWITCH_OFF = "() => [true, true, false].map((visible) => ({ __type__: 'update', visible }))"
#: What the browser calls its view: 24 hexadecimal digits, drawn anew at every start.
_VIEWER = re.compile(r"[0-9a-f]{24}")


class LiveView:
    """One viewer's memory between frames: the followed faces and the chosen checkpoint."""

    def __init__(self) -> None:
        self.tracker = FaceTracker()
        self.lock = threading.Lock()
        self.told = float("-inf")  # when the cards beside the picture were last sent
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
    """The views of all open cameras by viewer; dropped when they end, or were not used for long."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, tuple[LiveView, float]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, viewer: str, now: float) -> LiveView:
        """The viewer's view, made when it has none. now: seconds of a steady clock."""
        with self._lock:
            view, _ = self._views.pop(viewer, (LiveView(), now))
            self._views[viewer] = (view, now)
            for other, (_, used) in list(self._views.items()):  # the longest unused first
                if now - used <= _REMEMBERED_SECONDS and len(self._views) <= _REMEMBERED:
                    break
                del self._views[other]
        return view

    def forget(self, viewer: str) -> None:
        with self._lock:
            self._views.pop(viewer, None)

    def __len__(self) -> int:
        return len(self._views)


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
            video = gr.HTML(elem_id="webcam-camera", js_on_load=None)
            gr.HTML("<div data-part></div>", elem_id="webcam-over", js_on_load=None)
        with gr.Column(scale=2, min_width=300):
            stop = gr.Button("Turn the camera off", elem_id="webcam-stop")
            gr.HTML(f"<div data-part>{_WAITING}</div>", elem_id="webcam-live", js_on_load=None)
    switched = [consent, start_row, stage]

    def on_start(request: gr.Request) -> list[Any]:
        # under another name than the page's own, Gradio would set up every component anew
        session = html.escape(request.session_hash or "")
        on = [gr.HTML(visible=False), gr.Row(visible=False), gr.Row(visible=True)]
        return [*on, gr.HTML(_VIDEO.format(session))]

    def camera_frame(viewer: str, picture: str, checkpoint: str, percent: float) -> list:
        return list(frame_answer(all_views, loaded, viewer, picture, checkpoint, percent))

    quiet = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    chosen = [checkpoint, unsure]
    start.click(on_start, None, [*switched, video], **quiet).then(
        None, chosen, None, js=_START_CAMERA, api_visibility="private"
    )
    gr.on(
        [checkpoint.change, unsure.change], None, chosen, None, js=_CHOOSE, api_visibility="private"
    )
    for leaving in (stop.click, photo_tab.select, shared.tabs.select):
        leaving(None, None, switched, js=_SWITCH_OFF, api_visibility="private")
    gr.api(camera_frame, api_name="camera_frame", queue=False, api_visibility="private")


def frame_answer(
    views_of: LiveViews,
    loaded: LoadedCheckpoints,
    viewer: str,
    picture: str,
    checkpoint: str | None,
    percent: float,
) -> tuple[str, str]:
    """HTML over the picture, and beside it; the latter is empty where it shall stay as it is.

    picture: a data URL; empty ends the view. percent: below which a face is answered with "unsure".
    """
    now = time.monotonic()
    if not (isinstance(viewer, str) and _VIEWER.fullmatch(viewer)):
        return "", views.message("This page is out of date", "<p>Load it again.</p>")
    if not picture:
        views_of.forget(viewer)
        return "", ""
    view = views_of.of(viewer, now)
    if not _FRAMES_AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        return "", _BUSY
    try:
        with view.lock:
            image = read_photo(picture_bytes(picture, _LONGEST_FRAME))
            over, beside = look_at_frame(view, loaded, checkpoint, image, float(percent) / 100)
            if now - view.told < _CARD_SECONDS:
                return over, ""
            view.told = now
            return over, beside
    except (CheckpointError, PhotoError, ValueError, TypeError) as error:
        return "", views.problem(error)
    finally:
        _FRAMES_AT_ONCE.release()
