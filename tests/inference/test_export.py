"""An exported file answers as its checkpoint does, or it is not kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.cli import main
from fer_core.inference import export
from fer_core.inference.export import INPUT, OUTPUT, TOLERANCE, ExportError, export_onnx
from fer_core.paths import SHIPPED_CHECKPOINTS
from fer_core.runs.checkpoint import load_checkpoint

onnxruntime = pytest.importorskip(
    "onnxruntime", reason="onnxruntime is not installed; pip install -r requirements-export.txt"
)
SHIPPED = SHIPPED_CHECKPOINTS / "expressnet"


def test_file_takes_pixels_and_gives_the_checkpoints_probabilities(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "model.onnx"
    assert main(["export", str(SHIPPED), "--out", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["difference"] <= TOLERANCE
    assert said["bytes"] == path.stat().st_size
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    checkpoint = load_checkpoint(SHIPPED)
    names = session.get_modelmeta().custom_metadata_map["class_names"]
    assert json.loads(names) == list(checkpoint.class_names)
    for count in (1, 5):
        faces = np.random.default_rng(count).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)
        (answers,) = session.run([OUTPUT], {INPUT: faces})
        assert np.allclose(answers, checkpoint.probabilities(faces), atol=TOLERANCE)
    assert [entry.name for entry in path.parent.iterdir()] == ["model.onnx"]


def test_file_whose_answers_differ_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_difference", lambda *_given: 0.01)
    with pytest.raises(ExportError, match="differs"):
        export_onnx(load_checkpoint(SHIPPED), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ExportError, match=r"requirements-export\.txt"):
        export_onnx(load_checkpoint(SHIPPED), tmp_path / "model.onnx")
