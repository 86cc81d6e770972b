"""What a published page says where something is closed: no button is named that is not there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.faces import DataError
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.record import read_record
from fer_core.ui.experiments import reference_view
from fer_core.ui.experiments.domains import tuning_page
from fer_core.ui.experiments.domains.view import sets_note
from fer_core.ui.experiments.run_details import mistakes
from fer_core.ui.experiments.sweeps import board
from fer_core.ui.figures.efficiency import accuracy_cost_figure
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train import live_run


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[AppSettings, AppSettings]:
    """The owner's page and a published one, both without runs and without kept answers."""
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    own = AppSettings(tmp_path / "data", tmp_path / "runs")
    return own, AppSettings(own.data_folder, own.runs_folder, public=True)


def cost_words(settings: AppSettings) -> str:
    table = pd.DataFrame({"latency_ms": [float("nan")]})
    figure = accuracy_cost_figure(table, [False], "latency_ms", closed=settings.public)
    return figure.layout.annotations[0].text


def mistake_words(settings: AppSettings) -> str:
    run = RunFolder(SHIPPED_CHECKPOINTS / "expressnet-nano")
    with pytest.raises(DataError) as told:
        mistakes(settings, run, read_record(run))
    return str(told.value)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (lambda page: live_run.read_live(page, None).status, "Start training"),
        (lambda page: board.read_watch(page, None).status, "Put it in the queue"),
        (lambda page: tuning_page.watch(page, None).status, "Fine-tune"),
        (sets_note, "open or upload"),
        (reference_view.about, "choose FER2013 in the **Data** tab"),
        (mistake_words, "Equal budgets"),
        (cost_words, "Measure latency"),
    ],
)
def test_a_closed_button_is_named_on_the_owners_page_alone(pages, words, names) -> None:
    own, published = map(words, pages)
    assert names in own
    assert names not in published
    assert len(published) > 20, "a published page says something, too"
