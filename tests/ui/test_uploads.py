"""Uploads go with the last page that uses them, and nothing but an upload is ever deleted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from fer_core.ui.shared.uploads import Uploads


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Two uploads, and a download that everyone is offered, in the same folder."""
    for name in ("one.jpg", "two.jpg", "leaderboard.csv"):
        (tmp_path / name).write_bytes(b"x")
    return {path.stem: str(path) for path in tmp_path.iterdir()}


@pytest.fixture
def uploads(files: dict[str, str]) -> Uploads:
    return Uploads(lambda path: path in (files["one"], files["two"]), stay=0)


def test_a_closed_page_takes_its_uploads_along(uploads: Uploads, files: dict[str, str]) -> None:
    uploads.hold("a", files["one"])
    uploads.hold("b", files["two"])
    uploads.leave("a")
    assert not Path(files["one"]).exists()
    assert Path(files["two"]).exists()


def test_a_file_that_another_page_uses_stays(uploads: Uploads, files: dict[str, str]) -> None:
    uploads.hold("a", files["one"])
    uploads.hold("b", files["one"])
    uploads.leave("a")
    uploads.leave("a")
    assert Path(files["one"]).exists()
    uploads.leave("b")
    assert not Path(files["one"]).exists()


def test_a_page_may_use_a_file_for_two_things(uploads: Uploads, files: dict[str, str]) -> None:
    uploads.hold("a", files["one"], "entry")
    uploads.hold("a", files["one"], "solution")
    uploads.release("a", files["one"], "solution")
    assert Path(files["one"]).exists()
    uploads.release("b", files["one"], "entry")  # was never theirs
    assert Path(files["one"]).exists()
    uploads.release("a", files["one"], "entry")
    assert not Path(files["one"]).exists()


@pytest.mark.parametrize("source", ["leaderboard", None])
def test_what_is_no_upload_is_never_deleted(
    uploads: Uploads, files: dict[str, str], source: str | None
) -> None:
    named = files[source] if source else b"the bytes of a frame"
    uploads.hold("a", named)
    uploads.release("a", named)
    uploads.leave("a")
    sneaky = str(Path(files["one"]).parent / "." / ".." / Path(files["one"]).parent.name)
    uploads.hold("a", f"{sneaky}/leaderboard.csv")
    uploads.leave("a")
    assert all(Path(path).exists() for path in files.values())


def test_without_a_session_nothing_is_held(uploads: Uploads, files: dict[str, str]) -> None:
    uploads.hold(None, files["one"])
    uploads.leave(None)
    assert Path(files["one"]).exists()


def test_a_file_that_was_just_uploaded_waits_for_whoever_sent_it(files: dict[str, str]) -> None:
    """Two send the same picture: one's answer comes before the other's request has begun."""
    picture = Path(files["one"])
    uploads = Uploads(lambda path: path == files["one"], stay=0.5)
    uploads.hold("a", files["one"])
    uploads.release("a", files["one"])
    assert picture.exists()
    uploads.hold("b", files["one"])
    time.sleep(0.8)
    assert picture.exists(), "somebody uses it by now"
    picture.touch()  # and a third sends it
    uploads.release("b", files["one"])
    assert picture.exists()
    deadline = time.monotonic() + 20
    while picture.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not picture.exists()


def test_a_file_that_is_gone_already_is_no_fault(files: dict[str, str]) -> None:
    uploads = Uploads(lambda path: True)
    uploads.hold("a", files["one"])
    Path(files["one"]).unlink()
    uploads.release("a", files["one"])
    uploads.leave("a")


def test_however_many_files_wait_one_thread_waits_for_them(tmp_path: Path) -> None:
    before = threading.active_count()
    uploads = Uploads(lambda path: True, stay=2)
    pictures = [tmp_path / f"{number}.jpg" for number in range(40)]
    for picture in pictures:
        picture.write_bytes(b"x")
        uploads.hold("a", str(picture))
    uploads.leave("a")
    assert all(picture.exists() for picture in pictures)
    assert threading.active_count() <= before + 1
    deadline = time.monotonic() + 20
    while any(picture.exists() for picture in pictures) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(picture.exists() for picture in pictures)
