"""A record whose fields are of other kinds is refused with file and field, and hides no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fer_core.cli import main
from fer_core.comparison.costs.efficiency import scored_sets
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.leaderboard import damaged_records, leaderboard
from fer_core.runs.record import (
    RunError,
    checked_record,
    list_runs,
    read_epochs,
    read_progress,
    read_record,
    record_fault,
)

_SCORES = {"accuracy": 0.5, "interval": [0.4, 0.6], "macro_f1": 0.5, "weighted_f1": 0.5, "n": 9}
#: What is written into a record, and what is said of it.
_ODD: list[tuple[dict[str, Any], str]] = [
    ({"validation": 5}, "validation must be a table, got 5"),
    ({"test": "x"}, "test must be a table, got 'x'"),
    ({"model": []}, "model must be a table, got []"),
    ({"data": [1]}, "data must be a table, got [1]"),
    ({"data": {"counts": {"train": {"sad": "x"}}}}, "data.counts.train.sad must be a whole number"),
    ({"test": {**_SCORES, "per_class": 3}}, "test.per_class must be a list, got 3"),
    ({"test": {**_SCORES, "per_class": [7]}}, "test.per_class[0] must be a table, got 7"),
    ({"test": {**_SCORES, "per_class": [{}]}}, "test.per_class[0].class must be a text, got none"),
    ({"test": {**_SCORES, "confusion": [[1, 2], [3]]}}, "test.confusion must be square"),
    ({"test": {**_SCORES, "interval": 0.5}}, "test.interval must be a list of 2, got 0.5"),
    ({"test": {**_SCORES, "accuracy": "high"}}, "test.accuracy must be a number from 0 to 1"),
    ({"validation": {**_SCORES, "n": 10**30}}, "validation.n must be a whole number"),
    ({"epochs_run": True}, "epochs_run must be a whole number from 0 on, got True"),
    ({"seconds": 10**400}, "seconds must be a number, got 1000"),
]


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """write_run(name, **changes of its record) → a finished run's folder."""

    def write(name: str, **changes: Any) -> Path:
        folder = shutil.copytree(SHIPPED_CHECKPOINTS / "expressnet-nano", tmp_path / "runs" / name)
        record = json.loads((folder / "record.json").read_text())
        (folder / "record.json").write_text(json.dumps({**record, **changes}))
        return folder

    return write


@pytest.mark.parametrize(("changes", "said"), _ODD, ids=[said[:40] for _, said in _ODD])
def test_file_and_field_are_named(
    write_run: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    said: str,
) -> None:
    good, odd = write_run("good"), write_run("odd", **changes)
    assert read_record(RunFolder(odd)) is None
    assert said in record_fault(RunFolder(odd))
    for words in (["trials", str(odd)], ["compare", str(good), str(odd)], ["ship", str(odd), "x"]):
        assert main(words) == 2
        assert f"error: odd/record.json is damaged: {said}" in capsys.readouterr().err


def test_a_network_is_asked_without_its_record(
    write_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = write_run("odd", test="x", data=4)
    assert main(["domain", str(odd), "--data", "drawn:20"]) == 0
    found = capsys.readouterr()
    assert "left out: odd/record.json is damaged: data must be a table, got 4" in found.err
    assert "Its figures on its own test images are not known" in found.out


@pytest.mark.parametrize("text", ["5", "[]", "{", "[" * 100_000, "\xff"])
def test_a_record_that_is_no_table_is_damaged(write_run: Callable[..., Path], text: str) -> None:
    odd = RunFolder(write_run("odd"))
    odd.record.write_bytes(text.encode("latin-1"))
    assert read_record(odd) is None
    with pytest.raises(RunError, match=r"odd/record\.json is damaged: it holds no JSON table"):
        checked_record(odd)


def test_a_field_that_is_needed_is_missed(write_run: Callable[..., Path]) -> None:
    run = RunFolder(write_run("odd", model={"name": "expressnet"}, test=None))
    assert checked_record(run, "model.name", "test.accuracy") is not None  # there are no scores
    with pytest.raises(RunError, match=r"odd/record\.json has no model\.gflops"):
        checked_record(run, "model.gflops")


def test_one_damaged_run_hides_no_other(
    write_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run("good")
    write_run("odd", test={**_SCORES, "per_class": 3})
    runs, nowhere = tmp_path / "runs", tmp_path / "nowhere"
    states = leaderboard(runs, nowhere).set_index("name")["state"]
    assert states["odd"] == "damaged record"
    [fault] = damaged_records(runs, nowhere)
    assert "odd/record.json is damaged: test.per_class must be a list" in fault
    assert main(["efficiency", "--runs", str(runs), "--json"]) == 0
    found = capsys.readouterr()
    assert f"left out: {fault}" in found.err
    names = [row["name"] for group in json.loads(found.out) for row in group["models"]]
    assert "good" in names
    assert "odd" not in names


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "odd/config.json is no UTF-8 text"),
        (b"[" * 100_000, "odd/config.json: the configuration is not JSON"),
        (b'{"epochs": ' + b"9" * 5000 + b"}", "odd/config.json: the configuration is not JSON"),
        (b'{"epochs": []}', "odd/config.json: epochs must be a number"),
    ],
    ids=["no text", "deep", "long number", "list"],
)
def test_the_file_of_odd_settings_is_named(
    write_run: Callable[..., Path], capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    odd = write_run("odd")
    (odd / "config.json").write_bytes(content)
    assert main(["ship", str(odd), "x"]) == 2
    assert f"error: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("settings", [{"image_size": []}, {"test_share": 10**400}])
def test_odd_settings_hide_no_scored_run(
    write_run: Callable[..., Path], tmp_path: Path, settings: dict[str, Any]
) -> None:
    odd = write_run("odd")
    (odd / "config.json").write_text(json.dumps({"data": "drawn", **settings}))
    [group] = scored_sets(tmp_path / "runs", tmp_path / "nowhere")
    assert list(group.folders) == ["odd"]


def test_odd_figures_of_epochs_and_progress_are_left_out(write_run: Callable[..., Path]) -> None:
    odd = RunFolder(write_run("odd"))
    odd.epochs.write_text('{"epoch": 1, "seconds": "x"}\n{"epoch": 2, "seconds": 3}\n[]\n')
    odd.progress.write_text('{"state": "running", "queued_at": "x"}')
    write_run("good")
    assert [epoch["epoch"] for epoch in read_epochs(odd)] == [2]
    assert read_progress(odd).state == "finished"  # by its record
    assert {run.name for run in list_runs(odd.path.parent)} == {"good", "odd"}
