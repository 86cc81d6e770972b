"""A support vector machine is a run like the others, and says what scikit-learn says."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.svm import SVC

from fer_core.labels import FER2013_CLASSES
from fer_core.models import ModelError
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.leaderboard import leaderboard
from fer_core.runs.record import Progress, read_epochs, read_progress, read_record
from fer_core.training import kernel_fit
from fer_core.training.dataset import load_run_data
from fer_core.training.job import create_run
from fer_core.training.kernel_fit import KernelTraining
from fer_core.training.memory import free_memory
from fer_core.training.run import execute_run
from fer_core.training.validation import validation_scores


@pytest.fixture
def machine(tiny_config: RunConfig) -> RunConfig:
    return replace(tiny_config, model="svm", model_options={}, epochs=1, scaling="zero_to_one")


def _run(config: RunConfig, folder: Path) -> RunFolder:
    run = create_run(config, folder, "machine")
    execute_run(run)
    assert read_progress(run).state == "finished", read_progress(run).reason
    return run


@pytest.mark.parametrize("gram", [False, True])
def test_its_answers_are_those_of_scikit_learn(
    machine: RunConfig, tmp_path: Path, gram: bool
) -> None:
    run = _run(replace(machine, model_options={"gram": gram}), tmp_path)
    data = load_run_data(machine)
    pixels = data.faces.images.reshape(len(data.faces), -1) / np.float32(255)
    fitted = SVC(C=1.0, break_ties=True).fit(
        pixels[data.split.train], data.faces.labels[data.split.train]
    )
    expected = fitted.predict(pixels[data.split.test])
    table = pd.read_parquet(run.predictions)
    rows = table[table["split"] == "test"]
    columns = [name for name in table if name.startswith("probability_")]
    assert (rows[columns].to_numpy().argmax(axis=1) == expected).all()
    assert read_record(run)["test"]["accuracy"] == (rows["label"] == expected).mean()


def test_its_scores_are_scaled_to_what_validation_bears_out(machine: RunConfig) -> None:
    training = KernelTraining(machine, load_run_data(machine), torch.device("cpu"))
    list(training.epochs())
    labels = training.data.faces.labels[training.data.split.validation]

    def loss() -> float:
        return validation_scores(training.predict(training.validation_part), labels)[
            "validation_loss"
        ]

    lowest = loss()
    for factor in (0.8, 1.0, 1.25):
        training.deployed.scale.mul_(factor)
        assert loss() >= lowest - 1e-6
        training.deployed.scale.div_(factor)


def test_it_leaves_what_every_run_leaves(machine: RunConfig, tmp_path: Path) -> None:
    run = _run(replace(machine, model_options={"components": 12, "C": 3.0}), tmp_path)
    (epoch,) = read_epochs(run)
    assert epoch["train_accuracy"] > 0.9
    record = read_record(run)
    assert record["model"]["parameters"] > 0
    assert record["test"]["loss"] < np.log(7)  # its scores were scaled into probabilities
    table = leaderboard(tmp_path, shipped=tmp_path / "none")
    assert table.iloc[0]["test_accuracy"] == record["test"]["accuracy"]
    checkpoint = load_checkpoint(run.path)
    stored = pd.read_parquet(run.predictions)
    rows = stored[stored["split"] == "test"]
    faces = load_run_data(machine).faces
    again = checkpoint.probabilities(faces.images[rows["index"].to_numpy()])
    columns = [f"probability_{name}" for name in checkpoint.class_names]
    assert np.abs(again - rows[columns].to_numpy()).max() < 1e-5


def test_a_run_broken_off_after_the_fit_is_scored_when_resumed(
    machine: RunConfig, tmp_path: Path
) -> None:
    run = _run(machine, tmp_path)
    record = read_record(run)
    run.record.unlink()
    assert execute_run(run).state == "finished"
    assert read_record(run)["test"] == record["test"]
    assert len(read_epochs(run)) == 1


def test_a_stop_during_the_fit_is_heard(
    machine: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(SVC):
        def fit(self, inputs: np.ndarray, labels: np.ndarray) -> SVC:
            time.sleep(3)
            return super().fit(inputs, labels)

    monkeypatch.setattr(kernel_fit, "SVC", Slow)
    run = create_run(machine, tmp_path, "machine")
    reasons = []

    def stop_while_it_fits(progress: Progress) -> None:
        reasons.append(progress.reason)
        if "no curve to watch" in progress.reason:
            run.stop_request.touch()

    begin = time.monotonic()
    assert execute_run(run, stop_while_it_fits).state == "stopped"
    assert time.monotonic() - begin < 3
    assert any("no epochs" in reason for reason in reasons)


def test_an_unknown_option_is_named(machine: RunConfig) -> None:
    with pytest.raises(ConfigError, match="kernel"):
        replace(machine, model_options={"kernel": "linear"})


@pytest.mark.parametrize("absent", [2, 6])  # one in the middle, and the last
def test_a_class_without_a_training_image_is_named_before_the_fit(
    machine: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: int
) -> None:
    lines = Path(machine.data).read_text().splitlines()
    data = tmp_path / "absent.csv"
    data.write_text("\n".join(line for line in lines if not line.startswith(f"{absent},")) + "\n")
    monkeypatch.setattr(KernelTraining, "_fit", None)
    run = create_run(replace(machine, data=str(data)), tmp_path, "machine")
    progress = execute_run(run)
    assert progress.state == "failed"
    assert f"training has none of {FER2013_CLASSES[absent]};" in progress.reason


def test_the_kernel_matrix_is_not_made_where_memory_is_short(
    machine: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_matrix(*_args: object) -> None:
        raise AssertionError("the kernel matrix was made")

    monkeypatch.setattr(kernel_fit, "_fit_gram", no_matrix)
    monkeypatch.setattr(kernel_fit, "free_memory", lambda: 1_000)
    run = _run(replace(machine, model_options={"gram": True}), tmp_path)
    assert read_record(run)["model"]["parameters"] > 0


def test_free_memory_is_what_the_system_says(tmp_path: Path) -> None:
    table = tmp_path / "meminfo"
    table.write_text("MemTotal: 2000 kB\nMemAvailable:    1000 kB\n")
    assert free_memory(table) == 1_024_000
    assert free_memory(tmp_path / "none") is None


@pytest.mark.parametrize("gamma", ["Scale", "no", "-1", "0"])
def test_a_gamma_that_means_nothing_is_refused(tiny_config: RunConfig, gamma: str) -> None:
    config = tiny_config.with_settings(["model_options={}", "model=svm"])
    config = config.with_settings([f"model_options.gamma={gamma}"])
    with pytest.raises(ModelError, match="gamma must be scale, auto or a number above 0"):
        KernelTraining(config, load_run_data(config), torch.device("cpu"))
