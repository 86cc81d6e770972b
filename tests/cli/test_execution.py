"""Runs executed by a command: their lines on standard error, and what an interruption says."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tqdm import tqdm

from fer_core.cli import main
from fer_core.cli.arguments import chosen_place, output_file, output_folder
from fer_core.cli.execution import execute_all, execute_here
from fer_core.paths import DEFAULT_RUNS, RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import Progress, RunError, append_epoch, run_lock, write_progress
from fer_core.training.job import create_run

Execute = Callable[[RunFolder, Callable[[Progress], None]], Progress]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return create_run(RunConfig(recipe="quick", epochs=2), tmp_path, "one")


@pytest.fixture
def replace_training(monkeypatch: pytest.MonkeyPatch) -> Callable[[Execute], None]:
    return lambda execute: monkeypatch.setattr("fer_core.training.run.execute_run", execute)


def test_every_finished_epoch_is_a_line(
    folder: RunFolder,
    replace_training: Callable[[Execute], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def train(run: RunFolder, show: Callable[[Progress], None]) -> Progress:
        for epoch in (1, 2):
            show(Progress("running", epoch=epoch - 1, epochs=2, step=3, steps=5))
            shares = {"train_accuracy": 0.5, "validation_accuracy": 0.25 * epoch}
            append_epoch(
                run, {"epoch": epoch, "train_loss": 1.5, "validation_loss": 1.25, **shares}
            )
            show(Progress("running", epoch=epoch, epochs=2, steps=5))
        return Progress("failed", reason="no room on the disk")

    replace_training(train)
    assert execute_here(folder).state == "failed"
    told = capsys.readouterr().err
    assert f"run: {folder.path}" in told
    assert "epoch   1  train 1.5000 50.00%  validation 1.2500 25.00%" in told
    assert told.count("epoch   2") == 1
    assert "failed: no room on the disk" in told


def test_an_interrupted_run_says_how_to_go_on(
    folder: RunFolder,
    replace_training: Callable[[Execute], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def train(run: RunFolder, show: Callable[[Progress], None]) -> Progress:
        raise KeyboardInterrupt

    replace_training(train)
    write_progress(folder, Progress("stopped"))
    assert main(["resume", str(folder.path)]) == 130
    assert f"go on with: python -m fer_core resume {folder.path}" in capsys.readouterr().err


def test_a_run_in_other_hands_is_refused(folder: RunFolder) -> None:
    with (
        run_lock(folder).acquire(),
        pytest.raises(RunError, match="another process works on one; wait for it or stop it"),
    ):
        execute_here(folder)  # after five seconds of waiting


def test_all_runs_of_a_plan_are_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    work = iter([("a", Progress("finished")), ("b", Progress("failed", reason="no memory"))])
    seen: list[int] = []
    ended = execute_all(work, 3, tqdm(total=3, disable=True), lambda: seen.append(len(seen)))
    assert ended == ["finished", "failed"]
    assert capsys.readouterr().err == "1/3  a  finished\n2/3  b  failed: no memory\n"
    assert seen == [0, 1]


def test_an_interrupted_plan_goes_on_with_the_same_command() -> None:
    def work() -> Iterator[tuple[str, Progress]]:
        yield "a", Progress("finished")
        raise KeyboardInterrupt

    bar = tqdm(total=2, disable=True)
    with pytest.raises(KeyboardInterrupt, match="the same command again goes on"):
        execute_all(work(), 2, bar, lambda: None)


def test_a_run_is_placed_where_it_is_asked_for(tmp_path: Path) -> None:
    assert chosen_place(tmp_path / "runs" / "mine") == (tmp_path / "runs", "mine")
    assert chosen_place(None) == (DEFAULT_RUNS, None)
    for odd in ("", ".", "/", str(Path.cwd())):
        with pytest.raises(ValueError, match="must name a folder of its own"):
            chosen_place(Path(odd))


def test_a_place_that_is_closed_to_writing_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda place, mode: Path(place) != tmp_path)
    for kind, name in ((output_file, "a/b/out.md"), (output_folder, "new")):
        with pytest.raises(argparse.ArgumentTypeError, match=f"{tmp_path} is closed to writing"):
            kind(str(tmp_path / name))
    (tmp_path / "open").mkdir()
    assert output_file(str(tmp_path / "open" / "out.md")) == tmp_path / "open" / "out.md"
