"""What can classify, in the order of the lists on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from serving import write_checkpoint

from fer_core.paths import SHIPPED_CHECKPOINTS
from fer_core.runs.checkpoint_list import list_checkpoints


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A middling and a good checkpoint, and one without a record."""
    folder = tmp_path / "shipped"
    for name, accuracy in (("a-middling", 0.5), ("b-unknown", None), ("c-good", 0.7)):
        place = write_checkpoint(folder / name)
        if accuracy is not None:
            scores = {"validation": {"accuracy": accuracy}, "test": {"accuracy": 1 - accuracy}}
            (place / "record.json").write_text(json.dumps(scores))
    return folder


def test_the_most_accurate_on_validation_comes_first_and_runs_last(
    shipped: Path, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "runs" / "mine")
    entries = list_checkpoints(tmp_path / "runs", shipped)
    assert [entry.name for entry in entries] == ["c-good", "a-middling", "b-unknown", "run:mine"]
    assert entries[0].title == "c-good (shipped), 30.0 % on its own set"
    assert entries[2].title == "b-unknown (shipped)"


def test_what_is_slow_on_a_processor_comes_after_what_is_light(
    shipped: Path, tmp_path: Path
) -> None:
    for name, accuracy, cost in (("d-heavy", 0.9, 0.4), ("e-light", 0.6, 0.099)):
        place = write_checkpoint(shipped / name)
        record = {"validation": {"accuracy": accuracy}, "model": {"gflops": cost}}
        (place / "record.json").write_text(json.dumps(record))
    names = [entry.name for entry in list_checkpoints(tmp_path / "none", shipped)]
    assert names == ["c-good", "e-light", "a-middling", "b-unknown", "d-heavy"]


def test_what_learned_from_found_faces_comes_before_what_is_as_light(
    shipped: Path, tmp_path: Path
) -> None:
    for name, config in (("d-photo", {"views": "data/views.npz"}), ("e-none", []), ("f-no", {})):
        place = write_checkpoint(shipped / name)
        (place / "config.json").write_text(json.dumps(config))
    entries = list_checkpoints(tmp_path / "none", shipped)
    assert entries[0].name == "d-photo"
    assert entries[0].title == "d-photo (shipped, for photographs)"
    assert not any("photographs" in entry.title for entry in entries[1:])


def test_a_memory_is_named_and_an_odd_record_breaks_nothing(shipped: Path, tmp_path: Path) -> None:
    for name, model in (("d-mindful", {"memory": {"faces": 9}}), ("e-odd", "none"), ("f-odd", [])):
        place = write_checkpoint(shipped / name)
        record = {"validation": {"accuracy": 0.1}, "test": {"accuracy": 0.2}, "model": model}
        (place / "record.json").write_text(json.dumps(record))
    titles = {entry.name: entry.title for entry in list_checkpoints(tmp_path / "none", shipped)}
    assert titles["d-mindful"] == "d-mindful (shipped), 20.0 % on its own set, with a memory"
    assert titles["e-odd"] == "e-odd (shipped), 20.0 % on its own set"
    assert "memory" not in titles["f-odd"]


def test_an_accuracy_is_said_of_its_set(tmp_path: Path) -> None:
    place = write_checkpoint(tmp_path / "runs" / "mine")
    record = {"data": {"name": "drawn faces"}, "test": {"accuracy": 0.934}}
    (place / "record.json").write_text(json.dumps(record))
    (entry,) = list_checkpoints(tmp_path / "runs", tmp_path / "none")
    assert entry.title == "mine, 93.4 % on drawn faces"


def test_every_shipped_checkpoint_is_in_the_list(tmp_path: Path) -> None:
    names = {entry.name for entry in list_checkpoints(tmp_path / "runs")}
    assert names == {path.name for path in SHIPPED_CHECKPOINTS.iterdir() if path.is_dir()}
    assert names
