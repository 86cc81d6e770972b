"""A file of a run that the disk has damaged: the page still shows that run, and all the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fer_core.data.faces import Faces
from fer_core.ui.experiments.experiment_updates import (
    board_updates,
    detail_updates,
    mistakes_html,
)
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.live_run import read_live

_NO_TEXT = b"\xff\xfe\x00"


@pytest.mark.parametrize("content", [_NO_TEXT, b"[" * 100_000], ids=["no text", "deep"])
@pytest.mark.parametrize("file", ["config", "epochs"])
def test_a_damaged_file_hides_no_run(
    settings: AppSettings, make_run: Any, file: str, content: bytes
) -> None:
    make_run("good")
    odd = make_run("odd", queued_at=2000.0)
    getattr(odd, file).write_bytes(content)
    followed, good = read_live(settings, ""), read_live(settings, "good")
    assert (followed.name, good.name, len(good.epochs)) == ("odd", "good", 4)
    known = board_updates(settings, "odd", ["odd", "good"], {})[-1]
    assert {"odd", "good"} <= set(known["names"])
    assert "68.4 %" in detail_updates(settings, "odd", True)[0]


@pytest.mark.parametrize("part", ["test", "test_without_twins"])
@pytest.mark.parametrize("lost", ["accuracy", "n"])
def test_a_result_that_lacks_a_figure_hides_no_run(
    settings: AppSettings, make_run: Any, part: str, lost: str
) -> None:
    odd = make_run("odd")
    record = json.loads(odd.record.read_text())
    del record[part][lost]
    odd.record.write_text(json.dumps(record))
    followed, summary = read_live(settings, "odd"), detail_updates(settings, "odd", True)[0]
    for said in (followed.status, summary):
        assert ("named the expression right" in said) == (part != "test")
        assert "Without test images" not in said


def test_a_torn_byte_costs_one_epoch(settings: AppSettings, make_run: Any) -> None:
    odd = make_run("odd", epochs=3)
    lines = odd.epochs.read_bytes().splitlines(keepends=True)
    odd.epochs.write_bytes(lines[0] + b"\xff" + lines[1] + lines[2])
    assert [epoch["epoch"] for epoch in read_live(settings, "odd").epochs] == [1, 3]


@pytest.mark.parametrize(
    "content", [b"", _NO_TEXT, {"id": ["a"]}, {"split": ["test"], "label": ["sad"]}]
)
def test_damaged_predictions_are_told_in_words(
    settings: AppSettings, make_run: Any, tiny_faces: Faces, content: bytes | dict[str, list[str]]
) -> None:
    odd = make_run("odd", faces=tiny_faces)
    if isinstance(content, dict):
        pd.DataFrame(content).to_parquet(odd.predictions)
    else:
        odd.predictions.write_bytes(content)
    said = mistakes_html(settings, "odd")
    assert "The kept predictions are damaged: predictions.parquet cannot be read." in said
    assert str(Path(settings.runs_folder)) not in said
