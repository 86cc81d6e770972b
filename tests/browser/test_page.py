"""The tabs, and the whole way from opening a set to a prediction, as a visitor walks it."""

from __future__ import annotations

from typing import Any

import pytest
from serving import ServedApp
from walking import PATIENCE, TABS, VIEWS, choose_checkpoint, open_tab, upload

from fer_core.ui.examples import EXAMPLES

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_every_tab_opens(page: Any) -> None:
    for name in TABS:
        open_tab(page, name)
        page.wait_for_timeout(500)
        assert page.locator(TABS[name]).first.is_visible(), name


def test_every_view_of_the_experiments_opens(page: Any) -> None:
    open_tab(page, "Experiments")
    for title, mark in VIEWS.items():
        page.locator("#experiment-tabs").get_by_role("tab", name=title, exact=True).click()
        page.wait_for_selector(mark)
        panel = page.locator("#experiment-tabs [role=tabpanel]:visible").first
        assert len(panel.inner_text()) > 60, title


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_does_not_scroll_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    upload(page, EXAMPLES[0].path)
    page.wait_for_selector("#predict-result .face-card")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_search_for_near_twins_shows_how_far_it_is(page: Any) -> None:
    open_tab(page, "Data")
    page.get_by_text("Near twins: almost").click()
    page.wait_for_selector("#data-near-look")
    page.evaluate(
        """() => { window.heights = [];
          const block = document.querySelector('#data-near-twins');
          new MutationObserver(() => { if (block.querySelector('.progress-level'))
            window.heights.push(block.offsetHeight); })
          .observe(block, {childList: true, subtree: true}); }"""
    )
    page.click("#data-near-look")
    page.wait_for_selector("#data-near-twins .prose > *")
    heights = page.evaluate("window.heights")
    assert heights
    assert heights[0] >= 80, "the block is empty yet, and its progress has to be seen"


def test_a_run_goes_from_the_data_to_a_photo(page: Any, served_app: ServedApp) -> None:
    open_tab(page, "Data")
    page.get_by_text("Open your own data").click()
    page.locator("#data-path input, #data-path textarea").fill("drawn:350")
    page.click("#data-open")
    page.wait_for_function("document.querySelector('#data-summary').innerText.includes('350')")

    open_tab(page, "Train")
    page.wait_for_function("document.querySelector('#train-data').innerText.includes('350')")
    page.locator("#field-epochs input").fill("2")
    page.locator("#field-epochs input").press("Tab")
    page.locator("#run-name input, #run-name textarea").fill("from-the-page")
    page.wait_for_function(
        "document.querySelector('#repeat-command textarea').value.includes('epochs=2')"
    )
    page.click("#start-training")
    page.wait_for_selector("#run-status:has-text('from-the-page')")
    page.wait_for_selector("#loss-curves .scatterlayer .trace", state="attached")
    page.wait_for_selector("#accuracy-curves .scatterlayer .trace", state="attached")
    page.wait_for_function(
        "document.querySelector('#run-status').innerText.toLowerCase().includes('finished')"
    )
    assert (served_app.runs / "from-the-page" / "record.json").is_file()

    open_tab(page, "Experiments")
    page.wait_for_function(
        "document.querySelector('#leaderboard').innerText.includes('from-the-page')"
    )

    open_tab(page, "Predict")
    choose_checkpoint(page, "from-the-page")
    upload(page, EXAMPLES[0].path)
    page.wait_for_selector("#predict-result .face-card")
    page.wait_for_function(
        "document.querySelector('#predict-result .summary').innerText.includes('from-the-page')"
    )
    assert page.locator("#predict-result .face-box").count() == 1
    assert page.locator("#predict-result .bars li").count() == 7


def test_the_command_is_that_of_the_recipe_chosen_last(page: Any) -> None:
    """A recipe fills text boxes too, whose change asked for the command with half a form."""
    open_tab(page, "Train")
    for title, name in (("ExpressNet, taught", "expressnet_small"), ("Quick look", "quick")):
        page.locator("#recipe input").click()
        page.get_by_role("option", name=title, exact=True).click()
        command = page.locator("#repeat-command textarea")
        wanted = f"python -m fer_core train --recipe {name} --data drawn"
        sync_api.expect(command).to_have_value(wanted, timeout=PATIENCE)
        page.wait_for_timeout(3_000)  # what a box's change asks for has come by then
        assert command.input_value() == wanted
