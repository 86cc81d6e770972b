"""The page against axe-core's rules: contrast, names, headings, what the keyboard reaches."""

from __future__ import annotations

from typing import Any

import pytest
from serving import ServedApp
from walking import TABS, VIEWS, open_tab, upload

from fer_core.ui.examples import EXAMPLES

sync_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Gradio's own: a list without a choice has a paler colour, in which nothing is written; a chart
#: that is still to come has a name that its element may not have.
_GRADIOS_OWN = ["input.subdued", "[aria-label='Empty value']"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_tab_keeps_the_rules_of_accessibility(
    page: Any, served_app: ServedApp, mode: str
) -> None:
    page.evaluate("() => { console.error = () => {} }")  # of the requests that leaving breaks off
    page.goto(f"{served_app.url}/?__theme={mode}")
    upload(page, EXAMPLES[0].path)
    page.wait_for_selector("#predict-result .face-card")
    faults = _faults(page, "Predict")
    for tab in list(TABS)[1:]:
        open_tab(page, tab)
        page.wait_for_timeout(500)
        faults += _faults(page, tab)
    for title, mark in VIEWS.items():
        page.locator("#experiment-tabs").get_by_role("tab", name=title, exact=True).click()
        page.wait_for_selector(mark)
        faults += _faults(page, title)
    assert faults == []


def test_it_is_seen_where_the_keyboard_is(page: Any) -> None:
    """Gradio takes the outline of sliders, boxes and choices away; a slider shows nothing then."""
    outline = "node => getComputedStyle(node).outlineStyle"
    for tab, field, shown in (
        ("Predict", "#predict-unsure input[type=range]", None),
        ("Predict", "#predict-explain input", None),
        ("Data", "#data-split input[type=radio]", "#data-split label:has(:focus)"),
    ):
        open_tab(page, tab)
        page.locator(field).first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert page.locator(shown or field).first.evaluate(outline) == "solid", field


def _faults(page: Any, place: str) -> list[str]:
    """One line for each element that breaks a rule, once nothing is pale for being awaited."""
    page.wait_for_function("document.querySelector('.pending') === null")
    context = {"exclude": _GRADIOS_OWN}
    found = sync_playwright.Axe().run(page, context=context).response["violations"]
    return [
        f"{place}: {rule['id']}: {node['html'][:100]}" for rule in found for node in rule["nodes"]
    ]
