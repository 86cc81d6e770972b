"""The page at the width of a telephone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from serving import ServedApp
from walking import TABS, VIEWS, choose_checkpoint, open_tab, upload

from fer_core.ui.examples import EXAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_on_a_telephone_the_answer_comes_into_view(page: Any, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    choose_checkpoint(page, "only happy")
    page.evaluate("scrollTo(0, 0)")
    upload(page, EXAMPLES[0].path)
    page.wait_for_selector("#predict-result .face-card")
    page.wait_for_function(
        "document.querySelector('#predict-result .prediction').getBoundingClientRect().top < 400"
    )


def test_on_a_telephone_all_tabs_stand_in_one_line(page: Any, served_app: ServedApp) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("() => { console.error = () => {} }")  # of the requests that leaving breaks off
    page.goto(served_app.url)
    page.wait_for_selector("#predict-result")
    page.wait_for_timeout(1000)  # Gradio counts its tabs anew when it knows their widths
    for name in TABS:
        assert page.get_by_role("tab", name=name, exact=True).is_visible(), name
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    lines = {
        round(page.get_by_role("tab", name=name, exact=True).bounding_box()["y"]) for name in TABS
    }
    assert len(lines) == 1


def test_on_a_telephone_every_view_of_the_experiments_can_be_seen(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_tab(page, "Experiments")
    page.wait_for_timeout(1000)
    for name in VIEWS:
        place = page.get_by_role("tab", name=name, exact=True).bounding_box()
        assert place is not None, f"{name} is not in view"
        assert place["x"] >= 0, name
        assert place["x"] + place["width"] <= 390, name
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_telephone_the_draws_stay_above_the_sliders(page: Any) -> None:
    open_tab(page, "Augment")
    page.set_viewport_size({"width": 390, "height": 844})
    slider = page.locator("#augment-erase_fraction input[type=range]")
    slider.scroll_into_view_if_needed()
    picture = page.locator("#augment-result img").last.bounding_box()
    assert picture["y"] >= 0
    shown = page.locator("#augment-result").bounding_box()
    assert shown["y"] + shown["height"] < slider.bounding_box()["y"] < 844
    assert shown["height"] < 260, "more than half of the screen is left for the sliders"
