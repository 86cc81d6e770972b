"""The Data tab: choose a set, see what is in it, decide its split. What is set here a run uses."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from fer_core.data.faces import DataError, Faces
from fer_core.ui.data import data_view as view
from fer_core.ui.data.exact_twins_panel import build_exact_twins
from fer_core.ui.data.kept_choice import keep_choice
from fer_core.ui.data.near_twins_panel import build_near_twins
from fer_core.ui.data.set_view import shares_matter, split_and_audit, view_set, with_split
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.patient_slider import PatientSlider
from fer_core.ui.shared.plain import plain
from fer_core.ui.shared.progress import reporter
from fer_core.ui.shared.refusals import in_words
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, SharedState

_SPLIT_KINDS = [("the set's own", "source"), ("a stratified draw", "stratified")]
_LARGEST_SEED = 2**31 - 1
_READING = ("Reading faces", "faces")
_LATER = '<p class="note">Shown when the set has been read.</p>'


def build_data_tab(settings: AppSettings, shared: SharedState) -> None:
    """Components and events of the tab; call inside its `gr.Tab`."""
    seed, resplit = gr.State(0), gr.State(0.0)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            chosen = gr.Dropdown(
                [("Drawn faces (built in)", "drawn")],
                value="drawn",
                label="Data set",
                info=None
                if settings.public
                else "The built-in sets, and whatever lies in the data folder.",
                elem_id="data-set",
            )
            summary = gr.Markdown("Reading the built-in faces …", elem_id="data-summary")
        with (
            gr.Column(scale=2, min_width=300, visible=not settings.public),
            gr.Accordion("Open your own data", open=False),
        ):
            gr.Markdown(
                "FER2013's CSV files, a folder or zip of `class/*.jpg` or `split/class/*.jpg`, "
                "or a parquet file with an image and a label column. An upload is kept in the "
                "data folder, so that a run finds it again.",
                elem_classes="note",
            )
            path = gr.Textbox(
                label="Path on this computer, or a Hub name",
                placeholder="/home/me/fer2013.csv   or   hub:owner/name",
                max_lines=1,
                elem_id="data-path",
            )
            open_path = gr.Button("Open", elem_id="data-open")
            upload = gr.File(
                label="Zip, CSV or parquet file",
                file_types=list(open_sets.UPLOAD_KINDS),
                height=150,
                elem_id="data-upload",
            )
    if settings.public:
        gr.Markdown(
            "This is a public page: it shows the built-in sets of drawn faces. "
            "Run the app on your own machine to read your own data.",
            elem_classes="note",
        )
    notice = gr.Markdown(visible=False, elem_id="data-notice", elem_classes="notice")

    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            gr.Markdown("## How often each expression occurs")
            chart = gr.Plot(show_label=False, container=False, elem_id="data-chart")
        with gr.Column(scale=2, min_width=320):
            gr.Markdown("## Split")
            kind = gr.Radio(
                _SPLIT_KINDS,
                value="source",
                label="Which images train, validate and test",
                info="Stratified: a random draw in which every class has the same share.",
                elem_id="data-split",
            )
            with gr.Row():
                test = PatientSlider(
                    0, 60, 20, step=1, label="Test, % of all", interactive=False, min_width=260
                )
                validation = PatientSlider(
                    1, 60, 10, step=1, label="Validation, % of rest", interactive=False,
                    min_width=260,
                )  # fmt: skip
            split_seed = gr.Number(
                DEFAULT_DATA_CHOICE["split_seed"],
                label="Seed of the draw",
                precision=0,
                minimum=0,
                maximum=_LARGEST_SEED,
                interactive=False,
            )
            split_words = gr.Markdown(elem_id="data-split-words")
            table = gr.HTML(elem_id="data-table", min_height=340)

    gr.Markdown("## Faces")
    with gr.Row(elem_classes="bottom-row"):
        class_name = gr.Dropdown(
            [view.ANY_CLASS], value=view.ANY_CLASS, label="Expression", min_width=140
        )
        part = gr.Dropdown([view.ANY_PART], value=view.ANY_PART, label="Part", min_width=140)
        again = gr.Button("New random draw", scale=0, min_width=210, elem_id="data-redraw")
    gallery = gr.HTML(elem_id="data-gallery", min_height=340)
    gr.Markdown("## The mean face of each expression")
    gr.Markdown(
        "The average of all pictures with one label. What is sharp in it is shared by most of "
        "them; a blurred mouth or brow means that they differ.",
        elem_classes="note",
    )
    means = gr.HTML(_LATER, elem_id="data-means", min_height=150)
    gr.Markdown("## Twins: pictures that occur more than once")
    twins = gr.HTML(_LATER, elem_id="data-twins", min_height=150)
    build_exact_twins(shared)
    build_near_twins(shared)
    with gr.Accordion("Rows and files that could not be read", open=False):
        unreadable = gr.HTML(elem_id="data-unreadable")

    shown = [summary, chart, table, split_words, twins, gallery, means, unreadable]
    controls = [chosen, class_name, part, test, validation, split_seed]

    def split_widgets(faces: Faces, kind: str) -> list[Any]:
        """test, validation and split_seed: open where they decide something."""
        matters = shares_matter(faces, kind)
        shares = [gr.Slider(interactive=matters[name]) for name in ("test", "validation")]
        return [*shares, gr.Number(interactive=any(matters.values()))]

    def opened(choice: dict[str, Any], listed: str | None, progress: gr.Progress) -> list[Any]:
        """data_choice, notice, seed, controls and the whole view, after another set was opened.

        listed: what the list of sets says. Where that is the set it is left alone, for a visitor
        may have chosen another while this one was being read."""
        draw = random.randrange(_LARGEST_SEED)
        everything = view_set(choice, seed=draw, progress=reporter(progress, *_READING))
        faces = open_sets.open_faces(choice["source"])
        offered = [(entry.name, entry.source) for entry in open_sets.sources(settings)]
        if choice["source"] not in {source for _, source in offered}:
            offered.append((faces.name, choice["source"]))
        named = {} if choice["source"] == listed else {"value": choice["source"]}
        classes, parts = view.gallery_choices(faces)
        return [
            choice,
            gr.Markdown(visible=False),
            draw,
            gr.Dropdown(offered, **named),
            gr.Dropdown(classes, value=view.ANY_CLASS),
            gr.Dropdown(parts, value=view.ANY_PART),
            *split_widgets(faces, choice["split"]),
            *everything,
        ]

    def refused(choice: dict[str, Any], error: Exception) -> list[Any]:
        """The same outputs when nothing was opened: only the notice changes."""
        quiet = [gr.skip()] * (len(controls) - 1 + len(shown))
        text = gr.Markdown(f"**That could not be opened.** {plain(error)}", visible=True)
        return [gr.skip(), text, gr.skip(), gr.update(value=choice["source"]), *quiet]

    def on_first(choice: dict[str, Any]) -> list[Any]:
        """A handful of faces at once, while the whole set is being read for the first time."""
        if choice["source"] != "drawn" or open_sets.is_open("drawn"):
            return [gr.skip(), gr.skip()]
        return [view.PREVIEW_WORDS, view.preview_gallery(open_sets.faces_at_once("drawn"))]

    def on_read(choice: dict[str, Any], progress: gr.Progress = gr.Progress()) -> Any:  # noqa: B008
        """Read the set and show nothing: by the time that it is read another may be open."""
        with suppress(DataError):  # said when it is shown
            open_sets.open_faces(choice["source"], reporter(progress, *_READING))
        return gr.skip()

    def on_choose(
        source: str | None,
        choice: dict[str, Any],
        listed: str | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        try:
            wanted = open_sets.allowed_source(source, settings)
            return opened({**choice, "source": wanted}, listed, progress)
        except DataError as error:
            return refused(choice, error)

    def on_upload(
        file: str | None,
        choice: dict[str, Any],
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        if file is None:
            return [gr.skip(), *refused(choice, DataError("No file arrived."))]
        try:
            kept = open_sets.keep_upload(Path(file), settings)
        except DataError as error:
            return [None, *refused(choice, error)]
        try:
            return [None, *opened({**choice, "source": kept}, None, progress)]
        except DataError as error:
            Path(kept).unlink(missing_ok=True)
            return [None, *refused(choice, error)]

    def on_split(
        choice: dict[str, Any],
        new_kind: str | None,
        new_test: float,
        new_validation: float,
        new_seed: float | None,
        wanted_class: str,
        wanted_part: str,
        draw: int,
    ) -> list[Any]:
        choice = with_split(choice, new_kind, new_validation, new_test, new_seed)
        now = view_set(choice, wanted_class, wanted_part, draw)
        widgets = split_widgets(open_sets.open_faces(choice["source"]), choice["split"])
        values = [now.chart, now.table, now.split, now.twins, now.gallery]
        return [choice, *widgets, *values]

    def on_changed(
        choice: dict[str, Any],
        new_kind: str | None,
        new_test: float,
        new_validation: float,
        new_seed: float | None,
    ) -> Any:
        """Asks for `on_split` where the controls say otherwise than the choice."""
        wanted = with_split(choice, new_kind, new_validation, new_test, new_seed)
        return gr.skip() if wanted == choice else time.monotonic()

    def on_filter(choice: dict[str, Any], wanted_class: str, wanted_part: str, draw: int) -> str:
        faces = open_sets.open_faces(choice["source"])
        split, _, _ = split_and_audit(faces, choice)
        return view.gallery(faces, split, wanted_class, wanted_part, draw)

    def on_again(choice: dict[str, Any], wanted_class: str, wanted_part: str) -> tuple[int, str]:
        draw = random.randrange(_LARGEST_SEED)
        return draw, on_filter(choice, wanted_class, wanted_part, draw)

    after_open = [shared.data_choice, notice, seed, *controls, *shown]
    reading = {"show_progress_on": chart, "api_visibility": "private", "concurrency_limit": 4}
    split_controls = [kind, test, validation, split_seed]
    on_page = keep_choice(settings, shared, [summary, chosen, *split_controls])
    first = on_page(
        on_first, shared.data_choice, [summary, gallery], show_progress="hidden",
        api_visibility="private", concurrency_limit=4,
    )  # fmt: skip
    read = first.then(on_read, shared.data_choice, notice, **reading)
    openings = [
        # `path`: it is to say what is shown, should another set have been shown meanwhile
        read.then(on_choose, [chosen, shared.data_choice, path], after_open, **reading),
        chosen.input(
            on_choose,
            [chosen, shared.data_choice, chosen],
            after_open,
            trigger_mode="always_last",
            **reading,
        ),
        gr.on(
            [open_path.click, path.submit],
            on_choose,
            [path, shared.data_choice, chosen],
            after_open,
            **reading,
        ),
        upload.upload(on_upload, [upload, shared.data_choice], [upload, *after_open], **reading),
    ]
    quick = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 8}
    resplit_shown = [test, validation, split_seed, chart, table, split_words, twins, gallery]
    splitting = {
        "fn": in_words(on_split),
        "inputs": [shared.data_choice, *split_controls, class_name, part, seed],
        "outputs": [shared.data_choice, *resplit_shown],
        "trigger_mode": "always_last",
        **quick,
    }
    gr.on([kind.input, validation.release, test.release, split_seed.input], **splitting)
    for opening in openings:  # the split may have been changed while the set was being read
        opening.then(on_changed, [shared.data_choice, *split_controls], resplit, **quick)
    resplit.change(**splitting)
    looked_at = [shared.data_choice, class_name, part]
    gr.on(
        [class_name.input, part.input],
        in_words(on_filter),
        [*looked_at, seed],
        gallery,
        trigger_mode="always_last",
        **quick,
    )
    again.click(in_words(on_again), looked_at, [seed, gallery], **quick)
