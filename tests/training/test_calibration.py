"""Temperature scaling and the error that it is to lower."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from fer_core.cli import main
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.card import write_card
from fer_core.runs.checkpoint import load_checkpoint, read_header, save_weights
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_record
from fer_core.training.calibration import at_temperature, fit_temperature
from fer_core.training.dataset import load_run_data
from fer_core.training.job import create_run
from fer_core.training.metrics import calibration_error, score
from fer_core.training.run import execute_run


def _drawn(temperature: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are too sure by the temperature, and labels drawn from the true ones."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (count, 5))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
    sharp = np.exp(logits * temperature)
    return sharp / sharp.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 2.5, 8.0])
def test_the_temperature_that_made_them_too_sure_is_found(temperature: float) -> None:
    probabilities, labels = _drawn(temperature)
    found = fit_temperature(probabilities, labels)
    assert found == pytest.approx(temperature, rel=0.03)
    assert calibration_error(at_temperature(probabilities, found), labels) < 0.012


def test_the_error_is_the_mean_gap_between_confidence_and_accuracy() -> None:
    sure = np.array([[0.9, 0.1]] * 10)
    labels = np.array([0] * 6 + [1] * 4)
    assert calibration_error(sure, labels) == pytest.approx(0.3)
    mixed = np.concatenate([sure, np.array([[0.4, 0.6]] * 10)])  # right in 6 of 10, as it says
    both = np.concatenate([labels, np.array([1] * 6 + [0] * 4)])
    assert calibration_error(mixed, both) == pytest.approx(0.15)
    assert calibration_error(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)) == 0


def test_a_temperature_moves_no_label_and_few_images_fit_none() -> None:
    probabilities, labels = _drawn(2.0, 200)
    cooler = at_temperature(probabilities, 3.0)
    assert (cooler.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert cooler.sum(axis=1) == pytest.approx(np.ones(200))
    assert at_temperature(np.array([[0.8, 0.2]]), 2.0)[0] == pytest.approx([2 / 3, 1 / 3])
    assert fit_temperature(probabilities[:49], labels[:49]) == 1.0
    certain = np.eye(5, dtype=np.float32)[labels]
    assert np.isfinite(at_temperature(certain, 2.0)).all()


def test_a_run_leaves_calibrated_weights_and_both_scores(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = tiny_config.with_settings(["split=stratified", "validation_share=0.3", "epochs=4"])
    run = create_run(config, tmp_path / "runs", "calibrated")
    execute_run(run)
    record, checkpoint = read_record(run), load_checkpoint(run.path)
    assert checkpoint.temperature == record["calibration"]["temperature"] != 1.0
    data = load_run_data(config)
    images, labels = data.faces.images[data.split.test], data.faces.labels[data.split.test]
    plain = checkpoint.probabilities(images)
    assert score(plain, labels)["loss"] == pytest.approx(record["test"]["loss"], rel=1e-4)
    flipped = checkpoint.probabilities(images[:, :, ::-1])
    both = checkpoint.probabilities(images, mirrored=True)
    assert both == pytest.approx((plain + flipped) / 2)
    assert score(both, labels)["loss"] == pytest.approx(record["test_mirrored"]["loss"], rel=1e-4)
    before = record["calibration"]["error_before"]["validation"]
    hot = at_temperature(plain, 1 / checkpoint.temperature)  # back to temperature 1
    error = record["calibration"]["error_before"]["test"]
    assert calibration_error(hot, labels) == pytest.approx(error, abs=1e-4)
    assert 0 <= before <= 1
    assert "expected calibration error on test" in run.card.read_text()
    assert "mean over each image and its mirror image" in run.card.read_text()


def test_the_mirrored_score_is_of_both_sides_also_when_calibrated_anew(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    """On faces that a mirror image changes: their label is told by how far left they are bright."""
    header, *lines = Path(tiny_config.data).read_text().splitlines()
    turned = tmp_path / "turned.csv"
    with turned.open("w") as file:
        print(header, file=file)
        for line in lines:
            label, pixels, usage = line.split(",")
            across = np.array(pixels.split()).reshape(48, 48).T.ravel()
            print(label, " ".join(across), usage, sep=",", file=file)
    settings = ["split=stratified", "validation_share=0.3", "epochs=6", f"data={turned}"]
    config = tiny_config.with_settings(settings)
    run = create_run(config, tmp_path / "runs", "turned")
    execute_run(run)
    data = load_run_data(config)
    images, labels = data.faces.images[data.split.test], data.faces.labels[data.split.test]
    record, checkpoint = read_record(run), load_checkpoint(run.path)
    one, other = checkpoint.probabilities(images), checkpoint.probabilities(images[:, :, ::-1])
    both = score((one + other) / 2, labels)["loss"]
    assert record["test_mirrored"]["loss"] == pytest.approx(both, rel=1e-4)
    assert record["test"]["loss"] != pytest.approx(both, rel=0.05), "there is something to compare"
    assert main(["calibrate", str(run.path), "--data", config.data]) == 0
    assert read_record(run)["test_mirrored"]["loss"] == pytest.approx(both, rel=1e-3)


def test_a_checkpoint_without_a_temperature_gets_one(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = tiny_config.with_settings(["split=stratified", "validation_share=0.3", "epochs=4"])
    run = create_run(config, tmp_path / "runs", "old")
    execute_run(run)
    wanted, stored = read_record(run), pd.read_parquet(run.predictions)
    header = read_header(run.weights)
    header["preprocessing"] = Preprocessing.from_dict(header["preprocessing"])
    name, names = header.pop("model"), tuple(header.pop("class_names"))
    for temperature in (1.0, 3.0, 0.005):  # as an older version left it, and as wrong ones would
        header["temperature"] = temperature
        state = load_file(run.weights)
        answers = pd.read_parquet(run.predictions)
        answers["probability_angry"] = 0.0
        answers.to_parquet(run.predictions)
        save_weights(run.weights, state, model_name=name, class_names=names, **header)
        run.record.write_text(json.dumps({**wanted, "calibration": None, "test": {}}))
        assert main(["calibrate", str(run.path), "--data", config.data]) == 0
        found = read_record(run)
        fitted = wanted["calibration"]["temperature"]
        assert load_checkpoint(run.path).temperature == pytest.approx(fitted, rel=1e-2)
        assert found["test"]["loss"] == pytest.approx(wanted["test"]["loss"], rel=1e-2)
        mirrored = wanted["test_mirrored"]["loss"]
        assert found["test_mirrored"]["loss"] == pytest.approx(mirrored, rel=1e-2)
        assert found["test"]["confusion"] == wanted["test"]["confusion"]
        before = wanted["calibration"]["error_before"]
        assert found["calibration"]["error_before"] == pytest.approx(before, abs=1e-6)
        renewed = pd.read_parquet(run.predictions)  # other tables are made from them
        assert list(renewed.columns) == list(stored.columns)
        assert renewed["probability_angry"].to_numpy() == pytest.approx(
            stored["probability_angry"].to_numpy(), abs=1e-2
        )


def test_a_run_that_left_a_class_out_is_calibrated_on_what_it_saw(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    settings = ["split=stratified", "validation_share=0.4", "epochs=2", "classes_left_out=angry"]
    run = create_run(tiny_config.with_settings(settings), tmp_path / "runs", "six")
    execute_run(run)
    wanted = read_record(run)
    write_card(run, tiny_config, wanted, "## Origin\nmade in a test")
    assert main(["calibrate", str(run.path), "--data", tiny_config.data]) == 0
    found = read_record(run)
    assert found["test"]["confusion"] == wanted["test"]["confusion"]
    assert found["calibration"]["temperature"] == pytest.approx(
        wanted["calibration"]["temperature"], rel=1e-2
    )
    assert run.card.read_text().count("## Origin\nmade in a test") == 1


def test_a_run_is_calibrated_though_what_it_started_from_is_gone(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    """As a shipped model is, whose earlier stages are not shipped."""
    settings = ["split=stratified", "validation_share=0.4", "epochs=1"]
    first = create_run(tiny_config.with_settings(settings), tmp_path / "runs", "first")
    execute_run(first)
    config = tiny_config.with_settings([*settings, f"start_from={first.path}"])
    run = create_run(config, tmp_path / "runs", "second")
    execute_run(run)
    wanted = read_record(run)
    shutil.rmtree(first.path)
    assert main(["calibrate", str(run.path), "--data", tiny_config.data, "--half"]) == 0
    assert read_record(run)["data"] == wanted["data"]
    assert read_record(run)["test"]["n"] == wanted["test"]["n"]


def test_weights_in_half_precision_are_scored_as_they_are_kept(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = tiny_config.with_settings(["split=stratified", "validation_share=0.3", "epochs=4"])
    run = create_run(config, tmp_path / "runs", "large")
    execute_run(run)
    before, kept = run.weights.stat().st_size, load_file(run.weights)
    assert main(["calibrate", str(run.path), "--data", config.data, "--half"]) == 0
    now = load_file(run.weights)
    saved = 2 * sum(value.numel() for value in now.values() if value.ndim > 1)
    assert before - run.weights.stat().st_size == pytest.approx(saved, abs=200)  # header
    for name, value in kept.items():
        assert now[name].dtype == (torch.float16 if value.ndim > 1 else value.dtype)
        assert torch.allclose(now[name].to(value.dtype), value, rtol=1e-3, atol=1e-6)
    checkpoint, record = load_checkpoint(run.path), read_record(run)
    assert {value.dtype for value in checkpoint.model.parameters()} == {torch.float32}
    assert "half precision" in run.card.read_text()
    data = load_run_data(config)
    images, labels = data.faces.images[data.split.test], data.faces.labels[data.split.test]
    said = score(checkpoint.probabilities(images), labels)
    assert record["test"]["loss"] == pytest.approx(said["loss"], rel=1e-6)
    assert record["test"]["accuracy"] == said["accuracy"]


def test_a_temperature_is_not_fitted_on_another_set(
    tiny_config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create_run(tiny_config, tmp_path / "runs", "old")
    execute_run(run)
    assert main(["calibrate", str(run.path), "--data", tiny_config.data]) == 2
    assert "needs at least 50 validation images, got 42" in capsys.readouterr().err
    other = tmp_path / "other.csv"
    other.write_text("\n".join(Path(tiny_config.data).read_text().splitlines()[:150]))
    assert main(["calibrate", str(run.path), "--data", str(other)]) == 2
    assert "has another fingerprint" in capsys.readouterr().err
