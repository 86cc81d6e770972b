"""A checkpoint on another set: mapping, figures and drop; fine-tuning on a slice, before and after.

One network of a few weights is trained on bright squares and fine-tuned on a folder of others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import f1_score

from fer_core.cli import main
from fer_core.comparison.domains import words
from fer_core.comparison.domains.domain import (
    evaluate_domain,
    own_answers,
    score_domain,
    stratified_sample,
)
from fer_core.comparison.domains.lineage import learned_from, lineage, own_source
from fer_core.comparison.domains.scores import (
    answers_of,
    answers_of_confusion,
    figures,
    paired_gain,
    unpaired_drop,
)
from fer_core.comparison.domains.tuning import (
    TuningPlan,
    compare_forgetting,
    compare_tuning,
    last_report,
    slice_counts,
    stored_comparison,
    tuning_config,
)
from fer_core.comparison.significance import unpaired_difference
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import read_progress, read_record
from fer_core.runs.shipping import without_path
from fer_core.training.dataset import load_run_data
from fer_core.training.evaluation import (
    checked_mapping,
    evaluate_checkpoint,
    proposed_mapping,
)
from fer_core.training.job import create_run
from fer_core.training.run import execute_run

#: Classes of the other set, the place of their square, and what they count as.
OTHER = {"anger": (1, "angry"), "joy": (3, "happy"), "sadness": (4, "sad"), "pain": (6, "")}
EACH = 24


@dataclass(frozen=True)
class World:
    """home: a set like FER2013; away: a folder of anger, joy, sadness and pain; start: a run that
    learned home; tuned: one that went on from it on a slice of away."""

    home: Path
    away: Path
    start: RunFolder
    tuned: RunFolder
    runs: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        home, away = _home(folder / "home.csv"), _away(folder / "away")
        config = RunConfig(
            data=str(home),
            model="expressnet_demo",
            model_options={"widths": [4, 8, 8]},
            epochs=8,
            batch_size=16,
            learning_rate=0.01,
            device="cpu",
        )
        start = _run(config, folder / "runs", "start")
        checkpoint = load_checkpoint(start.path)
        mapping = checked_mapping({}, read_faces(away).class_names, checkpoint.class_names)
        plan = TuningPlan(0.4, frozen_share=0.3, learning_rate=0.01, epochs=8, batch_size=8)
        tuning = replace(tuning_config(checkpoint, str(away), mapping, plan), device="cpu")
        tuned = _run(tuning, folder / "runs", "tuned")
        yield World(home, away, start, tuned, folder / "runs")


def _run(config: RunConfig, runs: Path, name: str) -> RunFolder:
    folder = create_run(config, runs, name)
    execute_run(folder)
    assert read_progress(folder).state == "finished", read_progress(folder).reason
    return folder


def _square(place: int, random: np.random.Generator) -> np.ndarray:
    image = random.integers(0, 60, (48, 48), dtype=np.uint8)
    image[6 * place : 6 * place + 8, 10:30] = 220
    return image


def _home(path: Path) -> Path:
    """140 faces in FER2013's form, a square at the place of the label's number."""
    random = np.random.default_rng(1)
    usages = ("Training", "Training", "PublicTest", "Training", "PrivateTest")
    lines = ["emotion,pixels,Usage"]
    for row in range(140):
        pixels = " ".join(map(str, _square(row % 7, random).ravel()))
        lines.append(f"{row % 7},{pixels},{usages[row // 7 % 5]}")
    path.write_text("\n".join(lines) + "\n")
    return path


def _away(folder: Path) -> Path:
    """A folder per class with colour pictures of 40 pixels, whose squares lie elsewhere."""
    random = np.random.default_rng(2)
    for name, (place, _) in OTHER.items():
        (folder / name).mkdir(parents=True)
        for number in range(EACH):
            picture = Image.fromarray(_square(place, random)).convert("RGB").resize((40, 40))
            picture.putpixel((0, 0), (255, 0, 0))
            picture.save(folder / name / f"{number:02d}.png")
    return folder


@pytest.fixture
def start(world: World) -> Checkpoint:
    return load_checkpoint(world.start.path)


@pytest.fixture
def away(world: World, start: Checkpoint) -> Faces:
    return read_faces(world.away, image_size=start.preprocessing.image_size)


def test_classes_are_matched_by_name_and_its_synonyms() -> None:
    source = ("angry", "pain", "joy", "Contempt")
    assert proposed_mapping(source, FER2013_CLASSES) == {
        "angry": "angry",
        "pain": "",
        "joy": "happy",
        "Contempt": "",
    }
    merging = RunConfig(class_map={"pain": "sad", "joy": ""})
    by_run = proposed_mapping(source, FER2013_CLASSES, merging)
    assert (by_run["pain"], by_run["joy"]) == ("sad", "happy")


def test_a_mapping_by_hand_is_checked() -> None:
    source = ("angry", "pain")
    used = checked_mapping({"Pain": "unhappy", "anger": ""}, source, FER2013_CLASSES)
    assert used == {"angry": "", "pain": "sad"}
    with pytest.raises(DataError, match=r"no class 'boredom' to map; it has angry, pain"):
        checked_mapping({"boredom": "sad"}, source, FER2013_CLASSES)
    with pytest.raises(DataError, match=r"cannot count as 'pain'; the checkpoint knows angry"):
        checked_mapping({"pain": "pain"}, source, FER2013_CLASSES)


def test_evaluate_takes_a_mapping(start: Checkpoint, away: Faces) -> None:
    plain = evaluate_checkpoint(start, away, "all")
    assert plain["left_out"] == {"pain": EACH}
    assert plain["n"] == 3 * EACH
    merged = evaluate_checkpoint(start, away, "all", {"pain": "sad", "happy": ""})
    assert merged["left_out"] == {"happy": EACH}
    support = {row["class"]: row["support"] for row in merged["per_class"]}
    assert (support["sad"], support["happy"]) == (2 * EACH, 0)


def test_the_test_part_of_a_run_that_merged_classes_is_found_again(world: World) -> None:
    again = evaluate_checkpoint(load_checkpoint(world.tuned.path), _as_the_run(world), "test")
    assert again["confusion"] == read_record(world.tuned)["test"]["confusion"]
    assert again["left_out"] == {"pain": EACH}


def _as_the_run(world: World) -> Faces:
    return read_faces(world.away, image_size=48)


def test_a_stratified_draw_keeps_the_proportions_and_the_number() -> None:
    labels = np.repeat([0, 1, 2], [700, 290, 10])
    drawn = stratified_sample(labels, 100, seed=3)
    assert np.bincount(labels[drawn]).tolist() == [70, 29, 1]
    assert np.array_equal(drawn, stratified_sample(labels, 100, seed=3))
    assert not np.array_equal(drawn, stratified_sample(labels, 100, seed=4))
    assert len(stratified_sample(labels, 0, 0)) == len(stratified_sample(labels, 5000, 0)) == 1000
    for limit in (2, 5, 33):
        assert len(np.unique(stratified_sample(labels, limit, 0))) == limit


def test_figures_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels = random.choice([0, 2, 3], 400)
    predicted = np.where(random.random(400) < 0.6, labels, random.integers(0, 5, 400))
    found = figures(answers_of(labels, predicted))
    wanted = f1_score(labels, predicted, labels=[0, 2, 3], average="macro")
    assert found["macro_f1"] == pytest.approx(wanted, abs=1e-12)
    assert found["accuracy"] == pytest.approx((labels == predicted).mean())
    low, high = found["macro_f1_interval"]
    assert low < wanted < high
    assert high - low < 0.15
    confusion = np.zeros((5, 5), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    assert figures(answers_of_confusion(confusion)) == found


def test_the_drop_has_newcombes_interval_and_goes_both_ways() -> None:
    home = answers_of_confusion(np.array([[80, 20], [10, 90]]))
    away = answers_of_confusion(np.array([[30, 20], [25, 25]]))
    drop = unpaired_drop(home, away)
    wanted = unpaired_difference(170, 200, 55, 100)
    assert drop["accuracy"] == pytest.approx(0.30)
    assert drop["interval"] == pytest.approx([wanted.low, wanted.high])
    assert drop["macro_f1_interval"][0] > 0.1
    same = unpaired_drop(home, home)
    assert same["interval"][0] < 0 < same["interval"][1]
    assert unpaired_drop(away, home)["accuracy"] == pytest.approx(-0.30)


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


def test_a_checkpoint_is_scored_on_another_set(start: Checkpoint, away: Faces) -> None:
    report = evaluate_domain(start, away)
    assert report["mapping"] == {
        name: OTHER[{"angry": "anger", "happy": "joy", "sad": "sadness"}.get(name, name)][1]
        for name in away.class_names
    }
    assert report["classes"] == ["angry", "happy", "sad"]
    assert report["left_out"] == {"pain": EACH}
    assert report["n"] == report["available"] == 3 * EACH
    labels, predicted = _said(start, away)
    assert report["accuracy"] == pytest.approx((labels == predicted).mean())
    f1 = f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    assert report["macro_f1"] == pytest.approx(f1)
    assert np.sum(report["confusion"]) == 3 * EACH
    sure = [wrong["confidence"] for wrong in report["mistakes"]]
    assert sure == sorted(sure, reverse=True)
    assert len(sure) == min(24, int((labels != predicted).sum())) > 0
    first = report["mistakes"][0]
    assert first["true"] == start.class_names[labels[list(away.ids).index(first["id"])]]
    assert first["true"] != first["predicted"]


def _said(checkpoint: Checkpoint, faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Labels and answers in the checkpoint's numbers, of the images whose class it knows."""
    known = [name in checkpoint.class_names for name in faces.class_names]
    kept = np.array(known)[faces.labels]
    names = [faces.class_names[label] for label in faces.labels[kept]]
    labels = np.array([checkpoint.class_names.index(name) for name in names])
    return labels, checkpoint.probabilities(np.asarray(faces.images[kept])).argmax(axis=1)


