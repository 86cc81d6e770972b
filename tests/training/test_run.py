"""One run in this process: what it writes; that it repeats, stops, resumes, says why it failed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fer_core.data.preprocess import Preprocessing
from fer_core.data.readers import read_faces
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import load_checkpoint, save_weights
from fer_core.runs.config import RunConfig
from fer_core.runs.leaderboard import leaderboard
from fer_core.runs.record import Progress, read_epochs, read_progress, read_record
from fer_core.training.dataset import load_run_data
from fer_core.training.evaluation import evaluate_checkpoint, part_of
from fer_core.training.job import create_run
from fer_core.training.last_state import write_state
from fer_core.training.loop import Training
from fer_core.training.metrics import full_report
from fer_core.training.optimization import build_optimizer, build_schedule
from fer_core.training.run import execute_run
from fer_core.training.validation import quality


def _run(config: RunConfig, runs: Path, name: str) -> RunFolder:
    folder = create_run(config, runs, name)
    execute_run(folder)
    return folder


def test_a_run_learns_and_leaves_everything_behind(tiny_config: RunConfig, tmp_path: Path) -> None:
    folder = _run(replace(tiny_config, epochs=12), tmp_path / "runs", "one")
    assert read_progress(folder).state == "finished", read_progress(folder).reason
    record = read_record(folder)
    assert record["test"]["accuracy"] > 0.9
    assert record["data"]["counts"]["test"]["angry"] == 6
    assert [epoch["epoch"] for epoch in read_epochs(folder)] == list(range(1, 13))
    assert list(folder.tensorboard.glob("events.*"))
    assert "python -m fer_core train --recipe quick" in folder.card.read_text()
    best = max(epoch["validation_accuracy"] for epoch in read_epochs(folder))
    assert record["validation"]["accuracy"] == pytest.approx(best)


def test_the_record_is_what_the_stored_predictions_say(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    folder = _run(tiny_config, tmp_path / "runs", "one")
    record, table = read_record(folder), pd.read_parquet(folder.predictions)
    names = tuple(record["data"]["class_names"])
    for part in ("validation", "test"):
        rows = table[table["split"] == part]
        probabilities = rows[[f"probability_{name}" for name in names]].to_numpy()
        again = full_report(probabilities, rows["label"].to_numpy(), names)
        assert again == record[part]


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_the_checkpoint_alone_repeats_the_test_score(
    tiny_config: RunConfig, tmp_path: Path, precision: str
) -> None:
    config = replace(tiny_config, ema_decay=0.9, precision=precision)
    folder = _run(config, tmp_path / "runs", "one")
    faces = read_faces(tiny_config.data, image_size=48)
    again = evaluate_checkpoint(load_checkpoint(folder.path), faces)
    record = read_record(folder)
    assert again["accuracy"] == record["test"]["accuracy"]
    assert again["confusion"] == record["test"]["confusion"]
    table = pd.read_parquet(folder.predictions)
    rows = table[table["split"] == "test"]
    checkpoint = load_checkpoint(folder.path)
    fresh = checkpoint.probabilities(faces.images[rows["index"].to_numpy()])
    stored = rows[[f"probability_{name}" for name in checkpoint.class_names]].to_numpy()
    assert np.abs(fresh - stored).max() < 1e-5


def test_the_same_seed_gives_the_same_curve(tiny_config: RunConfig, tmp_path: Path) -> None:
    timing = ("seconds", "images_per_second", "train_seconds")
    curves = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        folder = _run(replace(tiny_config, seed=seed), tmp_path / "runs", name)
        curves.append(
            [{k: v for k, v in epoch.items() if k not in timing} for epoch in read_epochs(folder)]
        )
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


@pytest.mark.parametrize("schedule", ["constant", "one_cycle", "cosine", "plateau"])
def test_a_stopped_run_resumes_to_the_curve_of_an_unbroken_one(
    tiny_config: RunConfig, tmp_path: Path, schedule: str
) -> None:
    config = replace(tiny_config, epochs=3, schedule=schedule, ema_decay=0.9, optimizer="sgd")
    whole = _run(config, tmp_path / "runs", "whole")
    broken = create_run(config, tmp_path / "runs", "broken")

    def stop_in_the_second_epoch(progress: Progress) -> None:
        if progress.epoch == 1:
            broken.stop_request.touch()

    assert execute_run(broken, stop_in_the_second_epoch).state == "stopped"
    assert len(read_epochs(broken)) == 1
    assert broken.weights.is_file()
    assert execute_run(broken).state == "finished"
    losses = [[epoch["train_loss"] for epoch in read_epochs(run)] for run in (whole, broken)]
    assert losses[0] == losses[1]
    assert read_record(whole)["test"] == read_record(broken)["test"]


@pytest.mark.parametrize("watched", ["validation_loss", "validation_accuracy"])
def test_a_figure_that_stays_as_it_is_lowers_the_rate_on_a_plateau(
    tiny_config: RunConfig, watched: str
) -> None:
    config = replace(tiny_config, schedule="plateau", plateau_by=watched, plateau_patience=1)
    optimizer = build_optimizer(config, nn.Linear(2, 2))
    schedule, rates = build_schedule(config, optimizer, steps=4), []
    for figure in (0.5, 0.5, 0.5, 0.4 if watched == "validation_loss" else 0.6, 0.5, 0.5):
        schedule.step(-quality({watched: figure}, watched))  # type: ignore[call-arg]
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [0.01, 0.01, 0.005, 0.005, 0.005, 0.0025]


def test_weights_and_states_that_cannot_be_written_leave_nothing_beside_them(
    tmp_path: Path,
) -> None:
    """Such as on a full disk, where each try would leave as much again."""
    folder = RunFolder(tmp_path)
    folder.last.mkdir()
    folder.weights.mkdir()
    with pytest.raises(IsADirectoryError):
        write_state(folder, {"epoch": 1})
    with pytest.raises(IsADirectoryError):
        save_weights(
            folder.weights,
            {"weight": torch.zeros(3)},
            model_name="mlp",
            model_options={},
            preprocessing=Preprocessing(),
            class_names=("happy", "sad"),
        )
    assert sorted(tmp_path.iterdir()) == sorted((folder.last, folder.weights))


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint at all"])
def test_a_damaged_state_says_what_to_do(
    tiny_config: RunConfig, tmp_path: Path, content: bytes | None
) -> None:
    folder = create_run(replace(tiny_config, epochs=2), tmp_path / "runs", "one")

    def stop_in_the_second_epoch(progress: Progress) -> None:
        if progress.epoch == 1:
            folder.stop_request.touch()

    execute_run(folder, stop_in_the_second_epoch)
    whole = folder.last.read_bytes()
    folder.last.write_bytes(whole[: len(whole) // 2] if content is None else content)
    ended = execute_run(folder)
    assert ended.state == "failed"
    assert ended.reason.startswith("last.ckpt of one is damaged")
    assert "start it anew" in ended.reason


def test_a_run_that_stopped_early_learns_no_further_when_it_is_resumed(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, epochs=40, learning_rate=1e-8, early_stopping_patience=1)
    folder = _run(config, tmp_path / "runs", "one")
    epochs = read_epochs(folder)
    folder.record.unlink()
    assert execute_run(folder).state == "finished"
    assert read_epochs(folder) == epochs


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_one_cycle_takes_any_number_of_steps(
    tiny_config: RunConfig, tmp_path: Path, epochs: int
) -> None:
    config = replace(tiny_config, epochs=epochs, batch_size=512, schedule="one_cycle")  # one a time
    folder = _run(config, tmp_path / "runs", "one")
    assert read_progress(folder).state == "finished", read_progress(folder).reason


def test_the_test_part_of_a_run_that_left_images_out_is_found_again(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, classes_left_out=("fear",), split="stratified")
    folder = _run(config, tmp_path / "runs", "one")
    faces = read_faces(config.data, image_size=48)
    again = evaluate_checkpoint(load_checkpoint(folder.path), faces)
    assert again["confusion"] == read_record(folder)["test"]["confusion"]
    assert again["left_out"] == {"fear": 30}


def test_what_is_left_out_is_counted_in_the_part_that_is_scored(tiny_csv: Path) -> None:
    """Its own validation images do not change which test images a source has."""
    faces = read_faces(str(tiny_csv))
    of_fear = faces.class_names.index("fear") == faces.labels
    for split in ("source", "own_validation"):
        config = RunConfig(data=str(tiny_csv), split=split, classes_left_out=("fear",))
        for part in ("train", "test"):
            hidden = part_of(faces, config, faces.class_names, part)[2]
            wanted = np.flatnonzero(of_fear & (faces.source_split == part))
            assert hidden.tolist() == wanted.tolist()


def test_a_class_left_out_under_another_spelling_stays_out(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    """The draw of a split hangs on the classes: were it still there, test images were learned."""
    config = tiny_config.with_settings(["class_map.Anger=", "split=stratified", "epochs=1"])
    assert config.class_map == {"angry": ""}
    folder = _run(config, tmp_path / "runs", "one")
    again = evaluate_checkpoint(load_checkpoint(folder.path), read_faces(config.data))
    assert again["confusion"] == read_record(folder)["test"]["confusion"]
    assert again["left_out"] == {"angry": 30}


def test_the_training_part_of_a_run_is_the_share_that_it_used(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, train_share=0.25, epochs=1)
    folder = _run(config, tmp_path / "runs", "one")
    used = load_run_data(config).split.train
    found = evaluate_checkpoint(load_checkpoint(folder.path), read_faces(config.data), "train")
    assert found["n"] == len(used) == 28  # a quarter of 126, rounded for each class
    assert read_record(folder)["data"]["test_drawn"] is False
    drawn = load_run_data(replace(config, split="stratified"))
    assert drawn.describe()["test_drawn"] is True


def test_early_stopping_ends_before_the_last_epoch(tiny_config: RunConfig, tmp_path: Path) -> None:
    config = replace(tiny_config, epochs=40, learning_rate=1e-8, early_stopping_patience=2)
    folder = _run(config, tmp_path / "runs", "one")
    assert read_progress(folder).state == "finished"
    assert 3 <= len(read_epochs(folder)) < 40


@pytest.mark.parametrize(
    "settings",
    [
        {"class_weights": True, "gradient_clip": 1.0, "label_smoothing": 0.1},
        {"balanced_sampling": True, "optimizer": "adamw", "weight_decay": 0.01},
        {"scaling": "dataset", "choose_by": "validation_loss"},
        {"scaling": "imagenet", "channels": 3, "choose_by": "validation_macro_f1"},
        {"image_size": 32, "precision": "bfloat16", "augment": "strong"},
        {"classes_left_out": ("fear",), "drop_duplicates": True, "split": "stratified"},
    ],
)
def test_every_option_of_the_engine_runs(
    tiny_config: RunConfig, tmp_path: Path, settings: dict
) -> None:
    folder = _run(replace(tiny_config, **settings), tmp_path / "runs", "one")
    assert read_progress(folder).state == "finished", read_progress(folder).reason


def test_a_class_left_out_is_in_no_table(tiny_config: RunConfig, tmp_path: Path) -> None:
    folder = _run(replace(tiny_config, classes_left_out=("fear",)), tmp_path / "runs", "one")
    record = read_record(folder)
    assert "fear" not in record["data"]["class_names"]
    assert sum(record["data"]["counts"]["train"].values()) == 126 - 18


def test_twins_of_training_images_are_scored_apart(tiny_config: RunConfig, tmp_path: Path) -> None:
    lines = Path(tiny_config.data).read_text().splitlines()
    twin = lines[1].rsplit(",", 1)[0] + ",PrivateTest"
    twin_csv = tmp_path / "twins.csv"
    twin_csv.write_text("\n".join([*lines, twin]) + "\n")
    folder = _run(replace(tiny_config, data=str(twin_csv)), tmp_path / "runs", "one")
    record = read_record(folder)
    assert record["test"]["n"] == 43
    assert record["test_without_twins"]["n"] == 42
    assert record["test_mirrored_without_twins"]["n"] == 42
    again = evaluate_checkpoint(load_checkpoint(folder.path), read_faces(twin_csv))
    assert again["without_twins"]["n"] == 42
    assert again["without_twins"]["accuracy"] == record["test_without_twins"]["accuracy"]


def test_failures_are_told_in_words(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _run(replace(tiny_config, data=str(tmp_path / "gone.csv")), tmp_path / "runs", "gone")
    assert read_progress(gone).state == "failed"
    assert "gone.csv" in read_progress(gone).reason
    assert "Traceback" in gone.log.read_text()
    true_loss = torch.nn.functional.cross_entropy

    def diverged(*values: torch.Tensor, **options: object) -> torch.Tensor:
        return true_loss(*values, **options) * float("nan")

    monkeypatch.setattr("torch.nn.functional.cross_entropy", diverged)
    wild = _run(tiny_config, tmp_path / "runs", "wild")
    assert read_progress(wild).state == "failed"
    assert "try a lower learning rate than 0.01" in read_progress(wild).reason


@pytest.mark.parametrize("choose_by", ["validation_accuracy", "validation_loss"])
def test_weights_that_the_last_update_breaks_are_not_kept(
    tiny_config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choose_by: str
) -> None:
    update = Training.update

    def breaking(training: Training) -> None:
        update(training)
        if training.updates == 4:  # the last one: no training loss is taken after it
            next(training.model.parameters()).data.fill_(float("nan"))

    monkeypatch.setattr(Training, "update", breaking)
    config = replace(tiny_config, epochs=1, max_updates=4, choose_by=choose_by)
    folder = _run(config, tmp_path / "runs", "one")
    assert read_progress(folder).state == "failed"
    assert "try a lower learning rate than 0.01" in read_progress(folder).reason
    assert not folder.weights.exists()


def test_a_preparation_that_leaves_one_image_is_told(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    lines = Path(tiny_config.data).read_text().splitlines()
    again = next(line for line in lines if line.endswith("Training"))
    others = [line for line in lines if not line.endswith("Training")]
    data = tmp_path / "repeated.csv"
    data.write_text("\n".join([*others, again, again, again]) + "\n")
    config = replace(tiny_config, data=str(data), preparation=("drop_duplicates",))
    folder = _run(config, tmp_path / "runs", "one")
    assert "of 3 the preparation (drop_duplicates) leaves 1;" in read_progress(folder).reason


def test_a_gpu_that_is_not_there_is_named(tiny_config: RunConfig, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    folder = _run(replace(tiny_config, device="cuda"), tmp_path / "runs", "one")
    assert "set device=auto or cpu" in read_progress(folder).reason


def test_the_leaderboard_ranks_scored_runs_first(tiny_config: RunConfig, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    _run(replace(tiny_config, epochs=10), runs, "good")
    _run(replace(tiny_config, epochs=1, learning_rate=1e-8), runs, "poor")
    _run(replace(tiny_config, data="nothing.csv"), runs, "broken")
    table = leaderboard(runs, shipped=tmp_path / "none")
    assert list(table["name"]) == ["good", "poor", "broken"]
    row = table.iloc[0]
    assert row["test_low"] < row["test_accuracy"] < row["test_high"] or row["test_accuracy"] == 1
    assert row["accuracy_per_gflop"] == pytest.approx(100 * row["test_accuracy"] / row["gflops"])
    assert table.iloc[2]["state"] == "failed"


def test_without_a_test_split_there_is_no_test_score(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, split="stratified", test_share=0.0)
    folder = _run(config, tmp_path / "runs", "one")
    assert read_record(folder)["test"] is None
    assert len(load_run_data(config).split.test) == 0
