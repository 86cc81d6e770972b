"""Progress on the page: a message for every percent, not for every image."""

from __future__ import annotations

from typing import Any

import pytest

from fer_core.ui.shared import progress
from fer_core.ui.shared.progress import reporter


def test_a_message_for_each_percent_alone() -> None:
    told: list[tuple[Any, Any, Any]] = []
    report = reporter(
        lambda done, desc, unit: told.append((done, desc, unit)), "Reading faces", "faces"
    )
    for done in range(1001):
        report(done, 1000)
    assert len(told) == 101
    assert told[0] == ((0, 1000), "Reading faces", "faces")
    assert told[-1][0] == (1000, 1000)
    report(0, 0)  # nothing to do is no division by zero
    assert told[-1][0] == (0, 0)


def test_of_quick_steps_the_page_is_told_a_few_and_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a browser has not shown yet when Stop is pressed is shown over the words of Stop."""
    clock = iter(number / 10 for number in range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    told = list(progress.paced(range(100), pause=1.0))
    assert told[0] == 0
    assert told[-1] == 99
    assert len(told) <= 13
    assert list(progress.paced(range(1))) == [0]
    assert list(progress.paced([])) == []
