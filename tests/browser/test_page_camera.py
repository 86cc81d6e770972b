"""The live webcam, with Chromium's pretended camera."""

from __future__ import annotations

from typing import Any

import pytest
from serving import ServedApp
from walking import choose_checkpoint, open_tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Where the middle of the moving picture and that of the boxes' frame over it lie across the page.
MIDDLES = """() => ['#webcam-camera video', '#webcam-over .over'].map((part) => {
  const box = document.querySelector(part).getBoundingClientRect();
  return box.x + box.width / 2; })"""
#: Holds back what a page that is being set up asks because its first inner tab was selected.
_SLOW_FIRST_TAB = """
const send = window.fetch;
window.fetch = async (to, what) => {
  const first = String(what?.body).includes('"value":"Photo"');
  if (first) await new Promise((go) => setTimeout(go, 3000));
  return send(to, what); };
"""


def streams(page: Any) -> list[str]:
    return page.evaluate("window.streams.map(s => s.getTracks()[0].readyState)")


def test_the_camera_shows_a_label_and_stores_nothing(page: Any, served_app: ServedApp) -> None:
    choose_checkpoint(page, "only happy")
    page.get_by_role("tab", name="Live webcam").click()
    page.wait_for_selector("#webcam-start")
    assert "Before the camera starts" in page.inner_text("#webcam-consent")
    assert streams(page) == []
    before = served_app.stored_files()

    page.click("#webcam-start")
    page.wait_for_selector("#webcam-over .face-box:has-text('happy')")
    page.wait_for_selector("#webcam-live .face-card:has-text('resembles happy most')")
    page.wait_for_selector("#webcam-live :text-matches('[0-9.]+ pictures per second')")
    assert streams(page) == ["live"]
    middles = page.evaluate(MIDDLES)  # in one go, for the boxes are new with every frame
    assert middles[0] == pytest.approx(middles[1], abs=2)
    assert served_app.stored_files() <= before  # an earlier visitor's may go meanwhile

    page.click("#webcam-stop")
    page.wait_for_selector("#webcam-start")
    page.wait_for_function("window.streams.every(s => s.getTracks()[0].readyState === 'ended')")


def test_another_tab_turns_the_camera_off(page: Any) -> None:
    page.get_by_role("tab", name="Live webcam").click()
    page.click("#webcam-start")
    page.wait_for_selector("#webcam-live .face-card")
    open_tab(page, "Train")
    page.wait_for_function("window.streams.every(s => s.getTracks()[0].readyState === 'ended')")
    assert streams(page) == ["ended"]
    page.get_by_role("tab", name="Predict", exact=True).click()
    page.wait_for_selector("#webcam-start")


def test_a_late_answer_to_the_page_being_set_up_leaves_the_camera_on(page: Any) -> None:
    page.add_init_script(_SLOW_FIRST_TAB)
    page.evaluate("() => { console.error = () => {} }")  # of the requests that leaving breaks off
    page.reload()
    page.get_by_role("tab", name="Live webcam").click()
    page.click("#webcam-start")
    page.wait_for_selector("#webcam-live .face-card")
    page.wait_for_timeout(4000)
    assert page.is_visible("#webcam-stop")
    assert streams(page) == ["live"]
