"""What is said of a sweep: its state as a whole, its counts, its reasons, its table."""

from __future__ import annotations

import re

import pytest
from standins import text_of

from fer_core.comparison.sweeps.document import TableDocument
from fer_core.runs.config import RunConfig
from fer_core.training.sweep import Sweep, plan_sweep
from fer_core.training.sweep_queue import SweepProgress
from fer_core.ui.experiments.sweeps import board


@pytest.fixture
def sweep() -> Sweep:
    return plan_sweep("one", RunConfig(recipe="quick", epochs=2), {"optimizer": ("sgd", "adam")})


def progress(*states: str, **reasons: str) -> SweepProgress:
    runs = {f"run-{number}": state for number, state in enumerate(states)}
    return SweepProgress(runs, 1200.0, 5000, 1200, 90.0, reasons)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("finished", "failed", "queued", "running"), "running"),
        (("finished", "failed", "queued"), "queued"),
        (("finished", "stopped", "interrupted", "failed"), "failed"),
        (("finished", "stopped", "interrupted"), "interrupted"),
        (("finished", "stopped"), "stopped"),
        (("finished", "finished"), "finished"),
        (("finished", "missing"), "stopped"),
        (("missing",), "stopped"),
    ],
)
def test_the_whole_is_as_the_liveliest_run_or_the_one_in_most_trouble(
    states: tuple[str, ...], whole: str
) -> None:
    assert board.overall_state(progress(*states)) == whole


def test_runs_are_counted_by_their_state(sweep: Sweep) -> None:
    said = text_of(board.status_html(sweep, progress("finished", "running", "queued", "queued")))
    assert "runs finished 1 of 4 runs running 1 runs waiting 2 epochs 1,200 of 5,000" in said
    assert "time left, about 1 min 30 s" in said
    assert "Now: run-1" in said
    ended = text_of(board.status_html(sweep, progress("failed", "failed")))
    assert "runs finished 0 of 2 runs failed 2" in ended
    assert "time left" not in ended
    assert "Now:" not in ended


def test_of_many_reasons_the_first_are_said_and_the_rest_counted(sweep: Sweep) -> None:
    reasons = {f"run-{number}": f"reason {number}" for number in range(5)}
    said = text_of(board.status_html(sweep, progress(*["failed"] * 5, **reasons)))
    assert "run-2 failed: reason 2" in said
    assert "reason 3" not in said
    assert said.endswith("… and 2 more failed.")
    three = dict(list(reasons.items())[:3])
    assert "more failed" not in text_of(board.status_html(sweep, progress("failed", **three)))


def test_the_best_row_alone_is_marked_and_in_its_first_cell() -> None:
    rows = (("sgd", "60.0"), ("adam", ""))
    table = board.table_html(
        TableDocument("t", ("optimizer", "%"), rows, ("o",), (("sgd",),), frozenset({1}), {0})
    )
    marked = [re.sub("<.*?>", "", cell) for cell in re.findall("<td.*?</td>", table)]
    assert marked == ["sgd best", "60.0", "adam", "–"]
    assert table.count("<tr class='best'>") == 1
