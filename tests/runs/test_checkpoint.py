"""Damaged or strange weights files are refused in words, never half used; answers tell progress."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from serving import write_checkpoint

from fer_core.inference.fused import fused_probabilities
from fer_core.models import build_model
from fer_core.runs.checkpoint import load_checkpoint, load_start, read_start
from fer_core.runs.config import RunConfig
from fer_core.runs.weights_header import CheckpointError, read_header


def _with_header(folder: Path, text: str) -> Path:
    """A checkpoint whose header is this text."""
    weights = write_checkpoint(folder) / "weights.safetensors"
    save_file(load_file(weights), weights, metadata={"fer_core": text})
    return folder


def _with(folder: Path, **changes: Any) -> Path:
    header = read_header(write_checkpoint(folder) / "weights.safetensors")
    return _with_header(folder, json.dumps({**header, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": float("nan")}, "its temperature must be above 0, got nan"),
        ({"temperature": 0}, "its temperature must be above 0"),
        ({"temperature": 10**400}, "damaged: temperature must be a number, got 1000"),
        ({"model": 5}, "damaged: model must be a text, got 5"),
        ({"model_options": ["dropout"]}, "damaged: model_options must be a table"),
        ({"preprocessing": {"image_size": 0, "mean": [0.5], "std": [0.5]}}, "must be 16 to 512"),
        ({"preprocessing": {"image_size": 10**9, "mean": [0.5], "std": [0.5]}}, "16 to 512"),
        ({"preprocessing": 7}, "damaged: preprocessing must be a table, got 7"),
        ({"preprocessing": {"image_size": 48, "mean": [0.5]}}, "preprocessing.std must be a list"),
        ({"class_names": 3}, "damaged: class_names must be a list, got 3; get the file again"),
        ({"class_names": ["happy"] * 7}, "names a class twice"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(_with(tmp_path / "odd", **changes))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    weights = write_checkpoint(tmp_path / "odd") / "weights.safetensors"
    state, text = load_file(weights), json.dumps(read_header(weights))
    name = next(name for name, weight in state.items() if weight.is_floating_point())
    state[name].view(-1)[0] = value
    save_file(state, weights, metadata={"fer_core": text})
    with pytest.raises(CheckpointError, match=f"{name} holds values that are no finite numbers"):
        load_checkpoint(tmp_path / "odd")


@pytest.mark.parametrize("kind", [torch.int8, torch.int64, torch.bool])
def test_weights_of_another_kind_are_refused(tmp_path: Path, kind: torch.dtype) -> None:
    weights = write_checkpoint(tmp_path / "odd") / "weights.safetensors"
    state, text = load_file(weights), json.dumps(read_header(weights))
    name = next(name for name, weight in state.items() if weight.is_floating_point())
    state[name] = state[name].to(kind)
    save_file(state, weights, metadata={"fer_core": text})
    said = f"{name} must hold floating-point numbers, got {str(kind).removeprefix('torch.')}"
    with pytest.raises(CheckpointError, match=said):
        load_checkpoint(tmp_path / "odd")
    config = RunConfig(**_model_of(weights), start_from=str(tmp_path / "odd"))
    with pytest.raises(CheckpointError, match=f"start_from: .* cannot be used: {said}"):
        load_start(build_model(config.model, 7, 1, 48, config.model_options), config)


def test_answers_that_are_no_numbers_are_an_error(tmp_path: Path) -> None:
    weights = write_checkpoint(tmp_path / "huge") / "weights.safetensors"
    state, text = load_file(weights), json.dumps(read_header(weights))
    for name, weight in state.items():
        state[name] = weight * 1e30 if weight.is_floating_point() else weight
    save_file(state, weights, metadata={"fer_core": text})
    checkpoint = load_checkpoint(tmp_path / "huge")
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), dtype=np.uint8)
    with pytest.raises(CheckpointError, match="huge gives answers that are no numbers"):
        checkpoint.probabilities(images)
    with pytest.raises(CheckpointError, match="huge gives answers that are no numbers"):
        fused_probabilities(checkpoint)(images)


def _model_of(weights: Path) -> dict[str, Any]:
    header = read_header(weights)
    return {"model": header["model"], "model_options": header["model_options"]}


@pytest.mark.parametrize("text", ["[" * 100_000, "7", "{"])
def test_a_header_that_is_no_table_is_damaged(tmp_path: Path, text: str) -> None:
    with pytest.raises(CheckpointError, match=r"the header of .* is damaged"):
        load_checkpoint(_with_header(tmp_path / "odd", text))


def test_a_run_cannot_start_from_pictures_of_an_impossible_size(tmp_path: Path) -> None:
    odd = _with(tmp_path / "odd", preprocessing={"image_size": 4096, "mean": [0.5], "std": [0.5]})
    with pytest.raises(CheckpointError, match="must be 16 to 512"):
        read_start(odd)


def test_progress_counts_every_image_of_both_passes(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "one"))
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), dtype=np.uint8)
    plain: list[tuple[int, int]] = []
    checkpoint.probabilities(images, 2, progress=lambda *seen: plain.append(seen))
    assert plain == [(2, 5), (4, 5), (5, 5)]
    both: list[tuple[int, int]] = []
    told = checkpoint.probabilities(images, 2, True, progress=lambda *seen: both.append(seen))
    assert both == [(2, 10), (4, 10), (5, 10), (7, 10), (9, 10), (10, 10)]
    mirror = checkpoint.probabilities(images[:, :, ::-1], 2)
    assert told == pytest.approx((checkpoint.probabilities(images, 2) + mirror) / 2)
