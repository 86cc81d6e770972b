"""The Pareto front against brute force, groups of the same test images, and fair latencies."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_core.cli import main
from fer_core.comparison.costs import latency as latencies
from fer_core.comparison.costs.efficiency import (
    ScoredSet,
    efficiency_table,
    on_front,
    pareto_front,
    scored_sets,
)
from fer_core.comparison.costs.latency import (
    BATCH,
    LEAST_ROUNDS,
    WARM_UP,
    latency_rounds,
    measure_latency,
    stored_latency,
)
from fer_core.data.preprocess import Preprocessing
from fer_core.labels import FER2013_CLASSES
from fer_core.models import build_model, describe_model
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import CheckpointError, save_weights
from fer_core.runs.config import RunConfig
from fer_core.training.metrics import wilson_interval


def brute_force(costs: np.ndarray, accuracies: np.ndarray) -> np.ndarray:
    points = list(zip(costs, accuracies, strict=True))
    return np.array(
        [
            bool(np.isfinite(cost) and np.isfinite(accuracy))
            and not any(
                other <= cost and right >= accuracy and (other < cost or right > accuracy)
                for other, right in points
            )
            for cost, accuracy in points
        ]
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_front_is_that_of_brute_force(seed: int) -> None:
    """Few different values, so that ties in one and in both come often; some unknown."""
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 30))
    costs = random.integers(1, 6, count).astype(float)
    accuracies = random.integers(1, 6, count) / 10
    costs[random.random(count) < 0.1] = np.nan
    accuracies[random.random(count) < 0.1] = np.nan
    assert (pareto_front(costs, accuracies) == brute_force(costs, accuracies)).all()


def test_equal_models_are_on_the_front_together() -> None:
    assert pareto_front([1, 1, 1, 2], [0.5, 0.5, 0.4, 0.5]).tolist() == [True, True, False, False]
    assert pareto_front([], []).tolist() == []
    with pytest.raises(ValueError, match="one accuracy per cost"):
        pareto_front([1, 2], [0.5])


def write_run(
    folder: Path,
    accuracy: float,
    gflops: float = 0.02,
    fingerprint: str = "f1",
    images: int = 70,
    name: str = "faces",
    **settings: Any,
) -> Path:
    """A scored run folder; name: of its set; settings go into its config."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(RunConfig(**settings).to_json())
    correct = round(accuracy * images)
    support = [images // 7] * 7
    record = {
        "data": {"name": name, "fingerprint": fingerprint},
        "model": {"parameters": 1000, "gflops": gflops},
        "test": {
            "accuracy": correct / images,
            "interval": wilson_interval(correct, images),
            "macro_f1": accuracy,
            "n": images,
            "per_class": [
                {"class": name, "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": count}
                for name, count in zip(FER2013_CLASSES, support, strict=True)
            ],
        },
    }
    (folder / "record.json").write_text(json.dumps(record))
    return folder


def test_only_models_with_the_same_test_images_are_compared(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write_run(runs / "a", 0.5)
    write_run(runs / "b", 0.6)
    write_run(runs / "other-set", 0.9, fingerprint="f2")
    write_run(runs / "other-count", 0.9, images=140)
    write_run(runs / "drawn-1", 0.9, split="stratified", split_seed=1)
    write_run(runs / "drawn-2", 0.9, split="stratified", split_seed=2)
    write_run(tmp_path / "shipped" / "own", 0.7)
    (tmp_path / "shipped" / "own" / "weights.safetensors").touch()
    unscored = runs / "unscored"
    unscored.mkdir()
    (unscored / "config.json").write_text(RunConfig().to_json())
    groups = scored_sets(runs, tmp_path / "shipped")
    assert set(groups[0].folders) == {"a", "b", "shipped/own"}
    assert groups[0].title == "faces: 70 test images"
    alone = [set(group.folders) for group in groups[1:]]
    assert all(len(names) == 1 for names in alone)
    assert set().union(*alone) == {"other-set", "other-count", "drawn-1", "drawn-2"}
    assert any("seed 2" in group.title for group in groups)


def test_one_set_read_at_several_sizes_is_one_chart(tmp_path: Path) -> None:
    """What a larger picture costs and gains; its pixels have another fingerprint."""
    runs = tmp_path / "runs"
    write_run(runs / "small", 0.5)
    write_run(runs / "large", 0.6, fingerprint="f2", image_size=96)
    write_run(runs / "renamed", 0.4, name="copy")
    write_run(runs / "other", 0.9, fingerprint="f3", name="others", image_size=96)
    found = [set(group.folders) for group in scored_sets(runs, tmp_path / "none")]
    assert found == [{"small", "large", "renamed"}, {"other"}]
    write_run(runs / "changed", 0.7, fingerprint="f4", image_size=96)
    found = [set(group.folders) for group in scored_sets(runs, tmp_path / "none")]
    assert sorted(map(len, found)) == [1, 1, 1, 2]
    assert {"small", "renamed"} in found


def test_a_set_without_a_part_of_its_own_is_told_by_the_size_of_the_test(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for seed in (1, 2):
        folder = write_run(runs / f"seed-{seed}", 0.5, split_seed=seed)  # split "source"
        record = json.loads((folder / "record.json").read_text())
        record["data"]["counts"] = {"train": {"a": 252}, "validation": {"a": 28}, "test": {"a": 70}}
        (folder / "record.json").write_text(json.dumps(record))
    assert [len(group.folders) for group in scored_sets(runs, tmp_path)] == [1, 1]


def test_a_run_on_a_share_of_the_training_part_tells_whether_its_test_was_drawn(
    tmp_path: Path,
) -> None:
    """Its counts do not: a part of the training images is missing in them."""
    runs = tmp_path / "runs"
    for drawn in (True, False):
        for seed in (1, 2):
            place = runs / f"{drawn}-{seed}"
            folder = write_run(place, 0.5, split_seed=seed, fingerprint=f"f{drawn}")
            record = json.loads((folder / "record.json").read_text())
            counts = {"train": {"a": 126}, "validation": {"a": 28}, "test": {"a": 70}}
            record["data"] |= {"counts": counts, "test_drawn": drawn}
            (folder / "record.json").write_text(json.dumps(record))
    assert [len(group.folders) for group in scored_sets(runs, tmp_path)] == [2, 1, 1]


def test_efficiency_in_both_counts(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", 0.5, gflops=0.04)
    write_run(tmp_path / "runs" / "b", 0.6, gflops=0.02)
    table = efficiency_table(scored_sets(tmp_path / "runs", tmp_path)[0])
    assert table["name"].tolist() == ["b", "a"]
    assert table["efficiency"].tolist() == pytest.approx([60 / 0.02, 50 / 0.04])
    assert table["efficiency_fvcore"].tolist() == pytest.approx([60 / 0.01, 50 / 0.02])
    assert table["low"][0] < 0.6 < table["high"][0]
    assert table["latency_ms"].isna().all()
    assert on_front(table, "gflops").tolist() == [True, False]
    assert on_front(table, "latency_ms").tolist() == [False, False]
    with pytest.raises(ValueError, match="cost must be one of"):
        on_front(table, "folder")


def test_fvcore_counts_half(tmp_path: Path) -> None:
    """What "GFLOPs, fvcore" promises, for the two reference networks of known size."""
    fvcore = pytest.importorskip("fvcore.nn", reason="fvcore is not installed")
    for name in ("competition_baseline", "expressnet"):
        model = build_model(name, 7, 1, 48).eval()
        count = fvcore.FlopCountAnalysis(model, torch.zeros(1, 1, 48, 48))
        count.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        ours = describe_model(model, name, 1, 48).gflops
        assert ours / 2 == pytest.approx(count.total() / 1e9, rel=0.01)


class Clock:
    """A clock that stands still but for what `spend` adds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000


def test_latency_is_the_median_and_models_take_turns() -> None:
    clock, calls = Clock(), []
    durations = {"fast": [50, 50, 1, 9, 1, 1, 1], "slow": [50, 50, 4, 4, 4, 40, 4]}
    passes = {}
    for name, alone in durations.items():
        left = iter(alone)

        def forward(images: int, name: str = name, left: Any = left) -> None:
            calls.append((name, images))
            clock.spend(next(left) if images == 1 else 64)

        passes[name] = forward
    *_, found = latency_rounds(passes, rounds=5, clock=clock)
    assert found["fast"].one[1] == pytest.approx(1)  # neither the warm-up nor the outlier
    assert found["slow"].one == pytest.approx((4, 4, 4))
    assert found["fast"].batch[1] == pytest.approx(64 / BATCH)
    assert found["fast"].rounds == 5
    assert calls.count(("fast", 1)) == calls.count(("slow", BATCH)) == 5 + WARM_UP
    firsts = {calls[place][0] for place in range(0, len(calls), 4)}
    assert firsts == {"fast", "slow"}  # the rounds begin in turn


def test_measuring_ends_when_its_time_is_over_but_never_without_a_median() -> None:
    clock = Clock()
    found = list(latency_rounds({"a": lambda images: clock.spend(1000)}, 100, 3.0, clock))
    assert len(found) == LEAST_ROUNDS


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, Path]:
    folders = {}
    for name, widths in (("small", [4, 8, 8]), ("large", [16, 32, 48])):
        folder = tmp_path / name
        folder.mkdir()
        options = {"widths": widths}
        save_weights(
            RunFolder(folder).weights,
            build_model("expressnet_demo", 7, 1, 48, options).state_dict(),
            model_name="expressnet_demo",
            model_options=options,
            preprocessing=Preprocessing(),
            class_names=FER2013_CLASSES,
        )
        folders[name] = folder
    return folders


def test_a_measurement_is_kept_for_the_weights_it_was_made_of(weights: dict[str, Path]) -> None:
    (weights["small"].parent / "empty").mkdir()
    with_empty = {**weights, "empty": weights["small"].parent / "empty"}
    *_, (number, found) = measure_latency(with_empty, rounds=LEAST_ROUNDS)
    assert number == LEAST_ROUNDS
    assert set(found) == {"small", "large"}  # one without weights is left out
    file = RunFolder(weights["small"]).weights
    kept = stored_latency(file)
    assert kept == found["small"]
    assert 0 < kept.one[0] <= kept.one[1] <= kept.one[2]
    row = efficiency_table(ScoredSet("", "", 1, "", {"small": weights["small"]})).iloc[0]
    shown = [
        row[f"{kind}latency{end}_ms"] for kind in ("", "batch_") for end in ("_low", "", "_high")
    ]
    assert shown == [*kept.one, *kept.batch]
    file.write_bytes(file.read_bytes() + b"\0")  # other weights
    assert stored_latency(file) is None


def test_two_measurements_do_not_disturb_each_other(weights: dict[str, Path]) -> None:
    first = measure_latency(weights, rounds=1)
    next(first)
    with pytest.raises(CheckpointError, match="measured already"):
        next(measure_latency(weights, rounds=1))
    first.close()  # stopped by hand
    assert len(list(measure_latency(weights, rounds=1))) == 1


def test_nothing_to_measure_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no model to measure"):
        list(measure_latency({}))
    with pytest.raises(CheckpointError, match="no weights"):
        list(measure_latency({"gone": tmp_path / "gone"}))


def test_a_damaged_store_is_no_measurement(weights: dict[str, Path]) -> None:
    file = RunFolder(weights["small"]).weights
    key = latencies._key(file)
    latencies.latency_file().write_text(json.dumps({key: {"one": "fast"}}))
    assert stored_latency(file) is None
    assert dataclasses.asdict(latencies.Latency.unknown())["rounds"] == 0


def test_the_command_lines_its_columns_up_and_gives_intervals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "a-sweep-learning_rate-1e-3-batch_size-32-s0"
    write_run(tmp_path / "runs" / long, 0.5, fingerprint="here", name="here")
    write_run(tmp_path / "runs" / "short", 0.6, fingerprint="here", name="here")
    assert main(["efficiency", "--runs", str(tmp_path / "runs")]) == 0
    said = capsys.readouterr().out.splitlines()
    lines = [line for line in said if line[2:].startswith((long, "short"))]
    assert len({line.index(" parameters") for line in lines}) == 1
    low, high = wilson_interval(42, 70)
    assert f"60.00 % ({100 * low:.1f} to {100 * high:.1f} %)" in lines[0]
