"""reproduce: a reference's run is made, kept, resumed; the table is written from run folders."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.cli.reproduce_commands import _better
from fer_core.comparison.references.rows import ReferenceRow, read_row
from fer_core.comparison.references.table import BEGIN, END, read_reference_rows, reference_document
from fer_core.paths import RunFolder
from fer_core.runs import references
from fer_core.runs.record import read_progress, read_record, write_progress
from fer_core.runs.references import Reference

_SMALL = Reference(
    "small",
    "A",
    "a small one",
    "quick",
    0.5,
    part="validation",
    settings=("epochs=3", "model_options.widths=[4,8,8]", "batch_size=32", "device=cpu"),
    small=("epochs=2",),
    small_note="2 of 3 epochs",
)


@pytest.fixture(autouse=True)
def one_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "REFERENCES", {"small": _SMALL})


def _reproduce(tiny_csv: Path, tmp_path: Path, *more: str) -> str:
    out = tmp_path / "results" / "reference.md"
    words = ["reproduce", "--data", str(tiny_csv), "--runs", str(tmp_path / "runs")]
    assert main([*words, "--out", str(out), *more]) == 0
    return out.read_text()


def test_the_table_says_what_the_run_folder_says(tiny_csv: Path, tmp_path: Path) -> None:
    text = _reproduce(tiny_csv, tmp_path)
    record = read_record(RunFolder(tmp_path / "runs" / "small"))
    row = next(line for line in text.splitlines() if "a small one: small" in line)
    low, high = record["validation"]["interval"]
    assert f"{record['validation']['accuracy']:.2%}" in row
    assert f"{low:.2%} to {high:.2%}" in row
    assert "126 / 42 / 42" in row
    assert "2 of 2" in row
    assert "2 of 3 epochs" in row
    assert "reproduce small --whole" in row


def test_what_is_finished_is_kept(tiny_csv: Path, tmp_path: Path) -> None:
    _reproduce(tiny_csv, tmp_path)
    record = tmp_path / "runs" / "small" / "record.json"
    before = record.stat().st_mtime_ns
    _reproduce(tiny_csv, tmp_path)
    assert record.stat().st_mtime_ns == before


def test_a_folder_with_other_settings_is_not_touched(
    tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _reproduce(tiny_csv, tmp_path)
    words = ["reproduce", "--data", str(tiny_csv), "--runs", str(tmp_path / "runs"), "--whole"]
    assert main([*words, "--out", str(tmp_path / "other.md")]) == 2
    assert "other settings (epochs 2 instead of 3" in capsys.readouterr().err


def test_what_was_not_run_says_so(tiny_csv: Path, tmp_path: Path) -> None:
    text = _reproduce(tiny_csv, tmp_path, "--table-only")
    assert "not run yet" in text
    row = read_row(_SMALL, RunFolder(tmp_path / "runs" / "small"))
    assert read_reference_rows, reference_document([row]).plain_rows[0][-2:] == ("not run", "whole")


def test_the_verdict_sees_the_published_figure_from_our_interval() -> None:
    for interval, verdict in (
        ((0.3, 0.4), "below"),
        ((0.45, 0.55), "level"),
        ((0.6, 0.7), "above"),
    ):
        row = ReferenceRow(_SMALL, "finished", value=sum(interval) / 2, interval=interval)
        assert row.verdict == verdict


def test_the_marked_table_of_a_readme_is_replaced(tiny_csv: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    _reproduce(tiny_csv, tmp_path, "--table-only", "--readme", str(readme))
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "50.00%" in text
    readme.write_text("no marks")
    words = ["reproduce", "--data", str(tiny_csv), "--runs", str(tmp_path / "runs")]
    more = ["--out", str(tmp_path / "x.md"), "--table-only", "--readme", str(readme)]
    assert main([*words, *more]) == 2
    assert readme.read_text() == "no marks"


def test_runs_beside_each_other_end_like_runs_one_by_one(tiny_csv: Path, tmp_path: Path) -> None:
    one = _reproduce(tiny_csv, tmp_path / "one")
    beside = _reproduce(tiny_csv, tmp_path / "beside", "--jobs", "2")
    rows = [
        next(line for line in text.splitlines() if "a small one: small" in line)
        for text in (one, beside)
    ]
    figures = [[cell.strip() for cell in row.split("|")[4:9]] for row in rows]
    assert figures[0] == figures[1]
    assert figures[0][1].endswith("%")


def test_rows_that_were_run_elsewhere_stay_in_the_table(
    tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [line for line in _reproduce(tiny_csv, tmp_path).splitlines() if "|" in line]
    said = capsys.readouterr().out
    out = tmp_path / "results" / "reference.md"
    words = ["reproduce", "--data", str(tiny_csv), "--runs", str(tmp_path / "empty")]
    assert main([*words, "--out", str(out), "--table-only"]) == 0
    assert [line for line in out.read_text().splitlines() if "|" in line] == before
    assert capsys.readouterr().out == said
    assert "small,accuracy" in out.with_suffix(".csv").read_text()


def test_a_run_that_came_to_nothing_leaves_the_table_as_it_is(
    tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _reproduce(tiny_csv, tmp_path)
    out = tmp_path / "results" / "reference.md"
    words = ["reproduce", "--data", str(tmp_path / "nope.csv"), "--runs", str(tmp_path / "empty")]
    capsys.readouterr()
    assert main([*words, "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "small failed" in said.err
    assert "stays as it was" in said.out
    assert out.read_text() == before


def test_a_finished_row_is_not_replaced_by_less() -> None:
    done = ReferenceRow(_SMALL, "finished", value=0.5, interval=(0.4, 0.6))
    part = ReferenceRow(_SMALL, "interrupted", value=0.3, interval=(0.2, 0.4))
    failed, none = ReferenceRow(_SMALL, "failed", "no data"), ReferenceRow(_SMALL, "not run")
    assert all(_better(row, done) is done for row in (part, failed, none))
    assert _better(replace(done, value=0.4), done).value == 0.4
    assert _better(failed, part) is part
    assert _better(part, failed) is part
    assert _better(failed, None) is failed


def test_a_damaged_table_is_no_row(tmp_path: Path) -> None:
    assert read_reference_rows(tmp_path / "none.md") == {}
    (tmp_path / "bad.csv").write_text("name,state\nsmall,finished\n")
    assert read_reference_rows(tmp_path / "bad.md") == {}


def test_a_run_stopped_on_the_page_goes_on_beside_others(tiny_csv: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs" / "small")
    _reproduce(tiny_csv, tmp_path)
    folder.record.unlink()
    write_progress(folder, replace(read_progress(folder), state="stopped"))
    _reproduce(tiny_csv, tmp_path, "--jobs", "2")
    assert read_progress(folder).state == "finished"
    assert folder.record.is_file()
