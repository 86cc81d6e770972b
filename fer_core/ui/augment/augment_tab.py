"""The Augment tab: see what every strength does to a face, and hand the policy to training."""

from __future__ import annotations

import random
import time
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError
from fer_core.data.policies import POLICIES
from fer_core.inference.photo import PhotoError
from fer_core.inference.predictor import Predictor
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.augment import augment_view as view
from fer_core.ui.augment.face_choice import build_face_choice
from fer_core.ui.augment.measure import build_measurement
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.checkpoint_choices import checkpoint_choices
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.patient_slider import PatientSlider
from fer_core.ui.shared.picture_input import PICTURES_AT_ONCE
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.refusals import in_words
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, HANDED_OVER, SharedState

_LARGEST_SEED = 2**31 - 1
_START = POLICIES["standard"]
_GROUPS = (("Position", 0, 7), ("Light and colour", 7, 12), ("Sharpness and covering", 12, 16))


def build_augment_tab(settings: AppSettings, shared: SharedState) -> None:
    """Components and events of the tab; call inside its `gr.Tab`."""
    subject = gr.State(None)
    loaded = LoadedCheckpoints(settings.runs_folder)
    gr.Markdown(
        "Training shows a model every face in slightly changed copies, so that it learns the "
        "expression and not the pixels. Choose a face, move the sliders, and see which changes "
        "the model, and you, still read the same way.",
        elem_classes="note",
    )
    sliders: list[gr.Slider] = []
    with gr.Row(elem_classes="pictures-first"):
        with gr.Column(scale=5, min_width=320):
            chosen = build_face_choice()
            preset = gr.Radio(
                list(POLICIES),
                value="standard",
                label="Ready policies",
                info="Each fills the sliders. Move one to make a policy of your own.",
                elem_id="augment-preset",
            )
            for title, first, after in _GROUPS:
                gr.Markdown(f"## {title}")
                with gr.Row():
                    sliders += [_slider(strength) for strength in view.STRENGTHS[first:after]]
        with gr.Column(scale=6, min_width=320, elem_classes="stays"):
            result = gr.HTML(elem_id="augment-result", min_height=420)
            notice = gr.Markdown(visible=False, elem_classes="notice")
            caution = gr.Markdown(
                view.caution_text(list(view.slider_values(_START))),
                elem_id="augment-caution",
                elem_classes="note",
            )
            model = gr.Dropdown(
                label="The model whose labels are shown",
                elem_id="augment-model",
                **checkpoint_choices(loaded, None),
            )
            with gr.Row(elem_classes="bottom-row"):
                seed = gr.Number(
                    0,
                    label="Seed of the draws",
                    precision=0,
                    minimum=0,
                    maximum=_LARGEST_SEED,
                    min_width=120,
                    elem_id="augment-seed",
                )
                redraw = gr.Button("New draws", min_width=120, elem_id="augment-redraw")
                use = gr.Button(
                    "Use in training",
                    variant="primary",
                    min_width=140,
                    visible=not settings.public,
                    elem_id="augment-use",
                )
            if settings.public:
                gr.Markdown("Training is closed on this public page.", elem_classes="note")

    build_measurement(settings, shared, loaded, model, seed, sliders)

    def predictor(name: str | None) -> Predictor | None:
        """The chosen checkpoint; None when it cannot be loaded (any more)."""
        try:
            return loaded.predictor(loaded.entry(name))
        except CheckpointError:
            return None

    def drawn(
        face: view.Subject | None, draw: float | None, judge: str | None, values: list[Any]
    ) -> Any:
        if face is None:
            return gr.skip()
        variants = view.draw_variants(face.image, view.policy_of(values), int(draw or 0))
        found = predictor(judge)
        return view.variants_html(face, variants, found.checkpoint if found else None)

    def on_draw(
        face: view.Subject | None, draw: float | None, judge: str | None, *values: float | None
    ) -> list[Any]:
        return [
            drawn(face, draw, judge, values),
            view.caution_text(values),
            view.policy_name(values),
        ]

    def on_preset(
        name: str | None,
        face: view.Subject | None,
        draw: float | None,
        judge: str | None,
        *now: Any,
    ) -> list[Any]:
        values = view.slider_values(POLICIES[name]) if name in POLICIES else list(now)
        return [drawn(face, draw, judge, values), view.caution_text(values), *values]

    def picked_face(
        choice: dict[str, Any],
        asked: str | None,
        index: float | None,
        typed: float | None,
        draw: float | None,
        judge: str | None,
        *values: Any,
    ) -> list[Any]:
        """subject, result, notice, class list and number for a face of the set.

        asked, typed: what the list and the number say; where they can stay they are left alone, for
        a visitor may have gone on in the meantime.
        """
        try:
            faces = open_sets.faces_at_once(choice["source"])
            names = [name for name, count in faces.counts().items() if count]
            if not names:
                raise DataError("This set has no labelled face. Choose another in the Data tab.")
            wanted = asked if asked in names else ("happy" if "happy" in names else names[0])
            face = view.pick_face(faces, wanted, int(index or 1))
        except DataError as error:
            return [gr.skip(), gr.skip(), _said(str(error)), gr.skip(), gr.skip()]
        number = min(int(index or 1), len(view.class_indices(faces, wanted)))
        return [
            face,
            drawn(face, draw, judge, list(values)),
            gr.Markdown(visible=False),
            gr.Dropdown(names) if wanted == asked else gr.Dropdown(names, value=wanted),
            gr.skip() if number == typed else number,
        ]

    def on_pick(
        choice: dict[str, Any], wanted: str | None, index: float | None, *rest: Any
    ) -> list[Any]:
        return picked_face(choice, wanted, index, index, *rest)

    def on_data(shown: str, choice: dict[str, Any], *rest: Any) -> list[Any]:
        """Another set brings another face; another split of the same one leaves what is shown,
        a visitor's photo perhaps, alone."""
        if choice["source"] == shown:
            return [gr.skip()] * (1 + len(picked))
        return [choice["source"], *on_pick(choice, *rest)]

    def on_random(choice: dict[str, Any], wanted: str | None, *rest: Any) -> list[Any]:
        faces = open_sets.faces_at_once(choice["source"])
        count = len(view.class_indices(faces, wanted)) if wanted else 1
        return picked_face(choice, wanted, random.randint(1, max(1, count)), None, *rest)

    def on_upload(
        request: gr.Request,
        photo: str | bytes | None,
        draw: float | None,
        judge: str | None,
        *values: Any,
    ) -> list[Any]:
        if not photo:
            return [gr.skip(), gr.skip(), gr.Markdown(visible=False)]
        shared.uploads.hold(request.session_hash, photo, "augment")
        try:
            with PICTURES_AT_ONCE:
                face = view.photo_face(photo, predictor(judge))
        except PhotoError as error:
            return [gr.skip(), gr.skip(), _said(str(error))]
        return [face, drawn(face, draw, judge, list(values)), gr.Markdown(visible=False)]

    def on_redraw(face: view.Subject | None, judge: str | None, *values: Any) -> list[Any]:
        draw = random.randrange(_LARGEST_SEED)
        return [draw, drawn(face, draw, judge, list(values))]

    def on_look(judge: str | None) -> Any:
        return gr.Dropdown(**checkpoint_choices(loaded, judge))

    def on_use(*values: float | None) -> tuple[dict[str, float], gr.Tabs]:
        # The stamp makes every press a change, also when the policy is the one handed over before.
        policy = {**view.policy_of(values).to_dict(), HANDED_OVER: time.time()}
        return policy, gr.Tabs(selected="train")

    quick = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    picked = [subject, result, notice, chosen.class_name, chosen.number]
    pick_inputs = [shared.data_choice, chosen.class_name, chosen.number, seed, model, *sliders]
    source = gr.State(DEFAULT_DATA_CHOICE["source"])
    shared.data_choice.change(
        on_data, [source, *pick_inputs], [source, *picked], trigger_mode="always_last", **quick
    )
    # a face of that set stands in the place of the photo, if there is one
    source.change(lambda photo: gr.Button(visible=bool(photo)), chosen.upload, chosen.back, **quick)
    gr.on(
        [shared.page.load, chosen.class_name.input, chosen.number.input, chosen.upload.clear],
        on_pick,
        pick_inputs,
        picked,
        trigger_mode="always_last",
        **quick,
    )
    chosen.another.click(
        in_words(on_random),
        [shared.data_choice, chosen.class_name, seed, model, *sliders],
        picked,
        **quick,
    )
    gr.on(
        [*[slider.input for slider in sliders], seed.input, model.input],
        on_draw,
        [subject, seed, model, *sliders],
        [result, caution, preset],
        trigger_mode="always_last",
        **quick,
    )
    preset.input(
        on_preset,
        [preset, subject, seed, model, *sliders],
        [result, caution, *sliders],
        trigger_mode="always_last",
        **quick,
    )
    redraw.click(on_redraw, [subject, model, *sliders], [seed, result], **quick)
    gr.on(
        [chosen.upload.upload, chosen.back.click],
        on_upload,
        [chosen.upload, seed, model, *sliders],
        [subject, result, notice],
        show_progress_on=chosen.upload,
        api_visibility="private",
        concurrency_limit=2,
    )
    use.click(on_use, sliders, [shared.policy, shared.tabs], **quick)
    quiet = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    gr.on([shared.page.load, shared.tabs.select], on_look, model, model, **quiet)


def _slider(strength: view.Strength) -> PatientSlider:
    value = getattr(_START, strength.field) * strength.factor
    return PatientSlider(
        0,
        strength.highest,
        value,
        step=strength.step,
        min_width=230,
        label=strength.title,
        info=strength.explanation,
        buttons=[],
        elem_id=f"augment-{strength.field}",
    )


def _said(message: str) -> gr.Markdown:
    return gr.Markdown(f"**That did not work.** {plain(message)}", visible=True)
