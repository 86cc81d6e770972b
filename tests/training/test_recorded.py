"""Steps that a GPU records and replays; the GPU's part is played by a stand-in on the CPU."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from fer_core.runs.config import RunConfig
from fer_core.training import gradients
from fer_core.training.dataset import load_run_data
from fer_core.training.gradients import Gradients
from fer_core.training.loop import Training
from fer_core.training.recorded import Recorded

_CPU = torch.device("cpu")


class _Stream:
    def __init__(self, device: torch.device) -> None:
        self.device = device

    def wait_stream(self, other: object) -> None:
        pass


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """torch.cuda as far as `Recorded` needs it; the list tells what was asked of it."""
    asked: list[str] = []

    class Graph:
        def register_generator_state(self, generator: torch.Generator) -> None:
            asked.append("generator")

        def replay(self) -> None:
            asked.append("replay")

    @contextlib.contextmanager
    def graph(recording: Graph, stream: _Stream) -> Iterator[None]:
        asked.append("record")
        yield

    monkeypatch.setattr(torch.cuda, "Stream", _Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", _Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    return asked


def test_work_is_done_thrice_then_recorded_and_replayed(gpu: list[str]) -> None:
    work = Recorded(lambda: gpu.append("work"), _CPU, (torch.Generator(),))
    for _ in range(5):
        work()
    assert gpu == [*["work"] * 3, "generator", "record", "work", "replay", "replay"]


def test_work_that_cannot_be_recorded_is_done_as_it_stands(
    gpu: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        gpu.append("work")
        if gpu[-2:] == ["record", "work"]:
            raise RuntimeError("operation not permitted when stream is capturing")

    repeated = Recorded(work, _CPU)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            repeated()
    assert gpu == [*["work"] * 3, "record", "work", "work", "work"]
    assert "cannot be recorded: operation not permitted" in caplog.text
    assert len(caplog.records) == 1


class _Replayed:
    """In the place of `Recorded`: the work again and again, into the tensors of the first time."""

    def __init__(
        self, work: Callable[[], None], device: torch.device, generators: object = ()
    ) -> None:
        self.work, self.calls = work, 0

    def __call__(self) -> None:
        self.calls += 1
        self.work()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_recorded_steps_learn_what_plain_ones_learn(
    tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    """Batches of 40, 40, 40 and 6: the small one in between has gradients of its own."""
    config = replace(tiny_config, optimizer=optimizer, batch_size=40, epochs=3)
    data = load_run_data(config)
    plain = [result.train_loss for result in Training(config, data, _CPU).epochs()]
    monkeypatch.setattr(Gradients, "_recordable", lambda self: True)
    monkeypatch.setattr(gradients, "Recorded", _Replayed)
    training = Training(config, data, _CPU)
    assert [result.train_loss for result in training.epochs()] == plain
    assert training.gradients._recording._work.calls == 9


def test_only_a_gpu_records(tiny_config: RunConfig) -> None:
    training = Training(tiny_config, load_run_data(tiny_config), _CPU)
    training.enter_phase()
    assert training.gradients._recording is None
