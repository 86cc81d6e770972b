"""The public endpoint `/predict`: a program sends a picture and gets its faces as JSON."""

from __future__ import annotations

import secrets
from typing import Any

import gradio as gr

from fer_core.inference.photo import PhotoError
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.predict.predict_views import UNSURE_BELOW
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.picture_input import PICTURES_AT_ONCE, PhotoInput, read_picture
from fer_core.ui.shared.uploads import Uploads

_DESCRIPTION = (
    "Find the faces in a picture and classify their expressions. "
    "image: a picture file. checkpoint: a name from the Predict tab's list; empty for the first. "
    "whole_picture: true takes the picture as one face and looks for none. "
    "Returns a list with one object per face, the largest face first, empty when none is found: "
    "box [x0, y0, x1, y1] in pixels of the upright picture (null with whole_picture), "
    "label, confidence (0 to 1, the label's probability), "
    "probabilities {class: 0 to 1, summing to 1}, "
    f"unsure (true when the confidence is under {UNSURE_BELOW:g}), "
    "landmarks [[x, y] of left eye, right eye, nose, left and right mouth corner] (null likewise)."
)


def faces_for_api(
    loaded: LoadedCheckpoints, source: str | bytes | None, name: str | None, whole_picture: bool
) -> list[dict[str, Any]]:
    """The answer of the endpoint `/predict`; its keys are promised by `_DESCRIPTION`."""
    predictor = loaded.predictor(loaded.entry(name))
    with PICTURES_AT_ONCE:
        faces = predictor.predict(read_picture(source), whole_picture=whole_picture)
    return [face.to_dict() for face in faces]


def build_api(loaded: LoadedCheckpoints, uploads: Uploads) -> None:
    """Components nobody sees, which give the endpoint its types in the API's description."""
    with gr.Row(visible=False):
        image = PhotoInput(label="image")
        checkpoint = gr.Textbox("", label="checkpoint")
        whole_picture = gr.Checkbox(False, label="whole_picture")
        faces = gr.JSON(label="faces")
        call = gr.Button("predict")

    def predict(
        image: Any,
        checkpoint: str | None = "",
        whole_picture: bool | None = False,
    ) -> list[dict[str, Any]]:
        caller = secrets.token_hex(8)  # a program has no page that it closes: the call is all
        uploads.hold(caller, image)
        try:
            return faces_for_api(loaded, image, checkpoint, bool(whole_picture))
        except (CheckpointError, PhotoError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            uploads.release(caller, image)

    call.click(
        predict,
        [image, checkpoint, whole_picture],
        faces,
        api_name="predict",
        api_description=_DESCRIPTION,
        concurrency_id="predict",
        concurrency_limit=2,
    )
