"""Commands on data, recipes and runs: their JSON has its documented keys."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from asked import json_of

from fer_core.cli import main
from fer_core.cli.parser import _parser
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig


def test_train_alone_takes_the_quick_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worked: list[RunConfig] = []

    def work(chosen: object, folder: RunFolder) -> int:
        worked.append(RunConfig.from_json(folder.config.read_text()))
        return 0

    monkeypatch.setattr("fer_core.cli.training_commands._work", work)
    assert main(["train", "--run", str(tmp_path / "alone")]) == 0
    assert "the recipe quick" in capsys.readouterr().err
    assert main(["train", "--data", "drawn", "--run", str(tmp_path / "named")]) == 0
    assert "quick" not in capsys.readouterr().err
    assert [config.recipe for config in worked] == ["quick", "custom"]


def test_commands_work_in_the_runs_folder_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "kept"))
    worked: list[Path] = []
    monkeypatch.setattr(
        "fer_core.cli.training_commands._work",
        lambda chosen, folder: worked.append(folder.path) or 0,
    )
    assert main(["train", "--recipe", "quick"]) == 0
    assert [path.parent for path in worked] == [tmp_path / "kept"]
    assert _parser().parse_args(["sweeps"]).runs == tmp_path / "kept"
    assert _parser().parse_args(["reproduce", "--data", "x"]).runs == tmp_path / "kept/reference"


def test_models_lists_size_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json_of(capsys, "models")
    assert {"name", "parameters", "trainable", "gflops"} <= set(rows[0])
    assert {"expressnet", "competition_baseline"} <= {row["name"] for row in rows}


def test_recipes_lists_whole_configurations(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in json_of(capsys, "recipes")}
    assert {"quick", "competition_baseline", "expressnet"} <= set(rows)
    assert rows["competition_baseline"]["config"]["batch_size"] == 400


def test_recipes_are_told_within_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "quick: Quick look" in lines
    assert max(map(len, lines)) <= 72


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "fer_core", "recipes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
        assert asked.stdout is not None
        assert asked.stderr is not None
        asked.stdout.close()  # as `head` does
        assert asked.stderr.read() == b""
        assert asked.wait(timeout=60) == 0


def test_audit_counts(capsys: pytest.CaptureFixture[str], tiny_csv: Path) -> None:
    values = json_of(capsys, "audit", str(tiny_csv))
    assert values["images"] == 210
    assert values["counts"]["angry"] == 30
    assert values["counts_per_split"]["test"]["angry"] == 6


def test_an_audit_is_told_in_a_table(capsys: pytest.CaptureFixture[str], tiny_csv: Path) -> None:
    lines = tiny_csv.read_text().splitlines()
    tiny_csv.write_text("\n".join([*lines[:5], "3,1 2 3,Training", *lines[5:]]) + "\n")
    assert main(["audit", str(tiny_csv)]) == 0
    said = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line}
    assert rows["class"] == ["class", "train", "validation", "test", "all", "share"]
    assert rows["angry"] == ["angry", "18", "6", "6", "30", "14.3", "%"]
    assert rows["all"] == ["all", "126", "42", "42", "210"]
    assert "cannot be read: 1 (rows count from 0" in said
    assert "\n  row 4: 3 numbers" in said
    assert max(map(len, said.splitlines())) <= 80
    assert not set("{[") & set(said), "a person reads this, not a program"


def test_a_set_that_cannot_be_split_is_audited_all_the_same(
    capsys: pytest.CaptureFixture[str], tiny_csv: Path
) -> None:
    lines = tiny_csv.read_text().splitlines()
    only_test = [lines[0], *(line for line in lines if line.endswith("PrivateTest"))]
    tiny_csv.write_text("\n".join(only_test) + "\n")
    assert main(["audit", str(tiny_csv), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["images"] == 42
    assert "no split yet: " in said.err


def test_train_evaluate_and_resume(
    capsys: pytest.CaptureFixture[str], run: Path, tiny_csv: Path
) -> None:
    values = json_of(capsys, "evaluate", str(run), "--data", str(tiny_csv))
    assert {"accuracy", "interval", "macro_f1", "n", "per_class", "left_out"} <= set(values)
    assert 0 <= values["interval"][0] <= values["accuracy"] <= values["interval"][1] <= 1
    assert values["n"] == 42
    record = json.loads((run / "record.json").read_text())
    assert values["accuracy"] == record["test"]["accuracy"]
    assert main(["resume", str(run)]) == 2
    assert "one is finished" in capsys.readouterr().err