def test_the_drop_is_measured_over_the_same_classes(
    world: World, start: Checkpoint, away: Faces
) -> None:
    report = evaluate_domain(start, away)
    matrix = np.array(read_record(world.start)["test"]["confusion"])
    rows = matrix[[start.class_names.index(name) for name in report["classes"]]]
    right = sum(matrix[place, place] for place in map(start.class_names.index, report["classes"]))
    assert report["own"]["n"] == rows.sum() == 12
    assert report["own"]["accuracy"] == pytest.approx(right / 12)
    assert report["drop"]["accuracy"] == pytest.approx(
        report["own"]["accuracy"] - report["accuracy"]
    )
    # Without the predictions the record's confusion matrix tells the same.
    hidden = world.start.predictions.rename(world.start.predictions.with_suffix(".away"))
    try:
        from_record = own_answers(start)
    finally:
        hidden.rename(world.start.predictions)
    assert from_record.read_from == "record.json"
    assert own_answers(start).read_from == "predictions.parquet"
    assert figures(from_record.answers) == figures(own_answers(start).answers)
    assert own_answers(replace(start, folder=world.runs, record=None)) is None


def test_scoring_tells_how_far_it_is_and_can_be_limited(start: Checkpoint, away: Faces) -> None:
    big = away.subset(np.tile(np.arange(len(away)), 4))
    steps = list(score_domain(start, big, limit=200, seed=1))
    assert [step.done for step in steps] == [0, 128, 200]
    assert all(step.total == 200 for step in steps)
    assert [step.report is None for step in steps] == [True, True, False]
    report = steps[-1].report
    assert (report["n"], report["available"]) == (200, 12 * EACH)
    assert "A stratified draw of 200 of 288 images, seed 1." in words.notes(report)


