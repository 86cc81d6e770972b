"""What the Efficiency tab shows, read from the run folders. Knows no Gradio."""

from __future__ import annotations

import hashlib
import html
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.ceiling import Ceiling
from fer_core.comparison.costs.efficiency import (
    ScoredSet,
    efficiency_table,
    on_front,
    scored_sets,
)
from fer_core.comparison.costs.latency import latency_file
from fer_core.comparison.wording import whole_percent
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder, downloads_folder
from fer_core.runs.record import write_text
from fer_core.ui.experiments.ceiling_band import ceiling_on
from fer_core.ui.experiments.run_board import board_rows
from fer_core.ui.experiments.run_views import interval_text, read_config
from fer_core.ui.shared.settings import AppSettings

#: (what the choice says, column of the efficiency table)
COST_CHOICES = (
    ("GFLOPs", "gflops"),
    ("parameters", "parameters"),
    ("latency, one image", "latency_ms"),
    ("latency, batch of 32", "batch_latency_ms"),
)
NOTHING = (
    "**Nothing to weigh yet.** Go to the **Train** tab, choose the recipe *Quick look* and press "
    "*Start training*; when it is scored, its accuracy stands here beside its cost."
)
_HEADS = (
    ("model", ""),
    ("accuracy %", "of the best epoch by validation, on these test images"),
    ("95 % interval", ""),
    ("macro F1", ""),
    ("parameters", ""),
    ("GFLOPs", "one forward pass of one image; a multiply-add counts as two"),
    ("% per GFLOP", "accuracy in percent for one GFLOP, a multiply-add counted as two"),
    ("GFLOPs, fvcore", "the same pass as fvcore counts: a multiply-add is one"),
    ("% per GFLOP, fvcore", "the reference competition's efficiency"),
    ("ms, one image", "median, and between which values the middle half of the passes lay"),
    ("ms per image in 32", "median and middle half, a batch of 32 divided by 32"),
)


@dataclass(frozen=True)
class EfficiencyPage:
    """choices: (title, key) of the sets of test images; key: the one shown, None without any.

    table: the efficiency table with a column `front`. ceiling: of people on these images, or None.
    """

    choices: tuple[tuple[str, str], ...]
    key: str | None
    table: pd.DataFrame | None
    ceiling: Ceiling | None


def efficiency_stamp(settings: AppSettings) -> tuple[Any, ...]:
    """Changes when a run comes, goes or is scored, and when latency was measured."""
    try:
        measured = latency_file().stat().st_mtime_ns
    except OSError:
        measured = 0
    return (*sorted(board_rows(settings.runs_folder).items()), measured)


def groups_of(settings: AppSettings) -> list[ScoredSet]:
    """Every set of test images that runs and shipped checkpoints were scored on."""
    return scored_sets(settings.runs_folder, SHIPPED_CHECKPOINTS)


def find_group(groups: list[ScoredSet], key: object) -> ScoredSet | None:
    """The set of that key, else the first one."""
    return next((group for group in groups if group.key == key), groups[0] if groups else None)


def read_efficiency(settings: AppSettings, key: object, cost: str) -> EfficiencyPage:
    """Everything about one set of test images; the largest group where `key` names none."""
    groups = groups_of(settings)
    group = find_group(groups, key)
    if group is None:
        return EfficiencyPage((), None, None, None)
    table = efficiency_table(group)
    table["front"] = on_front(table, cost)
    choices = tuple(
        (f"{one.title} ({len(one.folders)} model{'s' * (len(one.folders) != 1)})", one.key)
        for one in groups
    )
    return EfficiencyPage(choices, group.key, table, group_ceiling(settings, group))


def group_ceiling(settings: AppSettings, group: ScoredSet) -> Ceiling | None:
    """How far people agree on these test images; None while that is not known."""
    folders = map(RunFolder, group.folders.values())
    folder = next((one for one in folders if read_config(one) is not None), None)
    return None if folder is None else ceiling_on(folder, settings.data_folder)


def note_html(page: EfficiencyPage, cost: str) -> str:
    """What the chart shows, and in one sentence what the band of the ceiling means."""
    if page.table is None:
        return ""
    unknown = int(page.table[cost].isna().sum())
    text = (
        "A model on the <b>Pareto front</b> (dotted line) is beaten by no other in accuracy and "
        "cost at once. Whiskers are 95 % intervals: where they overlap widely, the order may be "
        "chance."
    )
    if unknown:
        are = "model has" if unknown == 1 else "models have"
        text += f" {unknown} {are} no figure for this cost and cannot be drawn."
    found = page.ceiling
    if found is not None:
        all_ten, eight, six = (whole_percent(found.at_least[count]) for count in (10, 8, 6))
        text += (
            f"<br><b>The ceiling:</b> on {all_ten} of these {found.images:,} faces all ten FER+ "
            f"taggers chose the same expression, on {eight} at least eight and on {six} at least "
            "six did (the band between the last two), so on the rest people themselves see "
            "different expressions and no model can be right for everybody. The set's own label is "
            f"what most taggers chose on {whole_percent(found.plurality_is_label)}; a model that "
            "scores above that has learnt how this set was labelled."
        )
    return f"<p class='note'>{text}</p>"


def table_html(table: pd.DataFrame) -> str:
    """The models as a table, those on the front marked."""
    head = "".join(
        f'<th title="{html.escape(words, quote=True)}" style="white-space: normal">'
        f"{html.escape(name)}</th>"
        for name, words in _HEADS
    )
    rows = "".join(_row(row) for row in table.to_dict(orient="records"))
    return (
        f'<div class="plain-table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="note">◆ stands at models on the Pareto front of the chosen cost. Latency is the '
        "median of repeated forward passes on this machine, below it the middle half of them; "
        "compare models, not machines. The reference competition's efficiency is the accuracy in "
        "percent for one GFLOP <i>as fvcore counts</i>, with a multiply-add as one: twice the "
        "figure beside it.</p>"
    )


def _row(row: dict[str, Any]) -> str:
    mark = "◆" if row["front"] else ""
    cells = [
        f"<span style='display: inline-block; width: 1.2em'>{mark}</span>"
        + html.escape(str(row["name"])),
        _text(100 * row["accuracy"], ".1f"),
        interval_text((row["low"], row["high"])) or "–",
        _text(row["macro_f1"], ".3f"),
        _text(row["parameters"], ",.0f"),
        _text(row["gflops"], ",.4f"),
        _text(row["efficiency"], ",.0f"),
        _text(row["gflops_fvcore"], ",.4f"),
        _text(row["efficiency_fvcore"], ",.0f"),
        _spread(row, "latency"),
        _spread(row, "batch_latency"),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _text(value: float | None, form: str) -> str:
    return "–" if value is None or not math.isfinite(value) else format(value, form)


def _spread(row: dict[str, Any], name: str) -> str:
    low, middle, high = (row[f"{name}{end}_ms"] for end in ("_low", "", "_high"))
    if not np.isfinite(middle):
        return "–"
    return f"{middle:.2f}<br><small>{low:.2f}–{high:.2f}</small>"


def write_efficiency(table: pd.DataFrame) -> Path:
    """The table as a CSV file to download, without the owner's folders.

    Each table has a folder of its own: another visitor may look at other test images.
    """
    text = table.drop(columns="folder").to_csv(index=False)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = downloads_folder() / name / "efficiency.csv"
    path.parent.mkdir(exist_ok=True)
    write_text(path, text)
    return path
