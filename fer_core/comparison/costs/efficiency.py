"""What accuracy costs: runs scored on the same test images, with parameters, GFLOPs and latency.

Enters: the leaderboard and measured latencies. Leaves: one table per test set, its Pareto front.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.comparison.costs.latency import Latency, stored_latency
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.leaderboard import leaderboard
from fer_core.runs.record import read_json, read_record

#: What accuracy may be set against: column of the table → words for an axis.
COSTS = {
    "gflops": "GFLOPs of one forward pass (a multiply-add counts as two)",
    "parameters": "parameters",
    "latency_ms": "milliseconds for one image",
    "batch_latency_ms": "milliseconds per image in a batch of 32",
}
COLUMNS = (
    "name",
    "accuracy",
    "low",
    "high",
    "macro_f1",
    "parameters",
    "gflops",
    "gflops_fvcore",
    "efficiency",
    "efficiency_fvcore",
    "latency_ms",
    "latency_low_ms",
    "latency_high_ms",
    "batch_latency_ms",
    "batch_latency_low_ms",
    "batch_latency_high_ms",
    "folder",
)


@dataclass(frozen=True)
class ScoredSet:
    """The test images that some models were scored on, so that their accuracies compare.

    key: the same for the same images. data: the set's name. images: how many test images.
    drawn: how the test part was chosen, "" for the set's own. folders: by model name.
    """

    key: str
    data: str
    images: int
    drawn: str
    folders: dict[str, Path]

    @property
    def title(self) -> str:
        how = f", {self.drawn}" if self.drawn else ""
        return f"{self.data}: {self.images:,} test images{how}"


def pareto_front(costs: Sequence[float], accuracies: Sequence[float]) -> np.ndarray:
    """bool (N,): which models no other one beats in cost and accuracy at once.

    A model is beaten by one that costs no more and is no less accurate, and better in one of the
    two. Models equal in both are on the front together. An unknown (NaN) cost or accuracy is
    neither on the front nor beats anyone.
    """
    cost = np.asarray(costs, dtype=float)
    accuracy = np.asarray(accuracies, dtype=float)
    if cost.shape != accuracy.shape or cost.ndim != 1:
        raise ValueError(f"one accuracy per cost is needed, got {accuracy.shape} and {cost.shape}")
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(accuracy))
    front = np.zeros(len(cost), dtype=bool)
    best_of_cheaper = -np.inf
    for value in np.unique(cost[known]):  # ascending
        equal = known[cost[known] == value]
        top = accuracy[equal].max()
        if top > best_of_cheaper:
            front[equal[accuracy[equal] == top]] = True
            best_of_cheaper = top
    return front


def scored_sets(runs_folder: Path, shipped: Path = SHIPPED_CHECKPOINTS) -> list[ScoredSet]:
    """Every group of scored models with the same test images, the largest group first.

    Test images are the same when the sets have one fingerprint (pixels, labels and classes), the
    test parts hold equally many images of each class, and a drawn part was drawn with the same
    seed and shares. Read at other sizes in pixels one set has other fingerprints: all of that name
    are one group, as long as at no size there are two.
    """
    names: dict[str, str] = {}  # fingerprint → what the first model calls the set
    scored = []
    for found in _scored(leaderboard(runs_folder, shipped)):
        one = _Scored.read(*found)
        scored.append(replace(one, data=names.setdefault(one.fingerprint or one.data, one.data)))
    prints: dict[tuple[Any, ...], dict[Any, set[str]]] = {}
    for one in scored:
        prints.setdefault(one.part, {}).setdefault(one.image_size, set()).add(one.fingerprint)
    groups: dict[str, ScoredSet] = {}
    for one in scored:
        unclear = any(len(found) > 1 for found in prints[one.part].values())
        key = repr((*one.part, one.fingerprint) if unclear else one.part)
        if key not in groups:
            groups[key] = ScoredSet(key, one.data, one.images, one.drawn, {})
        groups[key].folders[one.name] = one.folder
    return sorted(groups.values(), key=lambda group: -len(group.folders))


@dataclass(frozen=True)
class _Scored:
    """A scored model and what tells on which images. classes: (name, test images) of each."""

    name: str
    folder: Path
    data: str
    images: int
    drawn: str
    classes: tuple[tuple[Any, Any], ...]
    fingerprint: str
    image_size: str

    @classmethod
    def read(cls, name: str, folder: Path) -> _Scored:
        record, config = read_record(RunFolder(folder)), read_json(RunFolder(folder).config) or {}
        data, test = (record or {}).get("data") or {}, (record or {}).get("test") or {}
        rows = test.get("per_class") or ()
        return cls(
            name=name,
            folder=folder,
            data=str(data.get("name") or config.get("data") or "unknown data"),
            images=int(test.get("n") or 0),
            drawn=_how_drawn(config, data),
            classes=tuple((row.get("class"), row.get("support")) for row in rows),
            fingerprint=str(data.get("fingerprint") or ""),
            image_size=str(config.get("image_size")),
        )

    @property
    def part(self) -> tuple[Any, ...]:
        """Alike for the same test images, whatever their size in pixels."""
        return self.data, self.images, self.classes, self.drawn


def _scored(board: pd.DataFrame) -> list[tuple[str, Path]]:
    """Name on the page and folder of all that have a test accuracy, the best first."""
    scored = board[board["test_accuracy"].notna()]
    names = [
        f"shipped/{name}" if kind == "shipped" else str(name)
        for kind, name in zip(scored["kind"], scored["name"], strict=True)
    ]
    return list(zip(names, map(Path, scored["folder"]), strict=True))


def _how_drawn(config: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """How the test part was drawn, "" where the set came with one.

    A set without a part of its own is drawn from also with split "source"; the run says so, and
    that of an older one is told by its size.
    """
    share = config.get("test_share")
    share = float(share) if isinstance(share, int | float) and 0 <= share <= 1 else 0.0
    sizes = {part: sum(found.values()) for part, found in (data.get("counts") or {}).items()}
    drawn = data.get("test_drawn")
    if drawn is None:  # a run from before this was written down
        drawn = share and sizes.get("test") == math.ceil(share * sum(sizes.values()))
    if config.get("split") != "stratified" and not drawn:
        return ""
    return f"a stratified {share:.0%} drawn with seed {config.get('split_seed')}"


def efficiency_table(group: ScoredSet) -> pd.DataFrame:
    """One row per model of the group, the most accurate first, with `COLUMNS`.

    accuracy, low, high: fractions, the 95 % interval's ends. gflops: a multiply-add counts as two;
    gflops_fvcore: half of it, as fvcore counts. efficiency, efficiency_fvcore: accuracy in percent
    for one such GFLOP; the latter is the efficiency of the reference competition. Latencies in
    milliseconds, median and quartiles of repeated passes on this machine, NaN where not measured.
    """
    rows = [_row(name, RunFolder(folder)) for name, folder in group.folders.items()]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("accuracy", ascending=False, kind="stable").reset_index(drop=True)


def _row(name: str, folder: RunFolder) -> dict[str, Any]:
    record = read_record(folder) or {}
    test, model = record.get("test") or {}, record.get("model") or {}
    accuracy = float(test.get("accuracy", np.nan))
    low, high = test.get("interval") or (np.nan, np.nan)
    gflops = float(model.get("gflops") or np.nan)
    latency = stored_latency(folder.weights) or Latency.unknown()
    return {
        "name": name,
        "accuracy": accuracy,
        "low": low,
        "high": high,
        "macro_f1": test.get("macro_f1", np.nan),
        "parameters": float(model.get("parameters") or np.nan),
        "gflops": gflops,
        "gflops_fvcore": gflops / 2,
        "efficiency": 100 * accuracy / gflops,
        "efficiency_fvcore": 100 * accuracy / (gflops / 2),
        "latency_ms": latency.one[1],
        "latency_low_ms": latency.one[0],
        "latency_high_ms": latency.one[2],
        "batch_latency_ms": latency.batch[1],
        "batch_latency_low_ms": latency.batch[0],
        "batch_latency_high_ms": latency.batch[2],
        "folder": str(folder.path),
    }


def on_front(table: pd.DataFrame, cost: str) -> np.ndarray:
    """bool (N,): the rows of an efficiency table on the front of that cost, a key of `COSTS`."""
    if cost not in COSTS:
        raise ValueError(f"cost must be one of {', '.join(COSTS)}, got {cost!r}")
    return pareto_front(table[cost].to_numpy(), table["accuracy"].to_numpy())
