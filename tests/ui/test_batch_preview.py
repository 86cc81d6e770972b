"""The preview of a batch on the Train tab: its captions, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_core.runs.config import ConfigError, RunConfig
from fer_core.training.preview import BatchPreview
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.batch_preview import batch_html, show_batch


def _settings(tmp_path: Path, public: bool = False) -> AppSettings:
    return AppSettings(runs_folder=tmp_path / "runs", public=public)


def test_every_face_of_the_batch_is_shown(tiny_config: RunConfig, tmp_path: Path) -> None:
    shown = show_batch(lambda: tiny_config, _settings(tmp_path))
    assert shown.count("<img") == 32
    assert "The first 32 of a batch of 32." in shown


def test_a_mixed_face_says_what_is_in_it() -> None:
    images = np.zeros((2, 48, 48, 1), dtype=np.uint8)
    targets = np.array([[0.7, 0.3], [0.0, 1.0]], dtype=np.float32)
    shown = batch_html(BatchPreview(images, targets, ("happy", "sad"), 64))
    assert "70\u00a0% happy, 30\u00a0% sad" in shown
    assert shown.count("%") == 2 * 2  # as text and as its title, on the mixed face alone


def test_what_cannot_be_read_is_said(tiny_config: RunConfig, tmp_path: Path) -> None:
    gone = replace(tiny_config, data=str(tmp_path / "<gone>.csv"))
    shown = show_batch(lambda: gone, _settings(tmp_path))
    assert shown.startswith('<p class="note">No batch can be shown: ')
    assert "<gone>" not in shown

    def refused() -> RunConfig:
        raise ConfigError("epochs must be 1 to 10000, got 0")

    assert "epochs must be 1 to 10000" in show_batch(refused, _settings(tmp_path))


def test_a_public_page_makes_no_batch(tmp_path: Path) -> None:
    def read() -> RunConfig:
        raise AssertionError("the form of a public page was read")

    shown = show_batch(read, _settings(tmp_path, public=True))
    assert "closed on a public page" in shown
    assert "<img" not in shown
