"""Steps that a GPU records and replays; the GPU's part is played by a stand-in on the CPU."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

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


class _Gpu:
    """asked: what was asked of torch.cuda, in order; waiting: what it does about work that waits;
    recording: whether a recording is under way."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting = "default"
        self.recording = False


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> _Gpu:
    """torch.cuda as far as `Recorded` needs it."""
    gpu = _Gpu()

    class Graph:
        def register_generator_state(self, generator: torch.Generator) -> None:
            gpu.asked.append("generator")

        def replay(self) -> None:
            gpu.asked.append("replay")

    @contextlib.contextmanager
    def graph(recording: Graph, stream: _Stream) -> Iterator[None]:
        gpu.asked.append("record")
        gpu.recording = True
        try:
            yield
        except RuntimeError as error:  # the end of a recording that failed is an error, too
            raise RuntimeError("capture failed") from error
        finally:
            gpu.recording = False

    def set_mode(mode: str) -> None:
        gpu.waiting = mode

    monkeypatch.setattr(torch.cuda, "Stream", _Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", _Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: gpu.waiting)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", set_mode)
    return gpu


def test_work_is_done_thrice_then_recorded_and_replayed(gpu: _Gpu) -> None:
    work = Recorded(lambda: gpu.asked.append("work"), _CPU, (torch.Generator(),))
    for _ in range(5):
        work()
    assert gpu.asked == [*["work"] * 3, "generator", "record", "work", "replay", "replay"]


def test_work_that_waits_for_the_device_is_never_recorded(
    gpu: _Gpu, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        if gpu.waiting == "error":
            raise RuntimeError("called a synchronizing CUDA operation")
        gpu.asked.append("work")

    repeated = Recorded(work, _CPU)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            repeated()
    assert gpu.asked == ["work"] * 5
    assert gpu.waiting == "default"
    assert "cannot be recorded: called a synchronizing" in caplog.text
    assert len(caplog.records) == 1


def test_work_whose_recording_fails_is_done_as_it_stands(
    gpu: _Gpu, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        if gpu.recording:
            raise RuntimeError("operation not permitted when stream is capturing")
        gpu.asked.append("work")

    repeated = Recorded(work, _CPU, (torch.Generator(),))
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            repeated()
    # after the one that fails a recording that ends well, for the generators
    recordings = ["generator", "record", "generator", "record"]
    assert gpu.asked == [*["work"] * 3, *recordings, "work", "work"]
    assert len(caplog.records) == 1


def test_work_that_takes_long_anyway_is_not_recorded(
    gpu: _Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) * 0.2)
    monkeypatch.setattr("fer_core.training.recorded.time", clock)
    work = Recorded(lambda: gpu.asked.append("work"), _CPU)
    for _ in range(5):
        work()
    assert gpu.asked == ["work"] * 5


class _Replayed:
    """In the place of `Recorded`: from the second call on the work's gradients are copied into the
    tensors of the first, and the weights keep those that they have."""

    def __init__(
        self, work: Callable[[], None], device: torch.device, generators: object = ()
    ) -> None:
        self.work, self.calls = work, 0

    def __call__(self) -> None:
        self.calls += 1
        gradients = self.work.__self__._gradients
        weights = list(gradients.model.parameters())
        if self.calls == 1:
            self.work()
            self.first = [value.grad for value in weights]
            return
        before = [value.grad for value in weights]
        gradients.clear()
        gradients.learn(self.work.__self__._positions, self.work.__self__._rows)
        for value, first, kept in zip(weights, self.first, before, strict=True):
            first.copy_(value.grad)
            value.grad = kept


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_replayed_steps_learn_what_plain_ones_learn(
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
