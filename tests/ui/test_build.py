"""What happens when a page is opened, whichever tab is in front."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_core.ui import build
from fer_core.ui.shared.settings import AppSettings


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
