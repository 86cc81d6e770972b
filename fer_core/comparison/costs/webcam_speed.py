"""How smoothly the live webcam runs, and how late its label is, measured in the page itself.

The page is served as a user would serve it and opened in headless Chromium, whose pretended camera
plays a film of two portraits that take turns. What counts is what is drawn: an answer is the moment
when the boxes over the picture change. Browser, page and networks share the machine.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fer_core.data.readers import read_faces
from fer_core.inference.photo import read_photo
from fer_core.paths import REPOSITORY

_PICTURES = REPOSITORY / "fer_core" / "ui" / "examples"
#: Two shipped portraits of unlike expressions: file and the face's box in its pixels.
_PORTRAITS = (
    ("astronaut.jpg", (181, 66, 265, 173)),
    ("drawn_group.jpg", (408, 72, 561, 289)),
)
_WIDTH, _HEIGHT, _HEAD = 640, 480, 380
_FRAMES_EACH = 30  # a second of Chromium's film
_STRIP = 40  # pixels at the lower edge: black below one portrait, white below the other
_PATIENCE_SECONDS = 180
_SETTLE_MS = 4000

#: Notes when the film's strip changes and when the boxes over it are drawn or say another label.
_PROBE = """() => {
  const video = document.querySelector('#webcam-camera video');
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 8;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const seen = window.webcamSpeed = { changes: [], labels: [], drawn: 0, film: 0 };
  let bright = null, said = null;
  const look = () => {
    const width = video.videoWidth, height = video.videoHeight;
    pen.drawImage(video, width * 0.4, height * 0.94, width * 0.2, height * 0.04, 0, 0, 8, 8);
    const now = pen.getImageData(4, 4, 1, 1).data[0] > 128;
    if (bright !== null && now !== bright) seen.changes.push(performance.now());
    bright = now;
    seen.film += 1;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const over = document.querySelector('#webcam-over');
  new MutationObserver(() => {
    seen.drawn += 1;
    const face = over.querySelector('.over > *');
    const label = face ? face.textContent.split(' ')[0] : '';
    if (label && said !== null && label !== said) seen.labels.push([performance.now(), label]);
    said = label || said;
  }).observe(over, { subtree: true, childList: true, attributes: true, characterData: true });
  seen.start = performance.now();
}"""


class WebcamError(RuntimeError):
    """The webcam cannot be timed. The message says why and what to do."""


@dataclass(frozen=True)
class WebcamSpeed:
    """seconds: measured. shown, film: answers drawn and pictures of the film, a second.
    lags_ms: for every change of portrait, until the label followed. changes: how many there were.
    labels: what was shown, in alphabetical order."""

    seconds: float
    shown: float
    film: float
    lags_ms: tuple[float, ...]
    changes: int
    labels: tuple[str, ...]

    @property
    def median_lag_ms(self) -> float:
        return float(np.median(self.lags_ms)) if self.lags_ms else float("nan")


def lags(changes: Sequence[float], labels: Sequence[float], within: float) -> tuple[float, ...]:
    """Milliseconds from every change to the first new label after it, none later than `within`.

    changes, labels: moments in ms, ascending. A change that no label follows in time, or before
    the next change, is left out: its number beside that of the changes tells.
    """
    found = []
    for place, moment in enumerate(changes):
        end = min([moment + within, *changes[place + 1 : place + 2]])
        later = [label for label in labels if moment <= label < end]
        found += [later[0] - moment] if later else []
    return tuple(found)


def measure_webcam(seconds: float = 20, browser: str | None = None) -> WebcamSpeed:
    """Serve the page, open its camera and watch it for so many seconds.

    browser: path of a Chromium, by default the one on the search path. WebcamError when there is
    none or it does not start, or the page does not come up, or no label is ever shown. The page's
    built-in faces are drawn before, as they are after its first minute on a machine.
    """
    read_faces("drawn")
    playwright = _playwright()
    chromium = browser or shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as place:
        film = Path(place) / "film.mjpeg"
        film.write_bytes(_film(int(seconds) + 60))
        # the browser first: that it does not start shows at once, the page takes its time
        with (
            playwright() as engine,
            _browser(engine, chromium, film) as window,
            _served(Path(place)) as url,
        ):
            seen = _watch(window, url, seconds)
    labels = seen["labels"]
    if not labels:
        raise WebcamError(
            "the label never changed though the film's portraits did; see whether the models of "
            "this checkout find a face in the examples: python -m fer_core predict"
        )
    return WebcamSpeed(
        seconds=seen["seconds"],
        shown=seen["drawn"] / seen["seconds"],
        film=seen["film"] / seen["seconds"],
        lags_ms=lags(seen["changes"], [moment for moment, _ in labels], 1000),
        changes=len(seen["changes"]),
        labels=tuple(sorted({label for _, label in labels})),
    )


def webcam_text(found: WebcamSpeed) -> str:
    """One sentence of figures for a page of results."""
    low, high = min(found.lags_ms, default=np.nan), max(found.lags_ms, default=np.nan)
    return (
        f"{found.shown:.1f} frames a second are shown; the label follows a changed face in "
        f"{found.median_lag_ms:.0f} ms, the middle of {len(found.lags_ms)} of {found.changes} "
        f"changes ({low:.0f} to {high:.0f} ms; {' and '.join(found.labels)}), watched for "
        f"{found.seconds:.0f} s. The pretended camera gave {found.film:.1f} pictures a second."
    )


def _playwright() -> Any:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise WebcamError(
            "timing the webcam needs playwright, which is not installed; "
            "pip install -r requirements-dev.txt"
        ) from error
    return sync_playwright


@contextmanager
def _browser(engine: Any, chromium: str | None, film: Path) -> Iterator[Any]:
    """A headless Chromium whose pretended camera plays the film."""
    from playwright.sync_api import Error

    options = [
        *("--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream"),
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    try:
        window = engine.chromium.launch(executable_path=chromium, args=options)
    except Error as error:
        raise WebcamError(
            f"{chromium or 'the browser'} does not start as a Chromium: install one "
            "(python -m playwright install chromium) or name it by --browser PATH"
        ) from error
    try:
        yield window
    finally:
        window.close()


def _film(seconds: int) -> bytes:
    """The two portraits by turns, a second each, as JPEG after JPEG."""
    shots = []
    for (name, box), strip in zip(_PORTRAITS, ("black", "white"), strict=True):
        left, top, right, bottom = box
        x, y, reach = (left + right) / 2, (top + bottom) / 2, 0.9 * max(right - left, bottom - top)
        head = Image.fromarray(read_photo(_PICTURES / name)).crop(
            (int(x - reach), int(y - reach), int(x + reach), int(y + reach))
        )
        shot = Image.new("RGB", (_WIDTH, _HEIGHT), (90, 110, 120))
        shot.paste(head.resize((_HEAD, _HEAD)), ((_WIDTH - _HEAD) // 2, 30))
        shot.paste(Image.new("RGB", (_WIDTH, _STRIP), strip), (0, _HEIGHT - _STRIP))
        kept = io.BytesIO()
        shot.save(kept, "JPEG", quality=90)
        shots.append(kept.getvalue() * _FRAMES_EACH)
    return b"".join(shots) * (seconds // 2 + 1)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The page as a process of its own, in an empty folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "app.py"), "--port", str(port)],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name != "SPACE_ID"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise WebcamError(
                    f"the page did not come up:\n{(folder / 'output.txt').read_text()[-2000:]}"
                )
            time.sleep(0.3)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _watch(window: Any, url: str, seconds: float) -> dict[str, Any]:
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    page = window.new_context(
        viewport={"width": 1280, "height": 1000}, permissions=["camera"], reduced_motion="reduce"
    ).new_page()
    page.set_default_timeout(1000 * _PATIENCE_SECONDS)
    page.goto(url)
    page.get_by_role("tab", name="Live webcam").first.click()
    page.click("#webcam-start")
    try:
        page.wait_for_selector("#webcam-live [data-live=speed]")
    except PlaywrightTimeout as error:
        said = page.locator("#predict-webcam").all_inner_texts()
        raise WebcamError(
            f"the camera was started and no frame answered within {_PATIENCE_SECONDS} s; the tab "
            f"says: {' '.join(said)!r}"
        ) from error
    page.wait_for_timeout(_SETTLE_MS)
    page.evaluate(_PROBE)
    page.wait_for_timeout(1000 * seconds)
    seen: dict[str, Any] = page.evaluate(
        "() => ({ ...webcamSpeed, seconds: (performance.now() - webcamSpeed.start) / 1000 })"
    )
    return seen
