"""The part of the Augment tab where the face is chosen: one of the set, or one's own photo."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from fer_core.ui.shared.picture_input import PhotoInput


@dataclass(frozen=True)
class FaceChoice:
    """back: shown while a face of the set is varied although a photo was given."""

    class_name: gr.Dropdown
    number: gr.Number
    another: gr.Button
    back: gr.Button
    upload: PhotoInput


def build_face_choice() -> FaceChoice:
    with gr.Row(elem_classes="bottom-row"):
        class_name = gr.Dropdown(
            ["happy"], value="happy", label="Expression", min_width=160, elem_id="augment-class"
        )
        number = gr.Number(
            1,
            label="Face number",
            precision=0,
            minimum=1,
            min_width=90,
            elem_id="augment-number",
        )
        another = gr.Button("Random face", min_width=130, elem_id="augment-random")
    back = gr.Button("Back to your photo", size="sm", visible=False, elem_id="augment-back")
    with gr.Accordion("Use your own photo", open=False):
        upload = PhotoInput(
            label="Photo",
            sources=["upload", "clipboard"],
            height=180,
            elem_id="augment-upload",
            elem_classes="photo-input",
        )
        gr.Markdown(
            "The largest face in it is taken. The photo is deleted within a minute after you leave "
            "this page.",
            elem_classes="note",
        )

    def on_set_face(photo: str | bytes | None) -> gr.Button:
        return gr.Button(visible=bool(photo))

    quiet = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    gr.on([class_name.input, number.input, another.click], on_set_face, upload, back, **quiet)
    gr.on(
        [upload.upload, upload.clear, back.click],
        lambda: gr.Button(visible=False),
        None,
        back,
        **quiet,
    )
    return FaceChoice(class_name, number, another, back, upload)
