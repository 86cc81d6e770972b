"""What a visitor chooses while an answer is under way: it counts, and no answer undoes it."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from fer_core.ui.build import build_app
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

# Gradio makes event loops while it builds a page and leaves their sockets to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    folder = tmp_path_factory.mktemp("page")
    return build_app(AppSettings(folder / "data", folder / "runs"))


def event_of(page: gr.Blocks, elem_id: str, name: str) -> Any:
    """The first event of that name of a component."""
    number = {block.elem_id: key for key, block in page.blocks.items() if block.elem_id}
    return next(one for one in page.fns.values() if (number[elem_id], name) in one.targets)


@pytest.mark.parametrize(
    "elem_id",
    [
        "data-exact-kind",
        "confusion-kind",
        "domain-shares",
        "submit-label",
        "submit-order",
        "submit-names",
        "submit-shares",
        "entries-gflops",
    ],
)
def test_the_last_choice_is_answered(page: gr.Blocks, elem_id: str) -> None:
    """Gradio's "once" drops what is chosen while an earlier choice is being answered."""
    assert event_of(page, elem_id, "input").trigger_mode == "always_last"


def test_another_set_ends_the_look_for_near_twins(page: gr.Blocks) -> None:
    looking = event_of(page, "data-near-look", "click")
    [ending] = [one for one in page.fns.values() if looking._id in one.cancels]
    [(state, name)] = ending.targets
    assert (page.blocks[state].value, name) == (DEFAULT_DATA_CHOICE, "change")
