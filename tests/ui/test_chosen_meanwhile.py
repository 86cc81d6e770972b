"""What a visitor chooses while an answer is under way: it counts, and no answer undoes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from fer_core.data.faces import Faces
from fer_core.ui.build import build_app
from fer_core.ui.shared import open_sets
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


def sent(update: gr.components.Component) -> dict[str, Any]:
    """What of a component goes to the page."""
    return update._constructor_args[0]


@pytest.mark.parametrize(
    "elem_id",
    [
        "data-set",
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


def test_a_set_picked_while_another_is_read_stays_picked(
    page: gr.Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    choose = event_of(page, "data-set", "input")
    place = [block.elem_id for block in choose.outputs].index("data-set")
    picked = choose.fn("drawn:70", DEFAULT_DATA_CHOICE, "drawn:70")[place]
    assert "value" not in sent(picked), "by now the list may say another"
    typed = choose.fn("drawn:70", DEFAULT_DATA_CHOICE, "drawn")[place]
    assert sent(typed)["value"] == "drawn:70"
    assert [block.elem_id for block in choose.inputs] == ["data-set", None, "data-set"]


def test_another_set_ends_the_look_for_near_twins(page: gr.Blocks) -> None:
    looking = event_of(page, "data-near-look", "click")
    [ending] = [one for one in page.fns.values() if looking._id in one.cancels]
    [(state, name)] = ending.targets
    assert (page.blocks[state].value, name) == (DEFAULT_DATA_CHOICE, "change")


@pytest.fixture
def pick(
    page: gr.Blocks, tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Any, Any]]:
    """pick(handler, *what class and number say) → updates of the list of classes and the number."""
    monkeypatch.setattr(open_sets, "faces_at_once", lambda source: tiny_faces)

    def picked(name: str, *says: Any) -> tuple[Any, Any]:
        handler = next(one.fn for one in page.fns.values() if one.name == name)
        return handler(DEFAULT_DATA_CHOICE, *says, 0, None, *([0.0] * 16))[-2:]

    monkeypatch.setattr(
        "fer_core.ui.augment.augment_tab.view.variants_html", lambda *face: "the draws"
    )
    return picked


def test_a_number_is_not_written_over_while_it_is_typed(pick: Callable[..., Any]) -> None:
    classes, number = pick("on_pick", "happy", 1)
    assert number == gr.skip(), "the 1 of a 12 must not come back in the place of the 12"
    assert "value" not in sent(classes)
    assert pick("on_pick", "happy", 99)[1] == 10, "past the end is the last"
    classes, number = pick("on_pick", "glee", None)
    assert (sent(classes)["value"], number) == ("happy", 1)


def test_a_random_face_writes_its_number(pick: Callable[..., Any]) -> None:
    numbers = [pick("on_random", "happy")[1] for _ in range(5)]
    assert all(isinstance(number, int) and 1 <= number <= 10 for number in numbers)


def test_a_photo_can_be_returned_to_from_another_set(page: gr.Blocks) -> None:
    back = next(key for key, block in page.blocks.items() if block.elem_id == "augment-back")
    shows = [
        one
        for one in page.fns.values()
        if [block._id for block in one.outputs] == [back] and one.targets[0][1] == "change"
    ]
    assert [page.blocks[one.targets[0][0]].value for one in shows] == ["drawn"]
    assert shows[0].fn("photo.jpg").visible
    assert not shows[0].fn(None).visible
