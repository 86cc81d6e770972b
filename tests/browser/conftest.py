"""The page in headless Chromium, opened anew for every test."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from serving import ServedApp
from walking import PATIENCE

from fer_core.ui.examples import EXAMPLES

#: Notes every camera stream that the page opens, so that a test can see whether it was closed.
_NOTE_STREAMS = """
window.streams = [];
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (ask) navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted); window.streams.push(stream); return stream; };
"""


@pytest.fixture(scope="session")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film for Chromium's pretended camera: a public-domain portrait, 640x480, as JPEGs."""
    with Image.open(EXAMPLES[0].path) as portrait:
        frame = portrait.convert("RGB").crop((0, 0, 512, 384)).resize((640, 480))
    buffer = io.BytesIO()
    frame.save(buffer, "JPEG", quality=90)
    path = tmp_path_factory.mktemp("camera") / "portrait.mjpeg"
    path.write_bytes(buffer.getvalue() * 30)
    return path


@pytest.fixture(scope="module")
def browser(camera_film: Path) -> Iterator[Any]:
    """Closed with this module: while it is open, its event loop counts as running in this thread,
    and a later test could start neither a browser nor a loop of its own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
    if not Path(chromium).is_file():
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={camera_film}",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, served_app: ServedApp) -> Iterator[Any]:
    """The page, freshly opened; a script error or a failed request in it fails the test."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000}, permissions=["camera"], reduced_motion="reduce"
    )
    context.add_init_script(_NOTE_STREAMS)
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    opened.on(
        "console",
        lambda said: problems.append(f"console: {said.text}") if said.type == "error" else None,
    )
    opened.on(
        "response",
        lambda got: problems.append(f"{got.status} {got.url}") if got.status >= 400 else None,
    )
    opened.goto(served_app.url)
    opened.wait_for_selector("#predict-result")
    yield opened
    context.close()
    assert problems == []
