"""The command that a newcomer types: options, start without any data, no request to the outside."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import app
from fer_core import cores, freed_memory
from fer_core.ui import build
from fer_core.ui.examples import EXAMPLES
from fer_core.ui.shared import open_sets

REPOSITORY = Path(app.__file__).resolve().parent
STARTED_WITHIN = 180  # seconds; eight on two idle cores, but a test machine may be busy
PATIENCE = 180_000  # ms, for a step in the browser

#: Runs app.py with every look-up and connection to another machine written down and refused.
_WATCHED = """
import socket, sys
from pathlib import Path
HOME = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}
note = Path(sys.argv.pop(1))
connect, lookup = socket.socket.connect, socket.getaddrinfo
def refuse(place):
    with note.open("a") as file:
        file.write(f"{place}\\n")
    raise OSError(f"outside connection to {place}")
def watched_connect(self, address):
    if isinstance(address, tuple) and address[0] not in HOME:
        refuse(address)
    return connect(self, address)
def watched_lookup(host, *rest, **named):
    name = host.decode() if isinstance(host, bytes) else host
    if name not in HOME:
        refuse(name)
    return lookup(host, *rest, **named)
socket.socket.connect, socket.getaddrinfo = watched_connect, watched_lookup
sys.path.insert(0, sys.argv.pop(1))
import app
from fer_core.data import synthetic
synthetic.DRAWN_COUNT = 350  # a small built-in set: these tests are about the page around it
app.main(sys.argv[1:])
"""


class Served:
    """A running app: where it answers, what it printed, whom outside it wanted to reach."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.txt"
        self.outside = folder / "outside.txt"
        self.outside.touch()
        environment = {key: value for key, value in os.environ.items() if key != "SPACE_ID"}
        environment |= {"FER_CACHE": os.environ["FER_CACHE"], "OMP_NUM_THREADS": "1"}
        started = time.monotonic()
        watched = ["-c", _WATCHED, str(self.outside), str(REPOSITORY)]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, *watched, "--port", str(self.port), *options],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        while self.status("/") != 200:
            if self.process.poll() is not None or time.monotonic() - started > STARTED_WITHIN:
                self.process.kill()
                raise RuntimeError(f"the app did not start:\n{self.output.read_text()}")
            time.sleep(0.3)

    def status(self, path: str) -> int:
        """The HTTP status of a page of the app; 0 while nothing answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def config(self) -> dict:
        with urllib.request.urlopen(self.url + "/config", timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, session_cache: None) -> Iterator[Served]:
    """The app in an empty folder, as a newcomer starts it."""
    server = Served(tmp_path_factory.mktemp("newcomer"))
    yield server
    server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_starts_without_data_and_answers(served: Served) -> None:
    assert served.status("/") == 200


def test_all_five_tabs_are_there_in_order(served: Served) -> None:
    tabs = [part for part in served.config()["components"] if part["type"] == "tabitem"]
    labels = [part["props"]["label"] for part in tabs]
    wanted = ["Predict", "Data", "Augment", "Train", "Experiments"]
    assert [label for label in labels if label in wanted] == wanted


def test_monitoring_is_closed_and_files_are_not_served(served: Served) -> None:
    assert served.status("/monitoring/summary") != 200
    assert served.status("/gradio_api/file=app.py") in (403, 404)
    assert served.status("/gradio_api/file=/etc/passwd") in (403, 404)


def test_asks_nothing_of_the_outside(served: Served) -> None:
    time.sleep(3)  # what runs in the background after the start has its chance, too
    assert served.outside.read_text() == ""


@pytest.mark.browser
def test_the_page_asks_nothing_of_the_outside(served: Served) -> None:
    asked: list[str] = []
    with opened_page(served, asked) as page:
        page.wait_for_timeout(1500)
    assert any(url.startswith(served.url) for url in asked)
    outside = [url for url in asked if not url.startswith((served.url, "data:", "blob:"))]
    assert outside == []


@pytest.mark.browser
@pytest.mark.slow
def test_data_and_augment_tabs_in_the_browser(served: Served) -> None:
    with opened_page(served, []) as page:
        page.get_by_role("tab", name="Data", exact=True).click()
        page.wait_for_selector("#data-means img")
        assert "350 grey images" in page.inner_text("#data-summary")
        assert page.locator("#data-gallery img").count() == 24
        page.wait_for_selector("#data-chart .barlayer .point")  # drawn after the pictures are there
        assert page.locator("#data-chart .barlayer .point").count() == 21

        page.get_by_label("a stratified draw").click()
        page.wait_for_selector("#data-split-words:has-text('stratified draw')")
        before = page.inner_html("#data-gallery")
        page.click("#data-redraw")
        page.wait_for_function(
            "before => document.querySelector('#data-gallery').innerHTML != before", arg=before
        )
        page.get_by_text("Open your own data").click()
        page.locator("#data-path input, #data-path textarea").fill("/no/such/set.csv")
        page.click("#data-open")
        page.wait_for_selector("#data-notice:has-text('no file or folder')")
        assert "350 grey images" in page.inner_text("#data-summary")

        page.get_by_role("tab", name="Augment", exact=True).click()
        page.wait_for_selector("#augment-result img")
        assert page.locator("#augment-result img").count() == 13
        page.locator("#augment-preset").get_by_label("strong").click()
        page.wait_for_function(
            "document.querySelector('#augment-rotation_degrees input').value == '20'"
        )
        page.locator("#augment-rotation_degrees input[type=number]").fill("90")
        page.wait_for_selector("#augment-caution:has-text('Rotation above 30')")
        assert page.locator("#augment-preset input:checked").count() == 0

        page.get_by_text("Use your own photo").click()
        page.locator("#augment-upload input[type=file]").first.set_input_files(EXAMPLES[0].path)
        page.wait_for_selector("#augment-result:has-text('found in your photo')")
        assert not page.locator("#augment-back").is_visible()
        page.click("#augment-random")
        page.wait_for_selector("#augment-result:has-text('labelled happy')")
        page.click("#augment-back")
        page.wait_for_selector("#augment-result:has-text('found in your photo')")
        page.wait_for_selector("#augment-back", state="hidden")
        page.locator("#augment-upload").get_by_role("button", name="Remove Image").click()
        page.wait_for_selector("#augment-result:has-text('labelled happy')")
        page.click("#augment-use")
        page.wait_for_selector("#tab-train", state="visible")


@contextmanager
def opened_page(served: Served, asked: list[str]) -> Iterator[Any]:
    """The page in headless Chromium; `asked` gets the address of every request it makes.

    A script error in it fails the test.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    errors: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(served.url)
        page.get_by_role("tab", name="Augment", exact=True).wait_for()
        yield page
        browser.close()
    assert errors == []


