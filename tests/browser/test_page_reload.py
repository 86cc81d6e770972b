"""The page opened again: what was chosen in the Data tab is still what a run would train on."""

from __future__ import annotations

from typing import Any

import pytest
from serving import ServedApp
from walking import open_tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_page_opened_again_has_the_set_and_its_split(page: Any, served_app: ServedApp) -> None:
    data = served_app.runs.parent / "data"
    data.mkdir(exist_ok=True)
    row = " ".join(["7"] * 48 * 48)
    lines = [f"{label},{row}\n" for label in range(7) for _ in range(10)]
    (data / "mine.csv").write_text("emotion,pixels\n" + "".join(lines))

    def again() -> Any:
        """Another page of the same browser; a reload of this one would abort what it fetches."""
        opened = page.context.new_page()
        opened.goto(served_app.url)
        opened.wait_for_selector("#predict-result")
        return opened

    first = again()
    open_tab(first, "Data")
    first.locator("#data-set input").click()
    first.get_by_role("option").filter(has_text="mine").click()
    first.wait_for_selector("#data-summary:has-text('mine')")
    first.wait_for_selector("#data-table:has-text('70')")
    first.locator("#data-split").get_by_text("a stratified draw").click()
    open_tab(first, "Train")
    first.wait_for_selector("#train-data:has-text('mine.csv, stratified')")

    second = again()
    open_tab(second, "Train")
    second.wait_for_selector("#train-data:has-text('mine.csv, stratified')")
    open_tab(second, "Data")
    second.wait_for_selector("#data-summary:has-text('mine')")
    assert "mine" in second.locator("#data-set input").input_value()
    assert second.locator("#data-split").get_by_label("a stratified draw").is_checked()

    (data / "mine.csv").unlink()
    third = again()
    open_tab(third, "Train")
    third.wait_for_selector("#train-data:has-text('drawn faces (built in)')")
