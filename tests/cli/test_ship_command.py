"""A finished run becomes a checkpoint free of local paths."""

from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.shipping import ship_run
from fer_core.training.job import create_run
from fer_core.training.run import execute_run


def test_ship_leaves_a_checkpoint_without_local_paths(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fer_core.runs.shipping.ship_run.__defaults__", ("", tmp_path / "shipped", False)
    )
    note = tmp_path / "note.md"
    note.write_text("## Origin\nmade in a test\n")
    assert main(["ship", str(run), "small", "--note", str(note)]) == 0
    place = tmp_path / "shipped" / "small"
    assert load_checkpoint(place).record["name"] == "small"
    texts = [(place / name).read_text() for name in ("config.json", "record.json", "card.md")]
    assert not any(str(tmp_path) in text for text in texts)
    assert "made in a test" in texts[2]


def test_ship_replaces_a_checkpoint_only_when_told_to(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = tmp_path / "shipped"
    monkeypatch.setattr("fer_core.runs.shipping.ship_run.__defaults__", ("", shipped, False))
    assert main(["ship", str(run), "small"]) == 0
    card = RunFolder(shipped / "small").card
    card.write_text("mine")
    assert main(["ship", str(run), "small"]) == 2
    assert "there is a checkpoint small already" in capsys.readouterr().err
    assert card.read_text() == "mine"
    assert main(["ship", str(shipped / "small"), "small", "--replace"]) == 2
    assert "is that very checkpoint" in capsys.readouterr().err
    assert main(["ship", str(run), "small", "--replace"]) == 0
    assert card.read_text() != "mine"


def test_ship_hides_the_path_of_data_that_is_gone(tmp_path: Path, tiny_config: RunConfig) -> None:
    folder = create_run(tiny_config, tmp_path / "runs", "one")
    execute_run(folder)
    Path(tiny_config.data).unlink()
    place = ship_run(folder, "small", shipped=tmp_path / "shipped")
    texts = [path.read_text() for path in (place.config, place.record, place.card)]
    assert not any(str(tmp_path) in text for text in texts)
