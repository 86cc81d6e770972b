"""The README says what is there: its figures are the record's, its files and commands exist."""

import json
import re
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.comparison.marks import marks
from fer_core.comparison.references.table import (
    BEGIN,
    END,
    read_reference_rows,
    reference_document,
)
from fer_core.comparison.sweeps.document import to_markdown
from fer_core.paths import SHIPPED_CHECKPOINTS
from fer_core.runs.references import REFERENCES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_front_matter_is_that_of_a_gradio_space() -> None:
    head = dict(
        line.split(": ", 1) for line in README.split("---")[1].strip().splitlines() if ": " in line
    )
    assert head["sdk"] == "gradio"
    assert (ROOT / head["app_file"]).is_file()
    wanted = re.search(r"gradio>=([\d.]+)", (ROOT / "requirements.txt").read_text()).group(1)
    assert head["sdk_version"].startswith(wanted)


def test_it_opens_with_a_picture_that_is_there() -> None:
    body = README.split("---", 2)[2].strip()
    path = re.match(r"!\[.+?\]\((.+?)\)", body).group(1)
    assert (ROOT / path).stat().st_size > 10_000


@pytest.mark.parametrize(
    "name",
    ["expressnet", "expressnet-base", "expressnet-nano", "expressnet-photo", "expressnet-small"],
)
@pytest.mark.parametrize("part", ["validation", "test", "test_without_twins"])
def test_the_shipped_models_figures_are_its_records(part: str, name: str) -> None:
    record = json.loads((SHIPPED_CHECKPOINTS / name / "record.json").read_text())
    scores = record[part]
    low, high = scores["interval"]
    assert f"{scores['accuracy']:.2%} | {low:.2%} to {high:.2%}" in README
    assert record["command"] in README
    assert record["commit"] in README


def test_its_table_of_other_systems_is_the_one_that_the_command_wrote() -> None:
    begin, end = marks("peers")
    written = (ROOT / "results" / "peers.md").read_text(encoding="utf-8").partition("\n\n")[2]
    assert README.partition(begin)[2].partition(end)[0].strip() == written.strip()
    for folder in SHIPPED_CHECKPOINTS.iterdir():
        accuracy = json.loads((folder / "record.json").read_text())["test"]["accuracy"]
        assert re.search(rf"\| {folder.name} +\| +{100 * accuracy:.1f} % \|", written)


def test_its_table_of_near_twins_is_the_one_that_the_command_wrote() -> None:
    begin, end = marks("near-twins")
    written = (ROOT / "results" / "near_twins.md").read_text(encoding="utf-8").partition("\n\n")[2]
    assert README.partition(begin)[2].partition(end)[0].strip() == written.strip()
    rows = [_cells(line) for line in written.splitlines() if line.startswith("|")]
    everything = next(row for row in rows if row[0] == "**all**")
    for folder in SHIPPED_CHECKPOINTS.iterdir():
        accuracy = json.loads((folder / "record.json").read_text())["test"]["accuracy"]
        assert everything[rows[0].index(folder.name)] == f"**{100 * accuracy:.1f} %**"


def test_its_reference_table_is_the_one_that_the_command_wrote() -> None:
    marked = README.partition(BEGIN)[2].partition(END)[0]
    table = [line for line in marked.splitlines() if line.startswith("|")]
    written = (ROOT / "results" / "reference.md").read_text(encoding="utf-8")
    rows = [_cells(line) for line in written.splitlines() if line.startswith("|")]
    places = [rows[0].index(name) for name in _cells(table[0])]
    assert [_cells(line) for line in table[2:]] == [
        [row[place] for place in places] for row in rows[2:]
    ]
    assert len(table) == len(REFERENCES) + 2


def test_the_reference_rows_are_read_back_as_they_were_written() -> None:
    path = ROOT / "results" / "reference.md"
    rows = read_reference_rows(path)
    assert list(rows) == list(REFERENCES)
    written = [
        _cells(line) for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"
    ]
    again = to_markdown(reference_document(list(rows.values())))
    assert [_cells(line) for line in again.splitlines() if line[:1] == "|"] == written


@pytest.mark.parametrize("name", ["speed", "webcam", "alignment"])
def test_its_measurements_are_those_that_the_command_wrote(name: str) -> None:
    begin, end = marks(name)
    part = README.partition(begin)[2].partition(end)[0].strip()
    assert len(part) > 200
    assert part in (ROOT / "results" / f"{name}.md").read_text(encoding="utf-8")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"python -m fer_core ([a-z-]+)", README))
    assert {"audit", "train", "evaluate", "predict"} <= named
    for command in named:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0


def test_every_file_of_its_tree_exists() -> None:
    tree = README.split("## Where things are")[1].split("```")[1]
    missing = []
    for line in tree.strip().splitlines():
        names = re.split(r"\s{2,}", line.strip())[0].rstrip(" …").split(", ")
        inside = "fer_core" if line.startswith("  ") else ""
        folder = "fer_core/data" if line.startswith("    ") else inside
        missing += [name for name in names if not (ROOT / folder / name).exists()]
    assert missing == []
