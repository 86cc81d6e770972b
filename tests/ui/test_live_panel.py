"""The live panel of the Train tab: what a tick sends, and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest

from fer_core.runs.record import Progress, append_epoch, read_progress, write_progress
from fer_core.ui.build import build_app
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train import live_run
from fer_core.ui.train.live_panel import panel_updates

PARTS = ("chosen", "status", "stop", "resume", "loss", "accuracy", "table", "log", "queue", "sent")


def sent_parts(settings: AppSettings, sent: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """What a tick sends of the run, and the names of the parts."""
    updates = dict(
        zip(PARTS, panel_updates(live_run.read_live(settings, "run"), sent), strict=True)
    )
    return updates, {part for part, update in updates.items() if update != gr.skip()}


def test_only_what_changed_is_sent_again(settings: AppSettings, make_run: Any) -> None:
    folder = make_run("run", state="queued")
    first, parts = sent_parts(settings, {})
    assert parts == set(PARTS)
    assert (first["stop"]["interactive"], first["resume"]["interactive"]) == (True, False)
    assert [name for _, name in first["chosen"]["choices"]] == ["", "run"]
    assert sent_parts(settings, first["sent"])[1] == set()
    append_epoch(folder, {"epoch": 5, "train_loss": 1.0, "validation_loss": 1.0})
    later, parts = sent_parts(settings, first["sent"])
    assert parts == {"status", "loss", "accuracy", "table", "sent"}
    assert later["loss"].data[0].x == (1, 2, 3, 4, 5)
    assert "<td>5</td>" in later["table"]
    write_progress(folder, Progress("stopped", epoch=5, epochs=8))
    ended, parts = sent_parts(settings, later["sent"])
    assert parts == {"chosen", "status", "stop", "resume", "queue", "sent"}
    assert (ended["stop"]["interactive"], ended["resume"]["interactive"]) == (False, True)


@pytest.fixture
def press(settings: AppSettings) -> Callable[[str, str], None]:
    """`press("on_stop", name)` as the button of the panel does it."""
    events = build_app(settings).fns.values()
    handlers = {event.name: event.fn for event in events if "build_live_panel" in str(event.fn)}
    return lambda name, run: handlers[name](run)


def test_stop_takes_the_watched_run_out_of_the_queue(
    settings: AppSettings, make_run: Any, press: Callable[[str, str], None]
) -> None:
    folder = make_run("waiting", state="queued", epochs=0)
    press("on_stop", "waiting")
    assert read_progress(folder).state == "stopped"


@pytest.mark.parametrize("name", ["on_stop", "on_resume"])
def test_what_a_button_cannot_do_is_told(press: Callable[[str, str], None], name: str) -> None:
    with pytest.raises(gr.Error, match="no run named 'gone'"):
        press(name, "gone")