def test_options_and_their_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "SPACE_ID", "FER_OPEN")
    for name in (*known, "FER_DATA", "FER_RUNS"):
        monkeypatch.delenv(name, raising=False)
    options = app.parse_arguments([])
    assert (str(options.data), str(options.runs)) == ("data", "runs")
    assert (options.host, options.port, options.public) == ("127.0.0.1", 7860, False)
    options = app.parse_arguments(["--data", "d", "--runs", "r", "--host", "::1", "--port", "80"])
    assert (str(options.data), str(options.runs)) == ("d", "r")
    assert (options.host, options.port) == ("::1", 80)
    with pytest.raises(SystemExit):
        app.parse_arguments(["--port", "99999"])
    assert "must be a whole number from 1 to 65535, got 99999" in capsys.readouterr().err
    for name in ("--data", "--runs"):
        with pytest.raises(SystemExit):
            app.parse_arguments([name, __file__])
        told = capsys.readouterr().err
        assert f"argument {name}: must name a folder, {__file__} is a file" in told
    assert app.parse_arguments(["--public"]).public


def test_the_environment_sets_what_a_space_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7900")
    monkeypatch.setenv("SPACE_ID", "someone/expression-lab")
    monkeypatch.setenv("FER_DATA", "/data/sets")
    monkeypatch.setenv("FER_RUNS", "/data/runs")
    monkeypatch.delenv("FER_OPEN", raising=False)
    options = app.parse_arguments([])
    assert (options.data, options.runs) == (Path("/data/sets"), Path("/data/runs"))
    assert app.parse_arguments(["--runs", "r"]).runs == Path("r")
    assert (options.host, options.port, options.public) == ("0.0.0.0", 7900, True)
    monkeypatch.setenv("FER_OPEN", "1")
    assert not app.parse_arguments([]).public


def test_a_data_folder_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FER_DATA", "GRADIO_SERVER_NAME", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert app.start_notes(app.parse_arguments([])) == []  # the usual one need not be there
    assert app.start_notes(app.parse_arguments(["--data", f"{tmp_path}"])) == []
    (note,) = app.start_notes(app.parse_arguments(["--data", "dta"]))
    assert note.startswith("There is no folder dta")
    (note,) = app.start_notes(app.parse_arguments(["--host", "0.0.0.0"]))
    assert "--public" in note


def test_a_port_that_is_no_number_is_told_plainly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        app.parse_arguments(["--port", "many"])
    assert "--port" in capsys.readouterr().err
    monkeypatch.setenv("GRADIO_SERVER_PORT", "some")
    with pytest.raises(SystemExit):
        app.parse_arguments([])


def test_a_taken_port_is_told_plainly(served: Served) -> None:
    second = subprocess.run(
        [sys.executable, str(REPOSITORY / "app.py"), "--port", str(served.port)],
        cwd=served.output.parent,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=STARTED_WITHIN,
    )
    assert second.returncode != 0
    assert f"cannot be served at 127.0.0.1:{served.port}" in second.stderr
    assert "try another --port" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_set_is_drawn_once_the_page_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradio asks its own page at the start and gives up where that takes three seconds."""
    done: list[str] = []
    page = SimpleNamespace(
        queue=lambda **_: None,
        launch=lambda **how: done.append("answers" if how["prevent_thread_lock"] else "for ever"),
        block_thread=lambda: warmed.wait(10),
    )
    warmed = threading.Event()

    def warm_up() -> None:
        done.append("draws")
        warmed.set()

    monkeypatch.setattr(build, "build_app", lambda settings: page)
    monkeypatch.setattr(open_sets, "warm_up", warm_up)
    monkeypatch.setattr(cores, "small_work_on_one_core", lambda: None)
    monkeypatch.setattr(freed_memory, "keep_freed_memory", lambda **_: None)
    app.main(["--runs", str(tmp_path)])
    assert done == ["answers", "draws"]
