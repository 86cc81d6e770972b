"""A finished run is given a memory of its training faces; what learns on from it goes without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fer_core.cli import main
from fer_core.data.preprocess import Preprocessing
from fer_core.data.views import Views, write_views
from fer_core.inference.fused import TOLERANCE, fused_probabilities
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import (
    CheckpointError,
    learned_weights,
    load_checkpoint,
    read_header,
    read_start,
    save_weights,
)
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import read_record
from fer_core.training.calibration import at_temperature
from fer_core.training.dataset import load_run_data
from fer_core.training.job import create_run
from fer_core.training.metrics import score
from fer_core.training.recall_fit import ALIKE, LEAST, MOST, WIDTHS
from fer_core.training.remember import remember as give_memory
from fer_core.training.run import execute_run
from fer_core.training.teachers import Teachers


@pytest.fixture
def run(tiny_config: RunConfig, tmp_path: Path) -> RunFolder:
    config = tiny_config.with_settings(["split=stratified", "validation_share=0.4", "epochs=1"])
    folder = create_run(config, tmp_path / "runs", "learned")
    execute_run(folder)
    return folder


def remember(run: RunFolder, data: str, *more: str) -> int:
    return main(["remember", str(run.path), "--data", data, *more])


def test_a_run_gets_a_memory_and_its_scores_with_and_without(
    run: RunFolder, tiny_config: RunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, before = load_checkpoint(run.path), read_record(run)
    faces = load_run_data(RunConfig.from_json(run.config.read_text()))
    test = faces.faces.images[faces.split.test]
    labels = faces.faces.labels[faces.split.test]
    alone = plain.probabilities(test)
    assert remember(run, tiny_config.data) == 0
    assert f"remembers {len(faces.split.train)} faces" in capsys.readouterr().out
    record, mindful = read_record(run), load_checkpoint(run.path)
    memory = record["model"]["memory"]
    assert memory["faces"] == len(faces.split.train)
    for name, tried in (("width", WIDTHS), ("least", LEAST), ("most", MOST), ("alike", ALIKE)):
        assert memory[name] in tried
        assert getattr(mindful.model.recall, name).item() == pytest.approx(memory[name])
    assert memory["without"]["test"]["accuracy"] == pytest.approx(before["test"]["accuracy"])
    said = score(mindful.probabilities(test), labels)
    assert said["accuracy"] == record["test"]["accuracy"]
    assert said["loss"] == pytest.approx(record["test"]["loss"], rel=1e-5)
    rows = faces.split.validation
    own, mixed = (
        score(at_temperature(one.probabilities(faces.faces.images[rows]), 1 / one.temperature),
              faces.faces.labels[rows])["loss"]
        for one in (plain, mindful)
    )  # fmt: skip
    assert mixed <= own + 1e-6, "to recall nothing was among what was tried"
    assert record["model"]["parameters"] == mindful.parameters > plain.parameters
    assert "**It has a memory.**" in run.card.read_text()
    without = load_checkpoint(run.path, memory=False)
    assert without.parameters == plain.parameters
    assert (without.probabilities(test).argmax(1) == alone.argmax(1)).all()


def test_it_knows_the_faces_that_it_remembers(run: RunFolder, tiny_config: RunConfig) -> None:
    assert remember(run, tiny_config.data) == 0
    data = load_run_data(RunConfig.from_json(run.config.read_text()))
    images, labels = data.faces.images[data.split.train], data.faces.labels[data.split.train]
    memory = load_checkpoint(run.path).model.recall
    order = np.argsort(labels, kind="stable")
    assert memory.labels().tolist() == labels[order].tolist()
    network = load_checkpoint(run.path).model
    pre = load_checkpoint(run.path).preprocessing
    with torch.no_grad():
        views = pre(torch.from_numpy(np.asarray(images)))
        features = (network.features(views) + network.features(views.flip(-1))) / 2
        nearest = memory.likeness(features).argmax(dim=0).numpy()
    assert (labels[order][nearest] == labels).mean() > 0.95


def test_other_views_are_remembered_like_the_face_itself(
    run: RunFolder, tiny_config: RunConfig, tmp_path: Path
) -> None:
    data = load_run_data(RunConfig.from_json(run.config.read_text()))
    train, images = data.split.train, data.faces.images
    path = tmp_path / "views.npz"
    dark = Views(images[train[::2]] // 2, train[::2])
    write_views(path, dark, data.faces)
    assert remember(run, tiny_config.data, "--views", str(path), "--codes", "32") == 0
    record = read_record(run)
    assert record["model"]["memory"]["views"] == len(dark)
    assert f"made of it and of {len(dark)} other views" in run.card.read_text()
    checkpoint = load_checkpoint(run.path)
    network, pre = checkpoint.model, checkpoint.preprocessing

    def features(pixels: np.ndarray) -> torch.Tensor:
        seen = pre(torch.from_numpy(np.ascontiguousarray(pixels)))
        return (network.features(seen) + network.features(seen.flip(-1))) / 2

    with torch.no_grad():
        expected = features(images[train])
        expected[::2] = (expected[::2] + features(dark.images)) / 2
        kept = network.recall.encode(expected)
    order = np.argsort(data.faces.labels[train], kind="stable")
    assert (network.recall.codes == kept[order]).float().mean() > 0.99
    write_views(path, Views(images[data.split.test[:2]], data.split.test[:2]), data.faces)
    before = run.record.read_bytes()
    assert remember(run, tiny_config.data, "--views", str(path)) != 0  # none of a training image
    assert run.record.read_bytes() == before
    # as a teacher it goes without a memory that is not of the faces alone
    teachers = Teachers(
        replace(tiny_config, teachers=(str(run.path),), teacher_sees="original"),
        pre,
        checkpoint.class_names,
        torch.device("cpu"),
    )
    teachers.stored_answers(images[train], data.faces.labels[train])
    assert teachers.checkpoints[0].model.recall is None


def test_doing_it_again_replaces_the_memory(run: RunFolder, tiny_config: RunConfig) -> None:
    assert remember(run, tiny_config.data) == 0
    first, weights = read_record(run), load_file(run.weights)
    assert remember(run, tiny_config.data) == 0
    second = read_record(run)
    assert second["model"] == first["model"]
    assert second["test"] == first["test"]
    again = load_file(run.weights)
    assert weights.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in weights.items())


def test_a_memory_can_be_smaller_and_is_then_less_exact(
    run: RunFolder, tiny_config: RunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = []
    for codes, numbers in ((4, 8), (1, 8)):
        more = ("--codes", str(codes), "--numbers", str(numbers))
        assert remember(run, tiny_config.data, *more) == 0
        assert f"{codes} bytes of each for {numbers} numbers" in capsys.readouterr().out
        memory = load_checkpoint(run.path).model.recall
        assert memory.codes.shape[1] == codes
        sizes.append(load_checkpoint(run.path).parameters)
    assert sizes[0] - sizes[1] == 3 * len(memory.codes)
    for codes, numbers in ((0, 8), (3, 8), (16, 8), (300, 600)):
        more = ("--codes", str(codes), "--numbers", str(numbers))
        assert remember(run, tiny_config.data, *more) == 2
        assert f"got {codes} and {numbers}; try 16 and 64" in capsys.readouterr().err


def test_half_precision_keeps_the_answers(run: RunFolder, tiny_config: RunConfig) -> None:
    assert remember(run, tiny_config.data) == 0
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), dtype=np.uint8)
    whole, size = load_checkpoint(run.path).probabilities(images), run.weights.stat().st_size
    assert remember(run, tiny_config.data, "--half") == 0
    assert run.weights.stat().st_size < 0.7 * size
    assert load_file(run.weights)["recall.patterns"].dtype == torch.float16
    assert load_file(run.weights)["recall.codes"].dtype == torch.uint8
    assert load_checkpoint(run.path).probabilities(images) == pytest.approx(whole, abs=0.05)


def test_what_learns_on_goes_without_the_memory(
    run: RunFolder, tiny_config: RunConfig, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), dtype=np.uint8)
    alone = load_checkpoint(run.path).model
    assert remember(run, tiny_config.data) == 0
    assert read_start(run.path)["model_options"] == {"widths": [4, 8, 8]}
    config = RunConfig.from_json(run.config.read_text())
    config = config.with_settings([f"start_from={run.path}", f"teachers={run.path}"])
    folder = create_run(config, tmp_path / "runs", "going-on")
    execute_run(folder)
    assert "memory" not in read_record(folder)["model"]
    assert not any(name.startswith("recall.") for name in load_file(folder.weights))
    pre = load_checkpoint(run.path).preprocessing
    teachers = Teachers(config, pre, load_checkpoint(run.path).class_names, torch.device("cpu"))
    prepared = pre(torch.from_numpy(images))
    with torch.no_grad():
        wanted = (alone(prepared) / config.teacher_temperature).softmax(dim=1)
    assert torch.allclose(teachers.answers(prepared), wanted, atol=1e-4)


def test_a_teacher_recalls_all_faces_but_the_one_that_it_is_asked_about(
    run: RunFolder, tiny_config: RunConfig, tmp_path: Path
) -> None:
    alone = load_checkpoint(run.path).model
    assert remember(run, tiny_config.data) == 0
    config = RunConfig.from_json(run.config.read_text())
    config = config.with_settings(
        [f"teachers={run.path}", "teacher_sees=original", "teacher_temperature=1"]
    )
    data, checkpoint = load_run_data(config), load_checkpoint(run.path)
    images, labels = data.faces.images[data.split.train], data.faces.labels[data.split.train]
    recall, pre = checkpoint.model.recall, checkpoint.preprocessing
    prepared = pre(torch.from_numpy(np.asarray(images)))
    places = np.argsort(np.argsort(labels, kind="stable"))  # of each image in the memory
    wanted = torch.zeros(len(images), 7)
    with torch.no_grad():
        for view in (prepared, prepared.flip(-1)):
            features = alone.features(view)
            likeness = recall.likeness(features).T[:, places].fill_diagonal_(-np.inf)
            known = (likeness / recall.width).softmax(dim=1) @ torch.eye(7)[labels]
            own = alone.classifier(features).softmax(dim=1)
            share = recall.share(likeness.amax(dim=1, keepdim=True))
            wanted += ((1 - share) * own + share * known) / 2

    def said(these: np.ndarray, their_labels: np.ndarray) -> np.ndarray:
        teachers = Teachers(config, pre, checkpoint.class_names, torch.device("cpu"))
        return teachers.stored_answers(these, their_labels)

    assert said(images, labels) == pytest.approx(wanted.numpy(), abs=1e-4)
    with torch.no_grad():
        plain = [alone(view).softmax(dim=1) for view in (prepared, prepared.flip(-1))]
    plain = (sum(plain) / 2).numpy()
    other = images.copy()
    other[:40] = images[40:80]
    for these, their_labels in ((other, labels), (images[:90], labels[:90])):
        answers = said(these, their_labels)  # these are not what it remembers
        assert answers[40:90] == pytest.approx(plain[40:90], abs=1e-4)


def test_a_memory_survives_being_made_faster_and_exported(
    run: RunFolder, tiny_config: RunConfig, tmp_path: Path
) -> None:
    assert remember(run, tiny_config.data) == 0
    checkpoint = load_checkpoint(run.path)
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), dtype=np.uint8)
    fused = fused_probabilities(checkpoint)
    assert fused != checkpoint.probabilities, "batch norm goes into the convolutions as before"
    assert np.allclose(fused(images), checkpoint.probabilities(images), atol=TOLERANCE)
    pytest.importorskip("onnxruntime", reason="pip install -r requirements-export.txt")
    assert main(["export", str(run.path), "--out", str(tmp_path / "model.onnx")]) == 0
    import onnx

    operations = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert "Loop" not in operations, "a turn for every remembered face"


def test_a_header_that_promises_another_memory_is_refused(
    run: RunFolder, tiny_config: RunConfig
) -> None:
    assert remember(run, tiny_config.data) == 0
    header, state = read_header(run.weights), load_file(run.weights)
    for faces, kept, words in (
        (900_000, state, "its header says 900,000 remembered faces, it holds 1"),
        (50, learned_weights(state), "its header says 50 remembered faces, it holds none"),
    ):
        options = {**header["model_options"], "remembered": faces}
        save_weights(
            run.weights,
            kept,
            model_name=header["model"],
            model_options=options,
            preprocessing=Preprocessing.from_dict(header["preprocessing"]),
            class_names=tuple(header["class_names"]),
        )
        with pytest.raises(CheckpointError, match=words):
            load_checkpoint(run.path)


def test_who_cannot_have_one_keeps_its_files(
    run: RunFolder,
    tiny_config: RunConfig,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("\n".join(Path(tiny_config.data).read_text().splitlines()[:150]))
    few = create_run(tiny_config, tmp_path / "runs", "few")
    layers = replace(tiny_config, model="mlp", model_options={})
    mlp = create_run(layers, tmp_path / "runs", "mlp")
    for folder in (few, mlp):
        execute_run(folder)
    for folder, data, words in (
        (run, str(other), "has another fingerprint; what it remembers are its own training"),
        (few, tiny_config.data, "chosen on at least 50 validation images, got 42"),
        (mlp, tiny_config.data, "mlp is a mlp, which cannot have a memory"),
    ):
        kept = {path.name: path.read_bytes() for path in folder.path.iterdir() if path.is_file()}
        assert remember(folder, data) == 2
        assert words in capsys.readouterr().err
        now = {path.name: path.read_bytes() for path in folder.path.iterdir() if path.is_file()}
        assert now == kept


def test_a_memory_is_no_setting_of_a_run(tiny_config: RunConfig) -> None:
    with pytest.raises(ConfigError, match="use python -m fer_core remember on the finished run"):
        tiny_config.with_settings(["model_options.remembered=7"])


def test_a_memory_that_is_broken_off_leaves_the_run_as_it_was(
    run: RunFolder, tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*what: object) -> None:
        raise KeyboardInterrupt

    before = {file.name: file.read_bytes() for file in run.path.iterdir() if file.is_file()}
    monkeypatch.setattr("fer_core.training.remember.recalibrate", breaks)
    with pytest.raises(KeyboardInterrupt):
        give_memory(run, load_run_data(tiny_config).faces)
    after = {file.name: file.read_bytes() for file in run.path.iterdir() if file.is_file()}
    assert after == before
    assert not list(run.path.glob(".remember*"))
