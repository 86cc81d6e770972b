"""Ways are timed in turns on the same pictures, and only when they did the same work."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.cli import main
from fer_core.comparison.costs.prediction_scenes import Scene, scenes
from fer_core.comparison.costs.prediction_speed import (
    OURS,
    WARM_UP,
    Pass,
    SpeedError,
    fer_way,
    speed_table,
    time_ways,
    timed,
)

SCENE = Scene("two faces", np.zeros((480, 640, 3), np.uint8), ((100, 100, 60), (300, 100, 60)))
BOTH = np.array([[70, 70, 130, 130], [270, 70, 330, 130]], dtype=float)


def steady(milliseconds: float, asked: list[str], name: str, boxes: np.ndarray = BOTH):
    def way(_scene: Scene) -> Pass:
        asked.append(name)
        return Pass(milliseconds, 2 * milliseconds, boxes)

    return way


def test_ratio_is_how_many_times_ours_another_way_takes() -> None:
    asked: list[str] = []
    ways = {OURS: steady(10, asked, "ours"), "slow": steady(35, asked, "slow")}
    ours, slow = time_ways(ways, [SCENE], 4)
    assert (ours.wall_ratio, slow.wall_ratio, slow.processor_ratio) == (1, 3.5, 3.5)
    assert slow.wall_ms == (35, 35, 35)
    assert slow.processor_ms == (70, 70, 70)
    assert (slow.found, slow.faces, slow.rounds) == (2, 2, 4)
    assert len(asked) == 2 * (4 + WARM_UP)
    assert {tuple(asked[at : at + 2]) for at in range(0, len(asked), 2)} == {
        ("ours", "slow"),
        ("slow", "ours"),
    }


def test_way_that_misses_a_face_is_refused() -> None:
    ways = {OURS: steady(10, [], ""), "blind": steady(5, [], "", BOTH[:1])}
    with pytest.raises(SpeedError, match="blind found 1 of 2"):
        time_ways(ways, [SCENE], 2)


def test_no_round_is_refused() -> None:
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        time_ways({OURS: steady(1, [], "")}, [SCENE], 0)


def test_a_function_is_timed_by_both_clocks() -> None:
    went = timed(lambda image: [(0, 0, image.shape[1], image.shape[0])])(SCENE)
    assert went.boxes.tolist() == [[0, 0, 640, 480]]
    assert went.wall_ms > 0
    assert went.processor_ms >= 0


def test_table_has_a_row_per_way() -> None:
    ways = {OURS: steady(10, [], ""), "slow": steady(35, [], "")}
    lines = speed_table(time_ways(ways, [SCENE], 2)).splitlines()
    assert len(lines) == 4
    assert lines[3].split(" | ")[1:3] == ["35.0 (35.0 to 35.0)", "3.50"]


def test_scenes_are_a_webcams_size_with_one_face_and_six() -> None:
    one, six = scenes()
    assert one.image.shape == six.image.shape == (480, 640, 3)
    assert (len(one.faces), len(six.faces)) == (1, 6)
    x, y, side = six.faces[0]
    assert six.found(np.array([[x - side, y - side, x + side, y + side]])) == 1
    assert six.found(np.zeros((0, 4))) == 0


def test_python_without_fer_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cv2", "fer"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not in this one')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SpeedError, match="not in this one"), fer_way(sys.executable, [SCENE]):
        pass


def test_package_is_asked_picture_by_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2.py").write_text("def setNumThreads(count): pass\n")
    (tmp_path / "fer").mkdir()
    (tmp_path / "fer" / "__init__.py").write_text("")
    (tmp_path / "fer" / "fer.py").write_text(
        "class FER:\n"
        "    def detect_emotions(self, image):\n"
        "        print('a line of its own')\n"
        "        return [{'box': [10, 20, 30, 40 + int(image.max())]}]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with fer_way(sys.executable, [SCENE]) as way:
        for _ in range(2):
            went = way(SCENE)
            assert went.boxes.tolist() == [[10, 20, 40, 60]]
            assert went.wall_ms >= 0


def test_command_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "speed.md"
    assert main(["bench", "--predict", "--repeats", "2", "--out", str(out)]) == 0
    text = out.read_text()
    assert "| this project |" in text
    assert "MTCNN at its default settings" in text
    assert "bench --predict --repeats 2" in text
    assert str(out) in capsys.readouterr().out