def test_nothing_left_to_score_is_refused_in_words(start: Checkpoint, away: Faces) -> None:
    with pytest.raises(DataError, match=r"no image of away is left to score.*map at least one"):
        evaluate_domain(start, away, dict.fromkeys(away.class_names, ""))


def test_its_own_set_is_no_new_domain(world: World, start: Checkpoint) -> None:
    home = read_faces(world.home, image_size=48)
    assert learned_from(start, home) == lineage(start)[0][0]
    report = evaluate_domain(start, home)
    assert report["same_set"]
    assert report["n"] == 28  # its test part and nothing else
    assert report["confusion"] == read_record(world.start)["test"]["confusion"]
    assert report["drop"] is None
    assert "own domain" in words.drop_sentence(report)
    tuned = load_checkpoint(world.tuned.path)
    assert learned_from(tuned, home) is not None  # by way of the run that it started from
    assert learned_from(start, read_faces(world.away, image_size=48)) is None


def test_twins_of_training_images_are_counted(world: World, start: Checkpoint) -> None:
    home = read_faces(world.home, image_size=48)
    train = load_run_data(lineage(start)[0][0]).split.train
    faces = home.subset(np.r_[train[:5], np.flatnonzero(home.source_split == "test")[:9]])
    report = evaluate_domain(start, replace(faces, source="elsewhere"), own_faces=home)
    assert report["twins"] == 5
    assert any("5 images of them stand pixel for pixel" in note for note in words.notes(report))
    assert evaluate_domain(start, replace(faces, source="elsewhere"))["twins"] is None


def test_its_own_set_is_looked_for_in_the_data_folder(world: World, start: Checkpoint) -> None:
    assert own_source(start, world.home.parent) == str(world.home)
    assert own_source(load_checkpoint(world.tuned.path), world.home.parent) == str(world.home)
    assert own_source(replace(start, folder=world.runs), world.home.parent) is None


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
    assert report["gain"]["accuracy"] > 0.2  # it has learned where the squares lie here
    assert words.verdict(report).startswith("Better by more than chance")


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
    assert last_report(compare_forgetting(world.tuned, home, limit=14))["n"] == 14


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


def test_the_commands_print_what_the_functions_return(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
    assert main(["domain", start, "--data", away, "--map", "pain"]) == 2
    assert "--map takes CLASS=CLASS" in capsys.readouterr().err
    run = tmp_path / "runs" / "mine"
    wanted = ["--slice", "0.3", "--frozen", "0.2", "--rate", "0.001", "--epochs", "1"]
    command = ["fine-tune", start, "--data", away, *wanted, "--run", str(run), "--json"]
    assert main(command) == 0
    tuned = json.loads(capsys.readouterr().out)
    assert tuned["after"]["accuracy"] == read_record(RunFolder(run))["test"]["accuracy"]
    assert tuned["old_domain"] is None
    assert main(["tuning", str(run), "--old", str(world.home)]) == 0
    assert "Old domain. On the same 28 images of home" in capsys.readouterr().out
