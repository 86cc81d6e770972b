"""Fine-tuning on a slice of another set: its plan, before and after, the old domain, commands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tuned_world import EACH, World

from fer_core.cli import main
from fer_core.comparison.domains import words
from fer_core.comparison.domains.before_after import (
    compare_forgetting,
    compare_tuning,
    stored_comparison,
)
from fer_core.comparison.domains.domain import evaluate_domain, last_report
from fer_core.comparison.domains.scores import paired_gain
from fer_core.comparison.domains.tuning import TuningPlan, slice_counts, tuning_config
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import Progress, read_record
from fer_core.runs.shipping import without_path
from fer_core.training.dataset import load_run_data
from fer_core.training.evaluation import proposed_mapping
from fer_core.training.job import create_run
from fer_core.training.run import execute_run


@pytest.fixture
def start(world: World) -> Checkpoint:
    return load_checkpoint(world.start.path)


@pytest.fixture
def away(world: World, start: Checkpoint) -> Faces:
    return read_faces(world.away, image_size=start.preprocessing.image_size)


def test_a_paired_gain_counts_the_images_that_changed() -> None:
    labels = np.zeros(100, dtype=int)
    before = np.r_[np.zeros(40), np.ones(60)].astype(int)
    after = np.r_[np.ones(5), np.zeros(85), np.ones(10)].astype(int)
    gain = paired_gain(labels, before, after)
    assert (gain["only_before"], gain["only_after"]) == (5, 50)
    assert gain["accuracy"] == pytest.approx(0.45)
    assert gain["interval"][0] > 0.3
    assert gain["p_value"] < 1e-6
    assert paired_gain(labels, before, before)["p_value"] == 1


def test_a_plan_becomes_a_run_that_learns_from_the_slice(start: Checkpoint, away: Faces) -> None:
    mapping = proposed_mapping(away.class_names, start.class_names)
    config = tuning_config(start, "away", mapping, TuningPlan(slice_share=0.225, epochs=2, seed=5))
    assert config.class_map == mapping
    assert config.start_from == str(start.folder.resolve())
    assert without_path(config).start_from == "runs/start"
    assert (config.split, config.test_share, config.split_seed) == ("stratified", 0.5, 5)
    assert config.train_share == pytest.approx(0.5)
    assert (config.model, config.model_options) == ("expressnet_demo", {"widths": [4, 8, 8]})
    assert (config.frozen_share, config.learning_rate, config.epochs) == (0.5, 1e-4, 2)
    found = slice_counts(away, start, config)
    assert 15 <= sum(found["slice"].values()) <= 17  # of 72: 36 held out, 4 choose, half of 32
    assert (found["choosing"], found["held_out"]) == (4, 36)
    fitted = replace(start, model=torch.nn.ReLU(), model_name="svm")
    with pytest.raises(CheckpointError, match="start is a svm, which is fitted as a whole"):
        tuning_config(fitted, "away", mapping, TuningPlan())
    with pytest.raises(ConfigError, match=r"the slice must be 0\.5% to 45% of the set, got 60"):
        TuningPlan(slice_share=0.6)


def test_before_and_after_are_compared_on_images_never_learned_from(
    world: World, start: Checkpoint, away: Faces
) -> None:
    report = last_report(compare_tuning(world.tuned))
    config = RunConfig.from_json(world.tuned.config.read_text())
    assert slice_counts(away, start, config)["slice"] == report["slice"]
    record = read_record(world.tuned)
    data = load_run_data(config)
    assert not set(data.split.test) & set(data.split.train)
    assert report["n"] == len(data.split.test) == 36
    assert report["after"]["accuracy"] == pytest.approx(record["test"]["accuracy"])
    assert report["after"]["confusion"] == record["test"]["confusion"]
    held_out = data.faces.subset(data.split.test)
    said = start.probabilities(np.asarray(held_out.images)).argmax(axis=1)
    assert report["before"]["accuracy"] == pytest.approx((said == held_out.labels).mean())
    gain = report["gain"]
    assert gain["accuracy"] == pytest.approx(
        report["after"]["accuracy"] - report["before"]["accuracy"]
    )
    assert gain["accuracy"] == pytest.approx((gain["only_after"] - gain["only_before"]) / 36)
    assert report["slice"] == {
        name: count for name, count in record["data"]["counts"]["train"].items() if count
    }
    # it has learned where the squares lie here: 7 to 11 of 36, as the processor rounds
    assert report["gain"]["accuracy"] > 0.1
    assert words.verdict(report).startswith("Better by more than chance")


@pytest.mark.parametrize("split", ["source", "stratified"])
def test_what_the_start_had_learned_of_the_same_set_is_counted(
    world: World, tmp_path: Path, split: str
) -> None:
    """With the same split it had learned from none of the images that are compared."""
    first = RunConfig.from_json(world.start.config.read_text())
    config = replace(first, split=split, test_share=0.5, start_from=str(world.start.path), epochs=1)
    run = create_run(config, tmp_path, "again")
    execute_run(run)
    report = last_report(compare_tuning(run))
    data, before = load_run_data(config), load_run_data(first).split
    learned = np.concatenate([before.train, before.validation])
    count = int(np.isin(data.split.test, learned).sum())
    assert (count > 0) == (split == "stratified")
    assert report["same_set"]
    assert report["seen_before"] == count
    said = words.slice_sentence(report)
    assert ("flattered" in said) == bool(count)
    if count:
        assert f"with {count} of these among it, so the figures of both sides" in said


def test_a_comparison_is_kept_until_the_run_is_done_again(world: World) -> None:
    report = last_report(compare_tuning(world.tuned))
    assert stored_comparison(world.tuned) == json.loads(json.dumps(report))
    record = world.tuned.record.read_text()
    world.tuned.record.write_text(json.dumps({**json.loads(record), "finished_at": "later"}))
    assert stored_comparison(world.tuned) is None
    world.tuned.record.write_text(record)
    assert stored_comparison(world.tuned) is not None
    assert stored_comparison(world.start) is None


def test_the_old_domain_is_scored_before_and_after(world: World) -> None:
    home = read_faces(world.home, image_size=48)
    steps = list(compare_forgetting(world.tuned, home))
    report = steps[-1].report
    assert report["n"] == 28
    assert [step.done for step in steps] == [28, 56, 56]
    assert report["before"]["accuracy"] == pytest.approx(
        read_record(world.start)["test"]["accuracy"]
    )
    tuned = evaluate_domain(load_checkpoint(world.tuned.path), home)
    assert report["after"]["accuracy"] == pytest.approx(tuned["accuracy"])
    half = last_report(compare_forgetting(world.tuned, home, limit=14))
    assert half["n"] == 14
    counts = [[row["support"] for row in one["before"]["per_class"]] for one in (half, report)]
    assert [2 * count for count in counts[0]] == counts[1], "every class in proportion"


def test_what_cannot_be_compared_is_told_in_words(world: World, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="start did not start from a checkpoint"):
        last_report(compare_tuning(world.start))
    config = RunConfig.from_json(world.tuned.config.read_text())
    waiting = create_run(config, tmp_path, "waiting")
    with pytest.raises(DataError, match="waiting is interrupted; before and after are compared"):
        last_report(compare_tuning(waiting))
    for file in ("record", "predictions", "weights"):
        source = getattr(world.tuned, file)
        (waiting.path / source.name).write_bytes(source.read_bytes())
    other = replace(config, data=str(world.home), class_map={})
    waiting.config.write_text(other.to_json())
    with pytest.raises(DataError, match="home has changed since waiting"):
        last_report(compare_tuning(waiting))
    waiting.config.write_text(replace(config, start_from=str(tmp_path / "gone")).to_json())
    with pytest.raises(DataError, match="the checkpoint that was fine-tuned is gone"):
        last_report(compare_tuning(waiting))


def test_words_say_noise_where_it_is_noise() -> None:
    labels = np.zeros(100, dtype=int)
    before, after = labels.copy(), labels.copy()
    before[:8], after[8:18] = 1, 1
    report = {"gain": paired_gain(labels, before, after)}
    assert words.verdict(report).startswith("Within noise: 8 images right only after and 10")
    after[18:60] = 1
    report = {"gain": paired_gain(labels, before, after)}
    assert words.verdict(report).startswith("Worse by more than chance")
    for p_value, word in ((0.049, "Worse by more than chance"), (0.05, "Within noise")):
        report["gain"]["p_value"] = p_value
        assert words.verdict(report).startswith(word)


def test_the_commands_print_what_the_functions_return(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, away = str(world.start.path), str(world.away)
    assert main(["domain", start, "--data", away, "--map", "pain=sad", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["mapping"]["pain"] == "sad"
    assert report["n"] == 4 * EACH
    assert main(["domain", start, "--data", away, "--limit", "30"]) == 0
    said = capsys.readouterr().out
    assert "Left out, counted as no class of the checkpoint: pain (24 images)" in said
    assert "On 12 test images of its own domain (home) it is" in said
    twice = ["--map", "pain=sad", "--map", "pain=happy"]
    assert main(["domain", start, "--data", away, *twice]) == 2
    assert "--map gives pain twice" in capsys.readouterr().err
    assert main(["domain", start, "--data", away, "--map", "pain"]) == 2
    assert "--map takes CLASS=CLASS" in capsys.readouterr().err
    run = tmp_path / "runs" / "mine"
    wanted = ["--slice", "0.3", "--frozen", "0.2", "--rate", "0.001", "--epochs", "1"]
    command = ["fine-tune", start, "--data", away, *wanted, "--run", str(run), "--json"]
    assert main(command) == 0
    tuned = json.loads(capsys.readouterr().out)
    assert tuned["after"]["accuracy"] == read_record(RunFolder(run))["test"]["accuracy"]
    assert tuned["old_domain"] is None
    for state, code in (("failed", 1), ("stopped", 0)):
        ended = Progress(state, reason="why")
        monkeypatch.setattr("fer_core.cli.domain_commands.execute_here", lambda _, end=ended: end)
        assert main([*command[:-2], f"{run}-{state}", "--json"]) == code
        assert json.loads(capsys.readouterr().out) == {"state": state, "reason": "why"}
    assert main(["tuning", str(run), "--old", str(world.home)]) == 0
    assert "Old domain. On the same 28 images of home" in capsys.readouterr().out


def test_a_damaged_comparison_counts_as_none(world: World) -> None:
    """It is measured again then; one that lies there in another form could not be shown."""
    report = json.loads(json.dumps(last_report(compare_tuning(world.tuned))))
    odd = [{key: value for key, value in report.items() if key != lost} for lost in _SHOWN]
    odd += [{**report, "gain": 5}, {**report, "classes": ["nobody"]}]
    odd += [{**report, "after": {**report["after"], "per_class": []}}]
    for one in odd:
        world.tuned.before_after.write_text(json.dumps(one))
        assert stored_comparison(world.tuned) is None
    world.tuned.before_after.write_text(json.dumps(report))
    assert stored_comparison(world.tuned) == report


_SHOWN = ("n", "data", "classes", "before", "gain", "slice", "without_twins")
