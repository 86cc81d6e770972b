"""A checkpoint on a set that it was not made for: the mapping of classes, figures and drop."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tuned_world import EACH, OTHER, World

from fer_core.comparison.domains import words
from fer_core.comparison.domains.domain import (
    evaluate_domain,
    own_answers,
    score_domain,
    stratified_sample,
)
from fer_core.comparison.domains.scores import (
    answers_of,
    answers_of_confusion,
    figures,
    paired_gain,
    unpaired_drop,
)
from fer_core.comparison.significance import unpaired_difference
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.paths import SHIPPED_CHECKPOINTS
from fer_core.runs.checkpoint import Checkpoint, load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_record
from fer_core.training.dataset import as_run_faces, load_run_data
from fer_core.training.evaluation import (
    checked_mapping,
    evaluate_checkpoint,
    proposed_mapping,
)
from fer_core.training.job import create_run
from fer_core.training.lineage import (
    first_checkpoint,
    learned_from,
    lineage,
    own_source,
)
from fer_core.training.run import execute_run


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


def test_a_drawn_part_has_every_class_and_the_others_in_proportion() -> None:
    labels = np.repeat([0, 1, 2, 3], [3, 300, 600, 97])
    drawn = labels[stratified_sample(labels, 100, seed=0)]
    assert np.bincount(drawn).tolist() == [1, 30, 60, 9]


def test_both_sides_of_a_drop_are_drawn_apart() -> None:
    labels = np.arange(400) % 4
    home = answers_of(labels, np.where(np.arange(400) % 5, labels, 3 - labels))
    low, high = unpaired_drop(home, home)["macro_f1_interval"]
    assert low < -0.03
    assert high > 0.03


def test_a_gain_lies_in_its_intervals() -> None:
    labels = np.arange(400) % 4
    worse = np.where(np.arange(400) % 3, labels, 3 - labels)
    gain = paired_gain(labels, worse, labels)
    for name, interval in (("accuracy", "interval"), ("macro_f1", "macro_f1_interval")):
        assert 0 < gain[interval][0] < gain[name] < gain[interval][1]


def test_a_difference_is_told_with_the_ends_of_its_interval_turned() -> None:
    drop = {"accuracy": -0.1, "macro_f1": -0.1, "macro_f1_interval": [-0.2, 0.0], "p_value": 0.01}
    own = {"n": 9, "data": "home", "accuracy": 0.5, "interval": [0.4, 0.6], "macro_f1": 0.5}
    report = {"own": own, "same_set": False, "drop": {**drop, "interval": [-0.15, -0.05]}}
    assert words.drop_sentence(report).endswith(
        "It does better here than at home: +10.0 points (95 % interval +5.0 to +15.0)."
    )
    report["drop"]["interval"] = [-0.21, 0.01]
    assert "+10.0 points (95 % interval −1.0 to +21.0) is within noise" in words.drop_sentence(
        report
    )


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


def test_what_an_earlier_run_learned_is_not_scored_after_a_split_of_its_own(
    world: World, tmp_path: Path, start: Checkpoint
) -> None:
    home = read_faces(world.home, image_size=48)
    first = lineage(start)[0][0]
    config = replace(first, split="stratified", test_share=0.5, start_from=str(world.start.path))
    again = tmp_path / "again"
    shutil.copytree(world.start.path, again)
    (again / "config.json").write_text(config.to_json())
    untouched = np.intersect1d(load_run_data(config).split.test, load_run_data(first).split.test)
    assert 0 < len(untouched) < 28
    report = evaluate_domain(load_checkpoint(again), home)
    assert report["same_set"]
    assert report["n"] == len(untouched)


@pytest.mark.parametrize("changes", [{"drop_duplicates": True}, {"classes_left_out": ("fear",)}])
def test_a_copy_of_its_own_set_is_known_though_the_run_left_images_out(
    world: World, tmp_path: Path, changes: dict
) -> None:
    lines = world.home.read_text().splitlines()
    home = tmp_path / "home.csv"
    home.write_text("\n".join([*lines, lines[1]]) + "\n")  # its first image twice
    start = lineage(load_checkpoint(world.start.path))[0][0]
    config = replace(start, data=str(home), epochs=1, **changes)
    run = create_run(config, tmp_path / "runs", "fewer")
    execute_run(run)
    copy = replace(read_faces(config.data, image_size=48), source="elsewhere")
    assert as_run_faces(copy, config).fingerprint != copy.fingerprint
    assert learned_from(load_checkpoint(run.path), copy) == config
    other = replace(read_faces(world.away, image_size=48), source="elsewhere")
    assert learned_from(load_checkpoint(run.path), other) is None


@pytest.mark.parametrize("place", sorted(path.name for path in SHIPPED_CHECKPOINTS.iterdir()))
def test_a_shipped_checkpoint_is_the_beginning_of_its_lineage(place: str) -> None:
    checkpoint = load_checkpoint(SHIPPED_CHECKPOINTS / place)
    assert first_checkpoint(checkpoint).folder == checkpoint.folder


def test_a_start_that_is_gone_is_said(world: World, tmp_path: Path) -> None:
    orphan = tmp_path / "orphan"
    shutil.copytree(world.tuned.path, orphan)
    config = json.loads((orphan / "config.json").read_text())
    (orphan / "config.json").write_text(json.dumps({**config, "start_from": str(tmp_path / "no")}))
    with pytest.raises(DataError, match="the checkpoint that it started from is gone"):
        first_checkpoint(load_checkpoint(orphan))
    assert first_checkpoint(load_checkpoint(world.tuned.path)).folder.name == "start"


def test_runs_that_started_from_each_other_are_no_endless_lineage(
    world: World, tmp_path: Path
) -> None:
    """A folder deleted and its name given to a later run that started from the first's child."""
    for name, start in (("one", "two"), ("two", "one")):
        shutil.copytree(world.tuned.path, tmp_path / name)
        config = json.loads((tmp_path / name / "config.json").read_text())
        changed = {**config, "start_from": str(tmp_path / start)}
        (tmp_path / name / "config.json").write_text(json.dumps(changed))
    with pytest.raises(DataError, match="a later run has taken the name"):
        first_checkpoint(load_checkpoint(tmp_path / "one"))


def test_data_of_which_nothing_is_known_is_not_the_same_data(world: World, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(world.start.path, bare)
    (bare / "record.json").unlink()
    (bare / "data.json").unlink()
    config = json.loads((bare / "config.json").read_text())
    changed = {**config, "data": "gone.csv", "classes_left_out": ["disgust"]}
    (bare / "config.json").write_text(json.dumps(changed))
    faces = read_faces(world.away, image_size=48)
    kept = tuple(name for name in faces.class_names if name != "disgust")
    numbers = [kept.index(name) if name in kept else -1 for name in faces.class_names]
    others = replace(faces, class_names=kept, labels=np.array(numbers)[faces.labels])
    assert learned_from(load_checkpoint(bare), others) is None


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
