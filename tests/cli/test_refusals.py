"""Refusals are one line and come before any work; every command has help."""

import argparse
import io
import json
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.cli.output import show_result
from fer_core.cli.parser import _parser
from fer_core.paths import SHIPPED_CHECKPOINTS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("views --data drawn --out TMP", "--out: must name a file such as TMP/out.md, got the fol"),
        (
            "views --data drawn --out v --times 0",
            "--times: must be a whole number from 1 to 100, got 0",
        ),
        (
            "views --data drawn --out v --seed -3",
            "--seed: must be a whole number from 0 to 2147483647, got -3",
        ),
        ("photo-study TMP --data drawn --enlarged 9", "must be a whole number from 1 to 8, got 9"),
        ("views --data drawn --out v --size 4", "--size: must be a whole number from 8 on, got 4"),
        ("domain TMP --data drawn --limit -5", "--limit: must be a whole number from 0 on, got -5"),
        (
            "domain TMP --data drawn --seed -1",
            "--seed: must be a whole number from 0 to 2147483647",
        ),
        ("fine-tune TMP --data drawn --seed -1", "--seed: must be a whole number from 0 to"),
        ("label-changes TMP --data drawn --seed x", "--seed: must be a whole number from 0 to"),
        (f"label-changes TMP --data drawn --seed {10**20}", f"0 to 2147483647, got {10**20}"),
        (f"budget a --epochs 1 --seed {10**20}", "--seed: must be a whole number from 0 to"),
        (f"domain TMP --data drawn --limit {10**20}", f"from 0 to 1000000000, got {10**20}"),
        (f"sweep a --seeds {10**20}", "--seeds: must be a whole number from 1 to 1000000000"),
        ("models --image-size -3", "--image-size: must be a whole number from 8 to 512, got -3"),
        ("models --image-size 100000000", "must be a whole number from 8 to 512, got 100000000"),
        ("trials TMP --out TMP/x.onnx", "--out: must name a page of text such as TMP/x.md, got"),
        ("peers --data drawn --out TMP/x.csv", "--out: must name a page of text such as TMP/x.md"),
        ("export TMP --out TMP/x.md", "--out: must name a file such as TMP/x.onnx, got TMP/x.md"),
        ("submit TMP --data drawn --out TMP/x.md", "--out: must name a file such as TMP/x.csv"),
        ("tuning TMP/nope", "RUN: must name a run's folder such as runs/NAME, TMP/nope is not"),
        ("trials TMP TMP/nope", "trials: must name a run's folder such as runs/NAME, TMP/nope is"),
        (f"tuning {__file__}", f"RUN: must name a folder, {__file__} is a file"),
        (f"sweeps --runs {__file__}", f"--runs: must name a folder, {__file__} is a file"),
        (f"budgets --runs {__file__}", f"--runs: must name a folder, {__file__} is a file"),
        (f"efficiency --runs {__file__}", f"--runs: must name a folder, {__file__} is a file"),
        (f"reproduce --data a --runs {__file__}", f"--runs: must name a folder, {__file__} is"),
        ("export TMP --out TMP", "--out: must name a file such as TMP/out.md"),
        ("alignment-study TMP --data drawn --out TMP", "--out: must name a file such as"),
        ("alignment-study TMP --data drawn --readme no.md", "must name a file, no.md is not there"),
        ("alignment-study TMP --data drawn --count 0", "--count: must be a whole number from 1"),
        ("alignment-study TMP --data drawn --turned 400", "must be 0 to 180 degrees, got 400"),
        ("alignment-study TMP --data drawn --turned -10", "must be 0 to 180 degrees, got -10"),
        ("photo-study TMP --data drawn --out TMP", "--out: must name a file such as"),
        ("bench --webcam --browser /nonexist", "--browser: must name a program, /nonexist is not"),
        (f"bench --webcam --browser {__file__}", f"must name a program, {__file__} is no program"),
        ("bench --predict --fer /nonexist", "--fer: must name a program, /nonexist is not there"),
        (
            "peers --data drawn --fer no-python",
            "--fer: must name a program, no-python is not there",
        ),
        (f"submit TMP --data drawn --out {__file__}/x", f"lie in a folder, {__file__} is a file"),
        (
            f"predict TMP a.png --explain {__file__}/x",
            f"--explain: must lie in a folder, {__file__} is a file",
        ),
        (
            f"ship TMP x --note {SHIPPED_CHECKPOINTS}/expressnet/weights.safetensors",
            "weights.safetensors is no UTF-8 text",
        ),
        ("bench --predict --threads 0", "--threads: must be a whole number from 1 to 1024, got 0"),
        (
            f"predict TMP a.png --marked {__file__}",
            f"--marked: must name a folder, {__file__} is a",
        ),
        ("remember TMP --data drawn --note no.md", "--note: must name a file, no.md is not there"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.replace("TMP", str(tmp_path)).split())
    assert ended.value.code == 2
    assert said.replace("TMP", str(tmp_path)) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "mark"),
    [
        ("alignment-study nothere --data nothere", "<!-- alignment -->"),
        ("peers nothere --data nothere", "<!-- peers -->"),
        ("near-twins nothere --data nothere", "<!-- near-twins -->"),
        ("bench --predict nothere", "<!-- speed -->"),
        ("bench --webcam", "<!-- webcam -->"),
        ("reproduce --data nothere", "<!-- reference table"),
    ],
)
def test_a_readme_without_its_marks_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, mark: str
) -> None:
    readme, out = tmp_path / "README.md", tmp_path / "out.md"
    readme.write_text("no marks")
    assert main([*words.split(), "--readme", str(readme), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"{readme} has no part to renew; write the two lines" in said
    assert mark in said
    assert not out.exists()


def test_a_readme_is_refused_where_none_is_renewed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("text")
    assert main(["bench", "--gpu", "--readme", str(readme)]) == 2
    assert "--readme goes with --predict or --webcam" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--recipe", "slow"), "unknown recipe 'slow'"),
        (("train", "--set", "epochs=0"), "epochs must be 1 to"),
        (("train", "--recipe", "custom", "--set", "epochs=0"), "epochs must be 1 to"),
        (("resume", "nowhere"), "nowhere is no run"),
        (("evaluate", "nowhere", "--data", "drawn"), "holds no weights.safetensors"),
        (("audit", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_a_refusal_is_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert main(list(words)) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.startswith("error: ")
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "command",
    [
        *("audit", "train", "resume", "evaluate", "predict"),
        *("alignment-study", "ship", "models", "recipes", "reproduce", "label-changes"),
        *("sweep", "ablate", "ablation-methods", "sweep-table", "sweeps"),
        *("sweep-stop", "sweep-resume", "sweep-delete"),
        *("compare", "budget", "budgets", "budget-stop", "budget-resume"),
        *("efficiency", "ceiling", "submit", "competition", "domain", "fine-tune", "tuning"),
    ],
)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["audit", "train", "resume", "evaluate", "predict", "models", "recipes"]
)
def test_help_explains_every_argument(command: str) -> None:
    parser = _parser()
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for argument in commands.choices[command]._actions:
        assert argument.help, argument.dest


@pytest.mark.parametrize(
    "words", ["trials NAME", "sweeps --runs NAME", "trials . --out NAME.md", "peers --readme NAME"]
)
def test_a_path_that_the_system_refuses_is_one_line(
    capsys: pytest.CaptureFixture[str], words: str
) -> None:
    """A name that is too long stands for a folder that is closed, which is open to root."""
    assert main(words.replace("NAME", "a" * 300).split()) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: [Errno")
    assert told.count("\n") == 1


def test_one_run_twice_is_refused_as_such(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "one run is given twice" in capsys.readouterr().err


def test_what_is_not_known_is_null_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    nan, infinity = float("nan"), float("inf")
    assert show_result(argparse.Namespace(json=True), {"a": (nan, [infinity, 1.0])}, "") == 0
    assert json.loads(capsys.readouterr().out) == {"a": [None, [None, 1.0]]}


def test_a_terminal_that_lacks_some_signs_gets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(pipe, encoding="latin-1"))
    asked = argparse.Namespace(json=False)
    assert show_result(asked, {}, "Umläute, −0.4 → fl\udcfcche") == 0
    assert pipe.getvalue().decode("latin-1").strip() == "Umläute, ?0.4 ? fl?che"
