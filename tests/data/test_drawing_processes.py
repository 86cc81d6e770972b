"""Faces drawn by several processes are those that one draws, whatever becomes of the processes."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import drawing_processes, six_classes, synthetic
from fer_core.data.drawing_processes import draw_images
from fer_core.data.synthetic import draw_faces
from fer_core.paths import python_path

COUNT, SIZE = 60, 24


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return draw_faces(COUNT, image_size=SIZE, channels=3).images


def test_the_same_faces_as_drawn_in_one_process(tmp_path: Path, expected: np.ndarray) -> None:
    calls = []
    images = draw_images(
        tmp_path / "images.npy",
        COUNT,
        SIZE,
        3,
        progress=lambda done, total: calls.append((done, total)),
        processes=2,
    )
    assert (images == expected).all()
    assert (np.load(tmp_path / "images.npy") == expected).all()
    assert calls[-1] == (COUNT, COUNT)
    assert [path.name for path in tmp_path.iterdir()] == ["images.npy"]


def test_another_modules_faces_are_drawn_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*call):
        raise AssertionError("the processes draw")

    wanted = np.empty((10, SIZE, SIZE, 3), dtype=np.uint8)
    for row in range(10):
        six_classes.draw_row(wanted, row)
    monkeypatch.setattr(six_classes, "draw_row", here)  # the processes have their own
    path = tmp_path / "images.npy"
    images = draw_images(path, 10, SIZE, 3, processes=2, drawer=six_classes)
    assert (images == wanted).all()
    assert not (images == draw_faces(10, image_size=SIZE, channels=3).images).all()


def test_what_a_failed_process_left_is_drawn_here(
    tmp_path: Path, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def second_fails(call: list[str], **options):
        broken = [sys.executable, "-c", "raise SystemExit(1)"]
        return start(broken if call[-2] == "1" else call, **options)

    monkeypatch.setattr(drawing_processes.subprocess, "Popen", second_fails)
    assert (draw_images(tmp_path / "images.npy", COUNT, SIZE, 3, processes=3) == expected).all()


def test_where_no_process_may_start_all_is_drawn_here(
    tmp_path: Path, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*call, **options):
        raise OSError("no more processes")

    monkeypatch.setattr(drawing_processes.subprocess, "Popen", refused)
    assert (draw_images(tmp_path / "images.npy", COUNT, SIZE, 3, processes=2) == expected).all()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_an_error_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*call, **options):
        raise AssertionError("nothing may be drawn")

    monkeypatch.setattr(drawing_processes.subprocess, "Popen", started)
    monkeypatch.setattr(synthetic, "draw_row", started)
    with pytest.raises(OSError, match=r"written|No space"):
        draw_images(Path("/dev/full"), COUNT, SIZE, 3, processes=2)


def test_who_stops_the_drawing_stops_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = subprocess.Popen

    def noted(call: list[str], **options):
        started.append(start(call, **options))
        return started[-1]

    calls = []

    def stop(done: int, total: int) -> None:
        calls.append(done)
        raise InterruptedError

    monkeypatch.setattr(drawing_processes.subprocess, "Popen", noted)
    with pytest.raises(InterruptedError):
        draw_images(tmp_path / "images.npy", 50_000, SIZE, 3, progress=stop, processes=2)
    assert len(calls) == 1
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_a_process_whose_parent_died_before_it_was_ready_draws_nothing(tmp_path: Path) -> None:
    path, done = tmp_path / "images.npy", tmp_path / "done.npy"
    np.save(path, np.zeros((COUNT, SIZE, SIZE, 3), dtype=np.uint8))
    np.save(done, np.zeros(1, dtype=np.int64))
    environment = {**os.environ, "PYTHONPATH": python_path()}
    for parent, drawn in ((1, 0), (os.getpid(), COUNT)):
        call = ["fer_core.data.synthetic", str(parent), str(path), "0", "1"]
        command = [sys.executable, "-m", drawing_processes.__name__, *call]
        subprocess.run(command, env=environment, check=True)
        assert np.load(done).sum() == drawn


@pytest.mark.skipif(os.name != "posix", reason="signals to a group of processes")
def test_an_interrupt_of_the_group_is_answered_in_one_line(tmp_path: Path) -> None:
    """As Ctrl-C in a terminal, which reaches the drawing processes too."""
    environment = {**os.environ, "PYTHONPATH": python_path(), "FER_CACHE": str(tmp_path)}
    asked = subprocess.Popen(
        [sys.executable, "-m", "fer_core", "audit", "drawn:7000"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a test run in the background of a script ignores interrupts, and so would its children
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("done.npy")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # its processes have begun to start
    os.killpg(asked.pid, signal.SIGINT)
    _, said = asked.communicate(timeout=60)
    assert asked.returncode == 130
    assert "Traceback" not in said
    assert said.strip().endswith("stopped")
