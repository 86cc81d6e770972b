"""The live webcam is watched in the page itself: frames a second and how late its label is."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.comparison.costs.webcam_speed import WebcamSpeed, lags, measure_webcam, webcam_text


def test_a_lag_runs_from_a_change_to_the_first_label_after_it() -> None:
    assert lags([100, 1100, 2100], [180, 190, 1160, 2300], 1000) == (80, 60, 200)


def test_a_change_that_no_label_follows_is_left_out() -> None:
    assert lags([100, 1100, 2100], [1300, 3200], 1000) == (200,)  # none, 200 ms, too late
    assert lags([], [5], 1000) == ()


def test_the_figures_say_how_many_changes_were_followed() -> None:
    found = WebcamSpeed(20.0, 18.54, 27.0, (60.0, 90.0, 110.0), 4, ("happy", "surprise"))
    text = webcam_text(found)
    assert "18.5 frames a second" in text
    assert "in 90 ms, the middle of 3 of 4 changes (60 to 110 ms; happy and surprise)" in text
    assert math.isnan(WebcamSpeed(20.0, 18.0, 27.0, (), 4, ()).median_lag_ms)


def test_without_playwright_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    out = tmp_path / "webcam.md"
    assert main(["bench", "--webcam", "--out", str(out)]) == 2
    assert "pip install -r requirements-dev.txt" in capsys.readouterr().err
    assert main(["bench", "--webcam", "--seconds", "2", "--out", str(out)]) == 2
    assert "--seconds must be 5 to 600, got 2" in capsys.readouterr().err
    assert not out.exists()


def test_a_program_that_is_no_chromium_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    other, out = shutil.which("true"), tmp_path / "webcam.md"
    assert other is not None
    assert main(["bench", "--webcam", "--browser", other, "--out", str(out)]) == 2
    assert f"{other} does not start as a Chromium" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_is_watched_with_a_pretended_camera() -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = measure_webcam(seconds=12)
    assert found.seconds >= 12
    assert found.shown > 0
    assert len(found.labels) >= 2
    assert 0 < len(found.lags_ms) <= found.changes
    assert all(0 <= lag < 1000 for lag in found.lags_ms)
