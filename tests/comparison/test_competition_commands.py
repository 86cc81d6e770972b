"""efficiency, ceiling, submit and competition as commands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fer_core.cli import main
from fer_core.data.readers import read_faces
from fer_core.paths import SHIPPED_CHECKPOINTS


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_submission_goes_into_a_competition(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_csv: Path, write_checkpoint: Any
) -> None:
    table = pd.read_csv(tiny_csv)
    test = tmp_path / "test.csv"
    table[table["Usage"] == "PrivateTest"][["pixels"]].to_csv(test, index=False)
    files = []
    for label in ("happy", "sad"):
        folder = write_checkpoint(tmp_path / label, label)
        out = tmp_path / f"{label}.csv"
        values = answered(capsys, "submit", str(folder), "--data", str(test), "--out", str(out))
        assert values["rows"] == values["predicted"][label] == 42
        files.append(str(out))
    assert pd.read_csv(files[0])["emotion"].unique().tolist() == [3]
    words = ("competition", str(tiny_csv), *files, "--part", "test", "--gflops", "sad=0.5")
    ranked = answered(capsys, *words)
    assert [entrant["accuracy"] for entrant in ranked] == pytest.approx([1 / 7, 1 / 7])
    costs = {entrant["name"]: entrant["efficiency"] for entrant in ranked}
    assert costs == {"happy.csv": None, "sad.csv": pytest.approx(100 / 7 / 0.5)}
    solution = tmp_path / "solution.csv"
    faces = read_faces(tiny_csv)
    labels = faces.labels[faces.source_split == "test"]
    pd.DataFrame({"id": range(42), "emotion": labels}).to_csv(solution, index=False)
    (tmp_path / "bad.csv").write_text("hello\n")
    assert main(["competition", str(solution), str(tmp_path / "bad.csv")]) == 1
    capsys.readouterr()
    assert main(["competition", str(solution), *files, str(tmp_path / "bad.csv")]) == 0
    told = capsys.readouterr().out
    assert "1. happy.csv: accuracy 14.29%" in told
    assert "bad.csv: The first line must name the columns" in told


def test_the_probabilities_can_be_written_too(tmp_path: Path, write_checkpoint: Any) -> None:
    test, out = tmp_path / "test.csv", tmp_path / "new" / "out.csv"
    test.write_text("pixels\n" + " ".join(["7"] * 2304) + "\n")
    folder = str(write_checkpoint(tmp_path / "fear", "fear"))
    words = ["submit", folder, "--data", str(test), "--out", str(out)]
    assert main([*words, "--names", "--probabilities"]) == 0
    row = pd.read_csv(out).iloc[0]
    assert (row["emotion"], row["name"]) == (2, "fear")
    assert sum(row[name] for name in row.index if "probability" in name) == pytest.approx(
        1, abs=1e-3
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gflops", "other=0.3"), "--gflops names a file: a.csv"),
        (("--gflops", "a=much"), "--gflops takes FILE=NUMBER"),
        (("--part", "test"), "has no split of its own"),
    ],
)
def test_refusals_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    labelled, file = tmp_path / "labelled.csv", tmp_path / "a.csv"
    labelled.write_text("emotion,pixels\n3," + " ".join(["7"] * 2304) + "\n")
    file.write_text("id,emotion\n0,3\n")
    assert main(["competition", str(labelled), str(file), *words]) == 2
    assert message in capsys.readouterr().err


def test_efficiency_lists_scored_models_with_the_front(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    groups = answered(capsys, "efficiency", "--runs", str(tmp_path))
    rows = [row for group in groups for row in group["models"]]
    names = {"name", "accuracy", "gflops", "efficiency", "efficiency_fvcore", "front"}
    assert all(names <= set(row) for row in rows)
    assert {path.name for path in SHIPPED_CHECKPOINTS.iterdir()} == {
        row["name"].removeprefix("shipped/") for row in rows
    }
    for group in groups:
        for row in group["models"]:
            beaten = any(
                other["gflops"] <= row["gflops"]
                and other["accuracy"] >= row["accuracy"]
                and (other["gflops"], other["accuracy"]) != (row["gflops"], row["accuracy"])
                for other in group["models"]
            )
            assert row["front"] is not beaten, row["name"]


def test_a_submission_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, tiny_csv: Path, write_checkpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "submission.csv"
    out.write_text("id,emotion\n0,1\n")

    replace = os.replace

    def full(scratch: Path, place: Path) -> None:
        if place == out:
            raise OSError("no space left on device")
        replace(scratch, place)

    monkeypatch.setattr("fer_core.runs.record.os.replace", full)
    folder = write_checkpoint(tmp_path / "happy")
    assert main(["submit", str(folder), "--data", str(tiny_csv), "--out", str(out)]) == 2
    assert out.read_text() == "id,emotion\n0,1\n"
    assert not list(tmp_path.glob(".submission*"))


def test_costs_go_to_the_one_file_that_is_meant(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = ("a", "a.csv", "a.txt")
    paths = [str(tmp_path / name) for name in names]
    for path in paths:
        Path(path).write_text("id,emotion\n0,1\n1,2\n")
    for name in names:  # in full it is meant alone
        ranked = answered(capsys, "competition", paths[1], *paths, "--gflops", f"{name}=0.5")
        assert {one["name"] for one in ranked if one["gflops"]} == {name}
    assert main(["competition", paths[1], *paths[1:], "--gflops", "a=0.5"]) == 2
    assert "a may be a.csv or a.txt" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["efficiency", "ceiling", "submit", "competition"])
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_ceiling_needs_votes(capsys: pytest.CaptureFixture[str], tiny_csv: Path) -> None:
    assert main(["ceiling", "--data", str(tiny_csv)]) == 2
    assert "has no votes" in capsys.readouterr().err


def test_ceiling_of_a_csv_with_its_votes_beside_it(
    capsys: pytest.CaptureFixture[str], tiny_csv: Path
) -> None:
    table = pd.read_csv(tiny_csv)
    votes = pd.DataFrame({"Usage": table["Usage"], "Image name": ""})
    votes["happiness"] = [10 if label == 3 else 5 for label in table["emotion"]]
    votes["unknown"] = 10 - votes["happiness"]
    votes.to_csv(tiny_csv.with_name("fer2013new.csv"), index=False)
    values = answered(capsys, "ceiling", "--data", str(tiny_csv))
    assert values["images"] == 42
    assert values["unanimous"] == pytest.approx(1 / 7)
    assert values["at_least"]["5"] == 1
    assert values["tagger_is_label"] == pytest.approx(1 / 7)
