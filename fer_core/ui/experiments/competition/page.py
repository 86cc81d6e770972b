"""Predictions of whole files and the competition board, as the page shows them. Knows no Gradio."""

from __future__ import annotations

import html
import math
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fer_core.comparison.competition.ranking import Entrant
from fer_core.comparison.competition.submission import (
    Predictions,
    read_small_csv,
    submission_table,
)
from fer_core.comparison.wording import whole_percent
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.labels import colour
from fer_core.paths import downloads_folder, replaced
from fer_core.ui.experiments.run_views import interval_text
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.face_grid import GridFace, face_grid
from fer_core.ui.shared.settings import AppSettings

#: Faces of one page of the grid.
PAGE = 48
#: What strangers may have predicted: rows and bytes of a csv.
PUBLIC_ROWS, PUBLIC_BYTES = 500, 6 * 2**20
ANY_LABEL = "all expressions"
FILE_ORDER, SUREST, LEAST_SURE = "file", "surest", "least sure"
ORDERS = (
    ("as in the file", FILE_ORDER),
    ("surest first", SUREST),
    ("least sure first", LEAST_SURE),
)
#: Place of the file's name in a row of the ranking.
_NAME_COLUMN = 1
#: Results kept for the visitors of this process; the one looked at longest ago goes first.
_MOST_KEPT = 12
GONE = "These predictions are no longer kept; press “Predict” again."


@dataclass(frozen=True)
class PredictedFile:
    """faces and what a checkpoint said of them. folder: where its download is written. visitor: the
    page that asked, "" where it is not known."""

    faces: Faces
    predictions: Predictions
    checkpoint: str
    folder: Path = field(compare=False)
    visitor: str = ""


class PredictedFiles:
    """The last predictions by a token that cannot be guessed; safe to call from many threads."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._kept: OrderedDict[str, PredictedFile] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def keep(
        self, faces: Faces, predictions: Predictions, checkpoint: str, visitor: str | None = None
    ) -> str:
        """Keep a result; returns its token. The visitor's earlier one goes: a page shows one."""
        self.leave(visitor)
        token = secrets.token_hex(16)
        folder = downloads_folder() / token
        with self._lock:
            self._kept[token] = PredictedFile(faces, predictions, checkpoint, folder, visitor or "")
            while len(self._kept) > self._most:
                _, old = self._kept.popitem(last=False)
                shutil.rmtree(old.folder, ignore_errors=True)
        return token

    def leave(self, visitor: str | None) -> None:
        """The visitor's page is closed: what was predicted for it goes, its download too."""
        with self._lock:
            gone = [key for key, one in self._kept.items() if visitor and one.visitor == visitor]
            for key in gone:
                shutil.rmtree(self._kept.pop(key).folder, ignore_errors=True)

    def find(self, token: object) -> PredictedFile:
        """The result of that token. DataError when it is no longer kept."""
        with self._lock:
            found = self._kept.get(token) if isinstance(token, str) else None
            if found is None:
                raise DataError(GONE)
            self._kept.move_to_end(token)  # type: ignore[arg-type]
        return found


def faces_to_predict(
    settings: AppSettings,
    source: str | None,
    upload: str | Path | None,
    image_size: int,
    progress: open_sets.Progress | None = None,
) -> Faces:
    """The faces of an upload, or without one of a set of the list; DataError in a sentence.

    On a public page a csv of bounded size that is kept in memory only, or the built-in set's first
    faces.
    """
    if upload is not None:
        path = Path(upload)
        if not settings.public:
            return read_faces(path, image_size=image_size, progress=progress)
        size = path.stat().st_size
        if size > PUBLIC_BYTES:
            raise DataError(
                f"{path.name} has {size / 2**20:.0f} MB; this page takes files of up to "
                f"{PUBLIC_BYTES / 2**20:.0f} MB. Run the app on your own computer for larger ones."
            )
        return read_small_csv(path.name, path.read_bytes(), PUBLIC_ROWS)
    if not source:
        raise DataError("No file was given. Choose a set of the list or upload a test.csv.")
    allowed = open_sets.allowed_source(source, settings)
    if settings.public:
        faces = open_sets.open_faces(allowed, progress)
        return faces.subset(slice(0, PUBLIC_ROWS))
    return read_faces(allowed, image_size=image_size, progress=progress)


