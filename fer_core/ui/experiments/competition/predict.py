"""Make a submission: predict every face of a test file, look through them, download the CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from fer_core.comparison.competition.submission import predict_faces
from fer_core.data.faces import DataError
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.experiments.competition import page as content
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.checkpoint_choices import checkpoint_choices
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.progress import paced, stop_twice
from fer_core.ui.shared.refusals import in_words
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_ABOUT = (
    "A test file is a CSV with one face per row in a column <code>pixels</code> and no labels, "
    "such as FER2013's <code>test.csv</code>; any other set that can be read will do. The "
    "submission has the columns <code>id</code> (the row, counted from 0) and "
    "<code>emotion</code> (FER2013's number: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, "
    "5 surprise, 6 neutral)."
)
_PUBLIC = (
    f" This public page predicts files of up to {content.PUBLIC_ROWS} rows and "
    f"{content.PUBLIC_BYTES // 2**20} MB; your file "
    "is deleted within a minute after you close the page, its submission within a few hours."
)
_FIRST = "<p class='note'>Choose a file and press “Predict”: the faces appear here.</p>"


def build_predict_part(settings: AppSettings, shared: SharedState) -> None:
    """Components and events; call inside a `gr.Tab`."""
    loaded = LoadedCheckpoints(settings.runs_folder)
    kept = content.PredictedFiles()
    token, page = gr.State(""), gr.State(1)
    gr.HTML(f"<p class='note'>{_ABOUT}{_PUBLIC if settings.public else ''}</p>")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            checkpoint = gr.Dropdown(
                label="Checkpoint",
                elem_id="submit-checkpoint",
                **checkpoint_choices(loaded, None),
            )
            source = gr.Dropdown(
                _sources(settings),
                value=None,
                label="A set of the list …",
                info="The built-in set, and whatever lies in the data folder."
                if not settings.public
                else "The built-in set; its first faces are predicted.",
                elem_id="submit-source",
            )
        upload = gr.File(
            # Gradio lays a label of two lines over the place to drop a file
            label="… or your CSV, zip or parquet"
            if not settings.public
            else "… or a CSV of your own",
            file_types=list(open_sets.UPLOAD_KINDS) if not settings.public else [".csv"],
            height=170,
            scale=2,
            min_width=280,
            elem_id="submit-upload",
        )
    with gr.Row():
        start = gr.Button("Predict", variant="primary", elem_id="submit-start")
        stop = gr.Button("Stop", interactive=False, elem_id="submit-stop")
    status = gr.HTML(_FIRST, elem_id="submit-status", js_on_load=None)
    with gr.Column(visible=False) as result:
        with gr.Row(elem_classes="bottom-row"):
            label = gr.Dropdown(
                [content.ANY_LABEL],
                value=content.ANY_LABEL,
                label="Predicted expression",
                allow_custom_value=True,
                min_width=160,
                elem_id="submit-label",
            )
            order = gr.Radio(
                list(content.ORDERS),
                value=content.FILE_ORDER,
                label="Order",
                min_width=280,
                elem_id="submit-order",
            )
        grid = gr.HTML(elem_id="submit-grid", min_height=340, js_on_load=None)
        words = gr.HTML(elem_id="submit-words", js_on_load=None)
        with gr.Row():
            before = gr.Button("Earlier faces", size="sm", elem_id="submit-before")
            after = gr.Button("Further faces", size="sm", elem_id="submit-after")
        gr.Markdown("## The submission")
        with gr.Row(elem_classes="bottom-row"):
            names = gr.Checkbox(label="a column with names", min_width=160, elem_id="submit-names")
            shares = gr.Checkbox(
                label="columns with probabilities", min_width=160, elem_id="submit-shares"
            )
            download = gr.DownloadButton(
                "Download the submission CSV", variant="primary", elem_id="submit-download"
            )

    def on_start(
        name: str | None, wanted: str | None, file: str | None, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        visitor = request.session_hash
        shared.uploads.hold(visitor, file, "submission")
        yield from _predict(settings, loaded, kept, name, wanted, file, visitor)

    def on_upload(file: str | None, request: gr.Request) -> None:
        """Known as this visitor's from now on, so that it goes also when nothing is predicted."""
        shared.uploads.hold(request.session_hash, file, "submission")

    def on_page(
        key: str, wanted: str, how: str, number: int, step: int = 0
    ) -> tuple[str, str, int, Any, Any]:
        html, text, shown, pages = content.page_grid(kept.find(key), wanted, how, number + step)
        return (
            html,
            f"<p class='note'>{content.escaped(text)}</p>",
            shown,
            gr.update(interactive=shown > 1),
            gr.update(interactive=shown < pages),
        )

    def on_columns(key: str, with_names: bool, with_shares: bool) -> str:
        return str(content.write_submission(kept.find(key), with_names, with_shares))

    def on_leave(request: gr.Request) -> None:
        kept.leave(request.session_hash)

    def on_open(chosen: str | None, wanted: str | None) -> tuple[Any, Any]:
        return gr.Dropdown(**checkpoint_choices(loaded, chosen)), _source_update(settings, wanted)

    looks = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}
    grid_outputs = [grid, words, page, before, after]
    running = start.click(
        on_start,
        [checkpoint, source, upload],
        [status, start, stop, result, token, label],
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=2,
    )
    stopped = lambda: ("Stopped; nothing was kept.", *_buttons(False))  # noqa: E731
    stop_twice(stop, running, fn=stopped, outputs=[status, start, stop], **looks)
    first = lambda key, wanted, how: on_page(key, wanted, how, 1)  # noqa: E731
    shown = [token, label, order]
    token.change(in_words(first), shown, grid_outputs, **looks)
    token.change(in_words(on_columns), [token, names, shares], download, **looks)
    # what is chosen or ticked while an answer is under way counts, too
    last = {"trigger_mode": "always_last", **looks}
    gr.on([label.input, order.input], in_words(first), shown, grid_outputs, **last)
    before.click(
        in_words(lambda *now: on_page(*now, step=-1)), [*shown, page], grid_outputs, **looks
    )
    after.click(in_words(lambda *now: on_page(*now, step=1)), [*shown, page], grid_outputs, **looks)
    gr.on(
        [names.input, shares.input], in_words(on_columns), [token, names, shares], download, **last
    )
    upload.upload(on_upload, upload, source, **looks)
    source.input(lambda: None, None, upload, **looks)  # one of the two; the later choice counts
    lists = {"inputs": [checkpoint, source], "outputs": [checkpoint, source], **looks}
    shared.page.load(on_open, **lists)
    shared.tabs.select(on_open, **lists)
    shared.data_choice.change(on_open, **lists)
    shared.page.unload(on_leave)


