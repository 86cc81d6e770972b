"""What happens when a page is opened or watched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fer_core.runs.record import run_lock
from fer_core.ui import build
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train import live_panel


def test_a_page_that_is_opened_goes_on_with_a_queue_whose_worker_was_killed(
    settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_up = []
    monkeypatch.setattr(build, "take_up_queue", taken_up.append)
    for page, called in ((replace(settings, public=True), []), (settings, [settings.runs_folder])):
        events = build.build_app(page).fns.values()
        for event in events:
            if event.name == "on_open" and event.fn.__module__ == build.__name__:
                event.fn()
        assert taken_up == called


def test_a_panel_that_is_watched_goes_on_with_a_queue_whose_worker_was_killed(
    settings: AppSettings, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_up = []
    monkeypatch.setattr(live_panel, "take_up_queue", taken_up.append)

    def look(page: AppSettings) -> None:
        events = build.build_app(page).fns.values()
        ticks = [event for event in events if event.name == "on_watch"]
        ticks[0].fn("", {})

    look(settings)
    running = make_run("first", state="running", queued_at=1)
    make_run("second", state="queued", epochs=0, queued_at=2)
    with run_lock(running):
        look(settings)
    assert taken_up == []
    look(replace(settings, public=True))
    assert taken_up == []
    look(settings)  # the running one and its worker are gone
    assert taken_up == [settings.runs_folder]