def summary_text(result: PredictedFile) -> str:
    """How many faces were predicted as what, as a line of HTML."""
    labels, names = result.predictions.labels, result.predictions.class_names
    counts = np.bincount(labels, minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    parts = [
        f"<span class='swatch' style='background:{colour(names[place])}'></span>"
        f"{html.escape(names[place])}\u00a0{counts[place]:,}"
        for place in order
    ]
    text = f"<b>{len(labels):,} faces</b> of {html.escape(result.faces.name)}, predicted by "
    text += f"{html.escape(result.checkpoint)}: {' · '.join(parts)}."
    unread = result.faces.unreadable
    if unread:
        first = f"{unread[0].where}: {unread[0].reason}"
        text += (
            f" <b>Rows that could not be read</b> and are not in the file: {len(unread):,} "
            f"(the first, {html.escape(first)})."
        )
    return f"<p>{text}</p>"


def shown_places(
    predictions: Predictions, label: str = ANY_LABEL, order: str = FILE_ORDER
) -> np.ndarray:
    """int64 (M,): the faces predicted as `label` in the wanted order, as places in the file."""
    places = np.arange(len(predictions))
    if label in predictions.class_names:
        places = places[predictions.labels == predictions.class_names.index(label)]
    if order == FILE_ORDER:
        return places
    sure = predictions.confidences[places]
    return places[np.argsort(sure if order == LEAST_SURE else -sure, kind="stable")]


def page_grid(
    result: PredictedFile, label: str, order: str, number: int
) -> tuple[str, str, int, int]:
    """(HTML of the grid, words on which faces these are, page shown from 1, pages)."""
    places = shown_places(result.predictions, label, order)
    pages = max(1, math.ceil(len(places) / PAGE))
    number = min(max(1, number), pages)
    here = places[PAGE * (number - 1) : PAGE * number]
    predictions, names = result.predictions, result.predictions.class_names
    faces = []
    for place in here:
        name, sure = names[predictions.labels[place]], predictions.confidences[place]
        own_id = str(predictions.ids[place])
        number_text = f"row {own_id}" if own_id.isdecimal() else own_id
        faces.append(
            GridFace(
                np.asarray(result.faces.images[place]),
                name,
                f"{whole_percent(sure)}\u00a0· {number_text}",
                colour(name),
                f"face {number_text}, predicted {name} with {whole_percent(sure)}",
            )
        )
    first = PAGE * (number - 1) + 1
    words = f"Faces {first:,} to {first + len(here) - 1:,} of {len(places):,}"
    if not len(here):
        words = "No face"
    what = "" if label == ANY_LABEL else f" predicted as {label}"
    return (
        face_grid(faces, "No face was predicted as this expression."),
        f"{words}{what}, page {number:,} of {pages:,}.",
        number,
        pages,
    )


def write_submission(result: PredictedFile, names: bool, probabilities: bool) -> Path:
    """The submission as a file to download."""
    result.folder.mkdir(parents=True, exist_ok=True)
    path = result.folder / "submission.csv"
    with replaced(path) as scratch:
        submission_table(result.predictions, names, probabilities).to_csv(scratch, index=False)
    return path


def board_html(entrants: Sequence[Entrant], solution: str, images: int) -> str:
    """The competition's table; faulty files stand below with their sentence."""
    if not entrants:
        return (
            "<p class='note'>Upload one or more files of predictions; their places appear here.</p>"
        )
    ranked = [one for one in entrants if not one.fault]
    faulty = [one for one in entrants if one.fault]
    text = ""
    if ranked:
        heads = (
            *("place", "file", "accuracy %", "95 % interval", "macro F1", "GFLOPs"),
            *("% per GFLOP", "efficiency place", "overall place"),
        )
        head = "".join(_cell("th", place, name) for place, name in enumerate(heads))
        rows = "".join(map(_ranked_row, ranked))
        text += (
            f'<div class="plain-table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
            f"</table></div><p class='note'>Scored on the {images:,} hidden labels of "
            f"{html.escape(solution)}. Where two intervals overlap, the order of the two may be "
            "chance. Efficiency is the accuracy in percent for one GFLOP of a forward pass; "
            "overall goes by the sum of both places, equal sums by accuracy.</p>"
        )
    if faulty:
        rows = "".join(
            f"<tr><td>{html.escape(one.name)}</td><td>{html.escape(one.fault)}</td></tr>"
            for one in faulty
        )
        text += (
            "<p><b>Not scored</b></p><div class='plain-table texts'><table><thead><tr><th>file</th>"
            f"<th>what is wrong with it</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    return text


def _ranked_row(one: Entrant) -> str:
    cells = (
        f"{one.rank}",
        html.escape(one.name),
        f"{100 * (one.accuracy or 0):.2f}",
        interval_text(one.interval),
        f"{one.macro_f1:.4f}",
        "–" if one.gflops is None else f"{one.gflops:,.4g}",
        "–" if one.efficiency is None else f"{one.efficiency:,.1f}",
        f"{one.efficiency_rank or '–'}",
        f"{one.overall_rank or '–'}",
    )
    return f"<tr>{''.join(_cell('td', place, text) for place, text in enumerate(cells))}</tr>"


def _cell(tag: str, place: int, text: str) -> str:
    """One cell of the ranking; names of files stand left, figures right."""
    look = " style='text-align:left'" if place == _NAME_COLUMN else ""
    return f"<{tag}{look}>{text}</{tag}>"


def escaped(text: object) -> str:
    """Any text for HTML."""
    return html.escape(str(text), quote=True)