def _predict(
    settings: AppSettings,
    loaded: LoadedCheckpoints,
    kept: content.PredictedFiles,
    name: str | None,
    source: str | None,
    file: str | None,
    visitor: str | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Status, both buttons, the column of results, the token and the list of labels."""
    quiet = (gr.skip(), gr.skip(), gr.skip())
    # the faces of the file before would stand there without its name
    yield ("Reading the faces …", *_buttons(True), gr.update(visible=False), *quiet[1:])
    try:
        entry = loaded.entry(name)
        checkpoint = loaded.predictor(entry).checkpoint
        size = checkpoint.preprocessing.image_size
        faces = content.faces_to_predict(settings, source, file, size)
        found = None
        for done, latest in paced(predict_faces(checkpoint, faces)):
            found = latest
            yield (_progress(done, len(faces)), *_buttons(True), *quiet)
    except (DataError, CheckpointError, OSError) as error:
        text = f"<p><b>That could not be predicted.</b> {content.escaped(error)}</p>"
        yield (text, *_buttons(False), *quiet)
        return
    assert found is not None  # the last batch brings it
    shown_name = entry.name.removeprefix("run:")
    key = kept.keep(faces, found, shown_name, visitor)
    choices = [content.ANY_LABEL, *found.class_names]
    yield (
        content.summary_text(kept.find(key)),
        *_buttons(False),
        gr.update(visible=True),
        key,
        gr.update(choices=choices, value=content.ANY_LABEL),
    )


def _progress(done: int, total: int) -> str:
    share = 100 * done / max(1, total)
    return (
        f"<p>{done:,} of {total:,} faces</p><progress max='100' value='{share:.0f}' "
        "style='width: 100%; accent-color: var(--color-accent)' "
        "aria-label='share of the faces predicted'></progress>"
    )


def _buttons(running: bool) -> tuple[Any, Any]:
    return gr.update(interactive=not running), gr.update(interactive=running)


def _sources(settings: AppSettings) -> list[tuple[str, str]]:
    return [(entry.name, entry.source) for entry in open_sets.sources(settings)]


def _source_update(settings: AppSettings, chosen: str | None) -> Any:
    offered = _sources(settings)
    if chosen is None or chosen in {source for _, source in offered}:
        return gr.update(choices=offered)
    return gr.update(choices=offered, value=None)
