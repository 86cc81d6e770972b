"""A photo, from upload or example to the answer, and its end when the page is left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from serving import ServedApp
from walking import choose_checkpoint, open_tab, upload

import fer_core.inference.photo  # noqa: F401  Pillow writes HEIC once this is there
from fer_core.ui.examples import EXAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_example_is_predicted_with_a_click(page: Any) -> None:
    choose_checkpoint(page, "only happy")
    page.locator("#predict-examples button").first.click()
    page.wait_for_selector("#predict-result .face-card:has-text('resembles happy most')")
    choose_checkpoint(page, "only sad")
    page.wait_for_selector("#predict-result .face-card:has-text('resembles sad most')")


def test_the_unsure_bound_is_moved_by_keys_too(page: Any) -> None:
    page.locator("#predict-examples button").nth(2).click()  # a drawn face: far from sure
    page.wait_for_selector("#predict-result .face-card")
    assert "reaches 90" not in page.inner_text("#predict-result .says")
    page.locator("#predict-unsure input[type=range]").focus()
    page.keyboard.press("End")
    page.wait_for_selector("#predict-result .face-card:has-text('no expression reaches 90')")


def test_a_picture_without_a_face_can_be_used_as_a_whole(page: Any, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    Image.linear_gradient("L").resize((320, 240)).save(plain)
    choose_checkpoint(page, "only happy")
    upload(page, plain)
    page.wait_for_selector("#predict-result:has-text('No face found')")
    page.click("#predict-whole")
    page.wait_for_selector("#predict-result .face-card:has-text('The picture as a whole')")
    assert not page.locator("#predict-whole").is_visible()
    page.locator("#predict-explain input").check()  # stays with the whole picture
    page.wait_for_selector("#predict-result .explained")
    assert "The picture as a whole" in page.locator("#predict-result .face-card").inner_text()
    other = tmp_path / "other.png"
    Image.radial_gradient("L").resize((320, 240)).save(other)
    upload(page, other)  # of another picture nobody has said so
    page.wait_for_selector("#predict-result:has-text('No face found')")
    assert page.locator("#predict-whole").is_visible()


@pytest.mark.parametrize("kind", ["HEIF", "TIFF"])
def test_a_picture_that_browsers_cannot_show_is_read_all_the_same(
    page: Any, tmp_path: Path, kind: str
) -> None:
    picture = tmp_path / f"mine.{kind.lower()}"
    with Image.open(EXAMPLES[0].path) as example:
        example.save(picture, kind)
    choose_checkpoint(page, "only happy")
    upload(page, picture)
    page.wait_for_selector("#predict-result .face-card:has-text('resembles happy most')")
    shown = page.locator("#predict-photo img[src*='cannot']")
    shown.wait_for()
    assert shown.evaluate("(picture) => picture.naturalWidth") == 320, "words, no broken picture"
    upload(page, EXAMPLES[0].path)
    page.wait_for_selector("#predict-photo img:not([src*='cannot'])")


@pytest.mark.parametrize("tab", ["Predict", "Augment"])
def test_an_uploaded_picture_is_deleted_when_the_page_is_closed(
    page: Any, served_app: ServedApp, tmp_path: Path, tab: str
) -> None:
    picture = tmp_path / "mine alone.png"
    Image.radial_gradient("L").save(picture)  # of one colour it would be refused
    before = served_app.stored_files()
    if tab == "Predict":
        upload(page, picture)
        page.wait_for_selector("#predict-result:has-text('No face found')")
    else:
        open_tab(page, tab)
        page.get_by_text("Use your own photo").click()
        page.locator("#augment-upload input[type=file]").first.set_input_files(str(picture))
        page.wait_for_selector("#augment-result:has-text('your photo')")
    (stored,) = served_app.stored_files() - before
    os.utime(stored, (0, 0))  # as if uploaded long ago: a new one stays for a minute
    # Leaving breaks off the requests that are still open, which the page's client calls errors.
    page.evaluate("() => { console.error = () => {} }")
    page.goto("about:blank")
    for _ in range(100):
        if served_app.stored_files() <= before:
            break
        page.wait_for_timeout(200)
    assert served_app.stored_files() <= before
