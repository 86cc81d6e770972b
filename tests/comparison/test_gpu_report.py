"""The page about training speed says what was measured."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fer_core.cli import main
from fer_core.comparison.costs.gpu_report import (
    measure_training,
    training_document,
    write_training_report,
)
from fer_core.runs.config import RunConfig


def test_every_figure_of_the_page_is_of_one_measurement(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config, heard = replace(tiny_config, epochs=2), []
    report = measure_training(
        config,
        torch.device("cpu"),
        targets=(0.01, 0.99),
        steps=4,
        workers=0,
        show=heard.append,
        settings={"as it is": config},
    )
    own, usual = training_document(report).records()
    assert own["images_per_second"] == report["settings"]["as it is"]["images_per_second"]
    assert own["ratio"] == pytest.approx(own["images_per_second"] / usual["images_per_second"])
    assert own["seconds_to_0.01"] > 0
    assert own["seconds_to_0.99"] is None
    assert own["epochs"] == 2
    assert own["remembering"] == report["settings"]["as it is"]["remembering"]
    assert own["remembered"] > own["seconds_to_0.01"]
    assert len(heard) == 3
    write_training_report(report, tmp_path / "gpu.md")
    text = (tmp_path / "gpu.md").read_text()
    assert "not reached" in text
    assert "data/tiny.csv" in text
    assert str(tmp_path) not in text


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_without_a_gpu_the_command_says_so(
    tiny_config: RunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--gpu", "--data", tiny_config.data]) == 2
    assert "torch finds no CUDA GPU here" in capsys.readouterr().err
