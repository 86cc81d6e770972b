"""The page about training speed says what was measured."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.autograd import DeviceType

from fer_core.cli import main
from fer_core.comparison.costs.gpu_report import (
    measure_training,
    training_document,
    training_page,
)
from fer_core.comparison.costs.step_profile import (
    Kernel,
    kernels_of,
    profile_document,
    profile_steps,
)
from fer_core.comparison.costs.training_speed import warm_training
from fer_core.models import build_model
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import load_run_data


def test_every_figure_of_the_page_is_of_one_measurement(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config, heard, kept = replace(tiny_config, epochs=2), [], []
    report = measure_training(
        config,
        torch.device("cpu"),
        targets=(0.01, 0.99),
        steps=4,
        workers=0,
        show=heard.append,
        keep=lambda report: kept.append(training_page(report)),
        settings={"as it is": config, "again": config},
    )
    own, _, usual = training_document(report).records()
    assert own["images_per_second"] == report["settings"]["as it is"]["images_per_second"]
    assert own["ratio"] == pytest.approx(own["images_per_second"] / usual["images_per_second"])
    assert own["seconds_to_0.01"] > 0
    assert own["seconds_to_0.99"] is None
    assert own["epochs"] == 2
    assert own["remembering"] == report["settings"]["as it is"]["remembering"]
    assert own["remembered"] > own["seconds_to_0.01"]
    assert heard[1] == f"the usual way: {usual['images_per_second']:,.0f} images/s"
    assert f"as it is: {own['images_per_second']:,.0f} images/s" in heard
    text = training_page(report)
    assert kept[1] == text
    assert "as it is" in kept[0]
    assert "again" not in kept[0]
    assert "not reached" in text
    assert "data/tiny.csv" in text
    assert str(tmp_path) not in text
    assert "A step's time, as it is" in text
    assert "none of them: the device waits" in text


def test_a_profile_tells_what_a_step_was_spent_on(tiny_config: RunConfig) -> None:
    warm = warm_training(tiny_config, load_run_data(tiny_config), torch.device("cpu"))
    found = profile_steps(warm.training, steps=3)
    by_name = {kernel.name: kernel for kernel in found.kernels}
    layers = build_model("expressnet_demo", 7, 1, 48, tiny_config.model_options)
    convolutions = sum(isinstance(layer, torch.nn.Conv2d) for layer in layers.modules())
    assert by_name["aten::conv2d"].launches == convolutions
    spent = [kernel.milliseconds for kernel in found.kernels]
    assert spent == sorted(spent, reverse=True)
    assert sum(spent) > 0
    rows = profile_document("as it is", found).records()
    assert sum(row["milliseconds"] for row in rows) == pytest.approx(
        max(found.milliseconds, sum(spent))
    )
    assert len(rows) == 14


def test_the_command_writes_the_page(
    tiny_config: RunConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[RunConfig] = []

    def measure(config: RunConfig, device: torch.device, **options: Any) -> dict[str, Any]:
        asked.append(config)
        one = {"as it is": replace(tiny_config, epochs=1)}
        return measure_training(one["as it is"], device, workers=0, settings=one, **options)

    monkeypatch.setattr("fer_core.comparison.costs.gpu_report.measure_training", measure)
    monkeypatch.setattr("fer_core.training.devices.choose_device", lambda _: torch.device("cpu"))
    out = tmp_path / "new" / "gpu.md"
    words = ["bench", "--gpu", "--data", tiny_config.data, "--set", "batch_size=64", "--json"]
    assert main([*words, "--steps", "2", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"]["as it is"]["epochs"] == 1
    assert "`python -m fer_core bench --gpu --steps 2`" in out.read_text()
    assert asked[0].batch_size == 64
    assert asked[0].data == tiny_config.data


def test_only_kernels_count_as_time_of_the_gpu() -> None:
    def event(key: str, kind: DeviceType, marked: bool = False) -> SimpleNamespace:
        return SimpleNamespace(
            key=key,
            count=4,
            device_type=kind,
            is_user_annotation=marked,
            self_device_time_total=8000.0,
            self_cpu_time_total=2000.0,
        )

    events = [
        event("a convolution", DeviceType.CUDA),
        event("Optimizer.step#SGD.step", DeviceType.CUDA, marked=True),
        event("cudaLaunchKernel", DeviceType.CPU),
    ]
    assert kernels_of(events, 2, cuda=True) == (Kernel("a convolution", 2.0, 4.0),)
    assert kernels_of(events, 2, cuda=False) == (Kernel("cudaLaunchKernel", 2.0, 1.0),)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_without_a_gpu_the_command_says_so(
    tiny_config: RunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--gpu", "--data", tiny_config.data]) == 2
    assert "torch finds no CUDA GPU here" in capsys.readouterr().err
