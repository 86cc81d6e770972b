"""The data choice that a browser keeps over a reload."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from fer_core.ui.build import build_app
from fer_core.ui.data.kept_choice import kept_choice, to_keep
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

STRATIFIED = DEFAULT_DATA_CHOICE | {"split": "stratified", "test_share": 0.29, "split_seed": 7}


@pytest.fixture
def home(tmp_path: Path) -> AppSettings:
    (tmp_path / "data").mkdir()
    for folder in (tmp_path / "data", tmp_path):
        (folder / "own.csv").write_text("emotion,pixels\n3,1 2 3 4\n")
    return AppSettings(tmp_path / "data", tmp_path / "runs")


def test_a_set_of_the_list_is_kept_with_its_split(home: AppSettings) -> None:
    for source in ("drawn", str(home.data_folder / "own.csv")):
        choice = STRATIFIED | {"source": source}
        assert kept_choice(to_keep(choice, home), home) == choice


def test_no_typed_path_is_kept(home: AppSettings) -> None:
    for source in (str(home.data_folder.parent / "own.csv"), "hub:owner/name", "drawn:350"):
        assert to_keep(STRATIFIED | {"source": source}, home) is None
        assert kept_choice(STRATIFIED | {"source": source}, home) is None


def test_a_set_that_is_gone_is_forgotten(home: AppSettings) -> None:
    own = home.data_folder / "own.csv"
    kept = to_keep(STRATIFIED | {"source": str(own)}, home)
    own.unlink()
    assert kept_choice(kept, home) is None


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "drawn",
        {"source": "drawn"},
        STRATIFIED | {"more": 1},
        STRATIFIED | {"source": ["drawn"]},
        STRATIFIED | {"split": "mine"},
        STRATIFIED | {"split": ["source"]},
        STRATIFIED | {"test_share": 0.61},
        STRATIFIED | {"test_share": None},
        STRATIFIED | {"validation_share": 0},
        STRATIFIED | {"validation_share": float("nan")},
        STRATIFIED | {"split_seed": -1},
        STRATIFIED | {"split_seed": "7"},
    ],
)
def test_what_the_page_would_not_have_kept_is_not_taken(home: AppSettings, kept: Any) -> None:
    assert kept_choice(kept, home) is None


def test_a_reload_sets_every_control_to_what_was_kept(home: AppSettings) -> None:
    kept = STRATIFIED | {"source": str(home.data_folder / "own.csv"), "validation_share": 0.15}
    load = next(event for event in build_app(home).fns.values() if event.name == "on_load")
    values = dict(zip((str(block.label) for block in load.outputs), load.fn(kept), strict=True))
    assert values["Data set"].value == kept["source"]
    assert values["Which images train, validate and test"] == "stratified"
    assert values["Test, % of all"] == 29
    assert values["Validation, % of rest"] == 15
    assert values["Seed of the draw"] == 7
    for nothing_else in (None, DEFAULT_DATA_CHOICE, kept | {"source": "hub:owner/name"}):
        assert all(value == gr.skip() for value in load.fn(nothing_else))


def test_a_published_page_keeps_nothing(home: AppSettings) -> None:
    published = replace(home, public=True)
    assert to_keep(STRATIFIED, published) is None
    kinds = [
        {type(block).__name__ for block in build_app(page).blocks.values()}
        for page in (home, published)
    ]
    assert ["BrowserState" in kind for kind in kinds] == [True, False]
