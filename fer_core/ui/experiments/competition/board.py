"""Rank submissions: uploaded files of predictions against labels that stay hidden."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from fer_core.comparison.competition.prediction_files import MOST_BYTES
from fer_core.comparison.competition.ranking import (
    MOST_FILES,
    Entrant,
    Solution,
    rank_entrants,
    read_solution,
    score_file,
    solution_of_faces,
)
from fer_core.comparison.wording import counted
from fer_core.data.faces import DataError
from fer_core.ui.experiments.competition.page import board_html, escaped
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import SharedState

_PARTS = (
    ("test part, numbered from 0", "test"),
    ("validation and test part, numbered from 0", "held_out"),
    ("validation part, numbered from 0", "validation"),
    ("all of it, by its own rows", "all"),
)
_ABOUT = (
    "The host chooses the hidden labels; each file of predictions is then scored against them. "
    "A file has the columns <code>id</code> and <code>emotion</code>, with FER2013's numbers or "
    "names of expressions, and may have a column <code>gflops</code>. The labels stay on the "
    "computer that serves this page: they are not shown and cannot be downloaded."
)
_HEADERS = ["file", "GFLOPs"]
_NO_LABELS = (
    "<p class='note'>Choose the hidden labels first: a labelled set of the list, or a solution "
    "file. FER2013's <code>test.csv</code> is its validation and test part.</p>"
)


def build_board_part(settings: AppSettings, shared: SharedState) -> None:
    """Components and events; call inside a `gr.Tab`."""
    solution = gr.State(None)  # stays on the server
    gr.HTML(f"<p class='note'>{_ABOUT}</p>")
    gr.Markdown("## Hidden labels")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            source = gr.Dropdown(
                _sources(settings),
                value=None,
                label="A labelled set of the list …",
                elem_id="solution-source",
            )
            part = gr.Dropdown(
                list(_PARTS),
                value="held_out",
                label="Which part of it",
                info="Numbered from 0 in the set's own order, as in a test.csv cut from it.",
                elem_id="solution-part",
            )
        upload = gr.File(
            label="… or a solution file (CSV)",
            height=170,
            scale=2,
            min_width=280,
            elem_id="solution-upload",
        )
    about = gr.HTML(_NO_LABELS, elem_id="solution-about", js_on_load=None)
    gr.Markdown("## Files of predictions")
    with gr.Row():
        files = gr.File(
            label=f"CSV files, up to {MOST_FILES}",
            file_count="multiple",
            height=220,
            scale=3,
            min_width=300,
            elem_id="entries-upload",
        )
        costs = gr.Dataframe(
            headers=_HEADERS,
            datatype=["str", "number"],
            value=[],
            visible=False,
            label="GFLOPs of one forward pass, if known: all counted the same way",
            interactive=True,
            static_columns=[0],
            max_height=220,
            elem_id="entries-gflops",
        )
    board = gr.HTML(board_html([], "", 0), elem_id="competition-board", js_on_load=None)

    work = {"show_progress_on": board, "api_visibility": "private", "concurrency_limit": 2}
    shown = [solution, files, costs]

    def on_source(name: str | None, wanted: str | None) -> tuple[Any, Any]:
        if not name:  # a part of no set: an uploaded solution stays as it is
            return gr.skip(), gr.skip()
        return _chosen_labels(settings, name, wanted)

    def on_solution(path: str | None, request: gr.Request) -> tuple[None, None, Any, str]:
        shared.uploads.hold(request.session_hash, path, "solution")
        try:
            found, text = _uploaded_labels(path)
        finally:
            shared.uploads.release(request.session_hash, path, "solution")
        return None, None, found, text

    def on_files(
        hidden: Solution | None, paths: list[str] | None, table: Any, request: gr.Request
    ) -> tuple[Any, str]:
        for path in paths or []:
            shared.uploads.hold(request.session_hash, path, "entry")
        named = unique_names(paths or [])
        known = gflops_of(table)
        rows = [[name, known.get(name)] for name in named]
        return gr.update(value=rows, visible=bool(rows)), scored_html(
            hidden, named, known, len(paths or [])
        )

    def on_costs(hidden: Solution | None, paths: list[str] | None, table: Any) -> str:
        return scored_html(hidden, unique_names(paths or []), gflops_of(table), len(paths or []))

    def on_open(chosen: str | None) -> Any:
        offered = _sources(settings)
        gone = chosen is not None and chosen not in {one for _, one in offered}
        return gr.update(choices=offered, **({"value": None} if gone else {}))

    chosen = gr.on(
        [source.input, part.input],
        on_source,
        [source, part],
        [solution, about],
        trigger_mode="always_last",
        show_progress_on=about,
        api_visibility="private",
        concurrency_limit=2,
    )
    chosen.then(on_costs, shown, board, **work)
    upload.upload(
        on_solution, upload, [upload, source, solution, about], api_visibility="private"
    ).then(on_costs, shown, board, **work)
    files.change(on_files, shown, [costs, board], **work)
    costs.input(on_costs, shown, board, trigger_mode="always_last", **work)
    quiet = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}
    shared.page.load(on_open, source, source, **quiet)
    shared.tabs.select(on_open, source, source, **quiet)


def scored_html(
    hidden: Solution | None, named: dict[str, Path], gflops: dict[str, Any], uploaded: int = 0
) -> str:
    """The board of these files, or what is still to do. uploaded: how many files arrived."""
    left = uploaded - len(named)
    beyond = f"Left out: {counted(left, 'file')} beyond the first {MOST_FILES}."
    too_many = beyond if left > 0 else ""
    if hidden is None:
        what = "The files are ranked as soon as the hidden labels are chosen." if named else ""
        return f"<p class='note'>{what}</p>" if what else board_html([], "", 0)
    entrants = [_scored(name, path, hidden, gflops.get(name)) for name, path in named.items()]
    board = board_html(rank_entrants(entrants), hidden.name, len(hidden))
    return f"<p class='note'>{too_many}</p>{board}" if too_many else board


def _scored(name: str, path: Path, hidden: Solution, gflops: Any) -> Entrant:
    if isinstance(gflops, str):
        return Entrant(name, fault=f"GFLOPs must be a number, got {gflops[:20]!r}.")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        return Entrant(name, fault="The upload is no longer kept; upload the file again.")
    return score_file(name, content, hidden, gflops)


def unique_names(paths: Sequence[str]) -> dict[str, Path]:
    """Uploaded files by their names, the second "a.csv" as "a.csv (2)"; at most `MOST_FILES`."""
    named: dict[str, Path] = {}
    for path in map(Path, paths[:MOST_FILES]):
        name, number = path.name, 2
        while name in named:
            name, number = f"{path.name} ({number})", number + 1
        named[name] = path
    return named


def gflops_of(table: Any) -> dict[str, float | str]:
    """File → GFLOPs out of the edited table; a text that is no number stays a text."""
    found: dict[str, float | str] = {}
    rows = table.to_numpy(dtype=object).tolist() if table is not None else []
    for name, value in (row[:2] for row in rows if len(row) >= 2):
        if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
            continue
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            found[str(name)] = str(value)
    return found


def _chosen_labels(
    settings: AppSettings, source: str | None, part: str | None
) -> tuple[Solution | None, str]:
    if not source:
        return None, _NO_LABELS
    try:
        faces = open_sets.open_faces(open_sets.allowed_source(source, settings))
        found = solution_of_faces(faces, part or "held_out")
    except DataError as error:
        return None, _refused(error)
    return found, _accepted(found)


def _uploaded_labels(path: str | None) -> tuple[Solution | None, str]:
    """The solution of an upload."""
    if path is None:
        return None, _NO_LABELS
    file = Path(path)
    try:
        with file.open("rb") as opened:
            found = read_solution(file.name, opened.read(MOST_BYTES + 1))
    except (DataError, OSError) as error:
        return None, _refused(error)
    return found, _accepted(found)


def _accepted(found: Solution) -> str:
    return (
        f"<p><b>{len(found):,} hidden labels</b> of {escaped(found.name)} are ready, with the ids "
        f"{escaped(found.ids[0])} to {escaped(found.ids[-1])}.</p>"
    )


def _refused(error: Exception) -> str:
    return f"<p><b>No hidden labels yet.</b> {escaped(error)}</p>"


def _sources(settings: AppSettings) -> list[tuple[str, str]]:
    return [(entry.name, entry.source) for entry in open_sets.sources(settings)]
