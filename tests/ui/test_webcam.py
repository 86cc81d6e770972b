"""The live webcam: what is answered to a frame, and whose memory it is answered from."""

from __future__ import annotations

import base64
import io
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from standins import NoFace, text_of

from fer_core.inference.predictor import FacePrediction
from fer_core.ui.predict import webcam
from fer_core.ui.predict.webcam import LiveView, LiveViews, frame_answer, look_at_frame
from fer_core.ui.shared.loaded import LoadedCheckpoints


def test_a_frame_of_the_camera_gives_boxes_and_a_label(loaded: LoadedCheckpoints) -> None:
    over, beside = look_at_frame(LiveView(), loaded, None, np.full((240, 320, 3), 120, np.uint8))
    assert "aspect-ratio:320/240" in over
    assert "left:25.00%;top:25.00%" in over
    assert "This face resembles happy most" in text_of(beside)


def test_a_camera_without_a_face_says_so(loaded: LoadedCheckpoints) -> None:
    loaded = LoadedCheckpoints(loaded.runs_folder, NoFace())
    over, beside = look_at_frame(LiveView(), loaded, None, np.zeros((240, 320, 3), "u1"))
    assert "face-box" not in over
    assert "No face in the picture" in beside


def test_more_faces_than_cards_are_counted_and_the_speed_is_told_once_it_is_known() -> None:
    shares, pixels = {"happy": 0.9, "sad": 0.1}, np.zeros((4, 4, 1), np.uint8)
    face = FacePrediction((0, 0, 9, 9), "happy", 0.9, shares, pixels)
    said = text_of(webcam.live_html([face] * 5, 12.34, 0.0456))
    assert said.count("as the model sees it") == 3
    assert "and 2 more in the picture" in said
    assert "12.3 pictures per second, 46 ms for this one" in said
    said = text_of(webcam.live_html([face] * 3, 0.0, 0.02))
    assert "more in the picture" not in said
    assert said.endswith("20 ms for this one")
    assert "per second" not in said


def test_a_running_camera_notices_new_weights_and_another_choice_soon(
    loaded: LoadedCheckpoints, write_checkpoint: Callable[..., Path]
) -> None:
    view = LiveView()
    first = view.predictor(loaded, "run:first", 0.0)
    write_checkpoint(loaded.runs_folder / "first", "sad")
    write_checkpoint(loaded.runs_folder / "second")
    assert view.predictor(loaded, "run:first", 2.0) is first, "the disk is not asked at every frame"
    assert view.predictor(loaded, "run:first", 4.0) is not first
    second = view.predictor(loaded, "run:second", 4.1)
    assert second.checkpoint.folder.name == "second"


VIEWER, OTHER = "0" * 24, "a" * 24


@pytest.fixture
def frame() -> str:
    """What the browser sends of a picture: a data URL."""
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), "grey").save(buffer, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def test_the_boxes_come_with_every_frame_the_cards_now_and_then(
    loaded: LoadedCheckpoints, frame: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webcam, "_CARD_SECONDS", 60)  # however slow the machine is
    open_views = LiveViews()
    over, beside = frame_answer(open_views, loaded, VIEWER, frame, None, 40)
    assert "left:25.00%;top:25.00%" in over
    assert "This face resembles happy most" in text_of(beside)
    over, beside = frame_answer(open_views, loaded, VIEWER, frame, None, 40)
    assert "left:25.00%;top:25.00%" in over
    assert beside == ""
    open_views.of(VIEWER, time.monotonic()).told -= 60
    assert frame_answer(open_views, loaded, VIEWER, frame, None, 40)[1]
    _, beside = frame_answer(open_views, loaded, OTHER, frame, None, 100)
    assert "Unsure: no expression reaches 100 %" in text_of(beside)
    assert frame_answer(open_views, loaded, OTHER, "", None, 0) == ("", "")
    assert len(open_views) == 1


@pytest.mark.parametrize(
    "picture",
    ["data:image/jpeg;base64,!!", "data:,aGk=", "x" * 4_000_001, ["x"], {"url": "data:,aGk="}, 7],
)
def test_a_frame_that_is_no_picture_is_answered_in_words(
    loaded: LoadedCheckpoints, picture: object
) -> None:
    over, beside = frame_answer(LiveViews(), loaded, VIEWER, picture, None, 40)
    assert over == ""
    assert re.search(
        "not base64|not a picture that can be read|larger than 3 MB|must come as a data URL", beside
    ), beside


def test_a_stranger_cannot_name_views_at_will(loaded: LoadedCheckpoints, frame: str) -> None:
    open_views = LiveViews()
    for viewer in ("", "../x", "A" * 24, "0" * 25, None):
        assert "Load it again" in frame_answer(open_views, loaded, viewer, frame, None, 40)[1]
    assert len(open_views) == 0


def test_a_frame_that_waits_too_long_is_dropped(
    loaded: LoadedCheckpoints, frame: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webcam, "_FRAMES_AT_ONCE", threading.BoundedSemaphore(1))
    monkeypatch.setattr(webcam, "_PATIENCE_SECONDS", 0.01)
    with webcam._FRAMES_AT_ONCE:
        over, beside = frame_answer(LiveViews(), loaded, VIEWER, frame, None, 40)
    assert over == ""
    assert "Many people" in beside
    assert frame_answer(LiveViews(), loaded, VIEWER, frame, None, 40)[0]


def test_viewers_do_not_share_what_they_show() -> None:
    live_views = LiveViews()
    first = live_views.of("a", 0.0)
    assert live_views.of("b", 0.0).tracker is not first.tracker
    assert live_views.of("a", 1.0) is first
    live_views.forget("a")
    assert live_views.of("a", 1.0) is not first


def test_views_are_dropped_when_nobody_uses_them() -> None:
    live_views = LiveViews()
    first = live_views.of("a", 0.0)
    live_views.of("b", 59.0)
    assert len(live_views) == 2
    live_views.of("b", 61.0)
    assert len(live_views) == 1
    assert live_views.of("a", 61.0) is not first
    for number in range(100):
        live_views.of(f"viewer {number}", 62.0)
    assert len(live_views) == 64
