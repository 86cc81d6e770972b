"""The whole page: a header and five tabs. What they share is made here, outside every tab."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from fer_core.data.policies import POLICIES
from fer_core.training.job import take_up_queue
from fer_core.ui.augment.augment_tab import build_augment_tab
from fer_core.ui.data.data_tab import build_data_tab
from fer_core.ui.experiments.experiments_tab import build_experiments_tab
from fer_core.ui.predict.predict_style import PREDICT_CSS
from fer_core.ui.predict.predict_tab import build_predict_tab
from fer_core.ui.shared.picture_input import SAY_WHAT_CANNOT_BE_SHOWN
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, LIVE_VIEWS, SharedState
from fer_core.ui.shared.theme import CSS, THEME
from fer_core.ui.shared.uploads import Uploads
from fer_core.ui.train.train_tab import build_train_tab

NAME = "Expression Lab"
_SENTENCE = (
    "Browse faces, see what augmentation does, train a model, "
    "and try it on a photo or a webcam. It names the expression a face resembles, "
    "never what a person feels."
)
_HOUR = 3600
#: Pillow warns of more pixels and refuses twice as many, also where Gradio itself decodes a
#: picture; `inference.photo` has its own, lower bound. A telephone's 50 megapixels pass.
_LARGEST_PICTURE = 50_000_000

#: A secret that is drawn anew at each start would forget with the start; nothing here is secret.
_KEPT_CHOICE = {"storage_key": "expression-lab-data-choice", "secret": "expression-lab"}

#: Keyword arguments of `launch()` that belong to the page and not to the command line.
LAUNCH: dict[str, Any] = {
    "theme": THEME,
    "css": CSS + PREDICT_CSS,
    "js": SAY_WHAT_CANNOT_BE_SHOWN,
    "footer_links": [],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "share": False,
}


def build_app(settings: AppSettings) -> gr.Blocks:
    """The page for these settings, not yet served: `build_app(settings).launch(**LAUNCH)`."""
    Image.MAX_IMAGE_PIXELS = _LARGEST_PICTURE
    with gr.Blocks(title=NAME, analytics_enabled=False, delete_cache=(_HOUR, 6 * _HOUR)) as app:
        gr.HTML(f"<h1>{NAME}</h1><p>{_SENTENCE}</p>", elem_id="header")
        data_choice = gr.State(dict(DEFAULT_DATA_CHOICE))
        kept = None if settings.public else gr.BrowserState(None, **_KEPT_CHOICE)
        policy = gr.State(POLICIES["standard"].to_dict())
        fast_timer = gr.Timer(2)
        timers = {view: gr.Timer(2, active=False) for view in LIVE_VIEWS}
        uploads = Uploads(lambda path: path in app.upload_file_set)

        def on_leave(request: gr.Request) -> None:
            uploads.leave(request.session_hash)

        def on_open() -> None:
            """A worker that was killed leaves runs behind that would wait for the next start."""
            take_up_queue(settings.runs_folder)

        app.unload(on_leave)
        if not settings.public:
            app.load(on_open, show_progress="hidden", api_visibility="private")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            shared = SharedState(data_choice, policy, fast_timer, tabs, app, timers, uploads, kept)
            with gr.Tab("Predict", id="predict", elem_id="tab-predict"):
                build_predict_tab(settings, shared)
            with gr.Tab("Data", id="data", elem_id="tab-data"):
                build_data_tab(settings, shared)
            with gr.Tab("Augment", id="augment", elem_id="tab-augment"):
                build_augment_tab(settings, shared)
            with gr.Tab("Train", id="train", elem_id="tab-train"):
                build_train_tab(settings, shared)
            with gr.Tab("Experiments", id="experiments", elem_id="tab-experiments"):
                build_experiments_tab(settings, shared)
    _spare_hidden_progress(app)
    return app


def _spare_hidden_progress(app: gr.Blocks) -> None:
    """Let no event without a progress display report progress to its outputs.

    Gradio 6's page notes a status for every output of every event, shown or not, and at each step
    of any event looks up every noted component in the whole tree. With some 270 of them that takes
    a tenth of a second and more, for every frame of the camera and every tick of a timer.
    """
    for event in app.fns.values():
        streams = any(name == "stream" for _, name in event.targets)
        if event.show_progress == "hidden" and not streams:
            event.show_progress_on = []
