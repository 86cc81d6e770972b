"""What buttons and sliders hand on, pressed as the page does it: which run, unit, order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from run_folders import fake_run
from standins import text_of

from fer_core.data.policies import POLICIES
from fer_core.runs.recipes import RECIPES
from fer_core.training.sweep import plan_sweep
from fer_core.training.sweep_files import list_sweeps
from fer_core.training.sweep_queue import start_sweep
from fer_core.ui.augment import augment_view
from fer_core.ui.build import build_app
from fer_core.ui.data import data_view
from fer_core.ui.examples import EXAMPLES
from fer_core.ui.experiments.competition import page as content
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE, HANDED_OVER

# Gradio makes event loops while it builds a page and leaves their sockets to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> AppSettings:
    folder = tmp_path_factory.mktemp("page")
    return AppSettings(folder / "data", folder / "runs")


@pytest.fixture(scope="module")
def page(home: AppSettings) -> gr.Blocks:
    return build_app(home)


@pytest.fixture
def handler(page: gr.Blocks) -> Callable[[str, str], Any]:
    """`handler(name, where)`: the function of that name in the builder `where`."""

    def find(name: str, where: str) -> Any:
        return next(
            event.fn
            for event in page.fns.values()
            if event.name == name and f"{where}.<locals>" in str(event.fn)
        )

    return find


def test_the_run_that_was_asked_about_is_the_one_that_is_deleted(
    home: AppSettings, handler: Callable[[str, str], Any]
) -> None:
    fake_run(home.runs_folder, "kept")
    fake_run(home.runs_folder, "doomed*")
    shown, question, doomed = handler("on_ask", "_build_board")("doomed*")
    assert shown.visible
    assert question.startswith("Delete **doomed\\*** with its weights")
    assert doomed == "doomed*"
    hidden, chosen = handler("on_really", "_build_board")(doomed)
    assert (hidden.visible, chosen) == (False, None)
    assert [folder.name for folder in home.runs_folder.iterdir() if folder.is_dir()] == ["kept"]
    with pytest.raises(gr.Error, match="no run named"):
        handler("on_really", "_build_board")(doomed)


def test_the_sweep_that_was_asked_about_is_the_one_that_is_deleted(
    home: AppSettings, handler: Callable[[str, str], Any]
) -> None:
    config = dataclasses.replace(RECIPES["quick"].config, device="cpu")
    for name in ("first", "second"):
        sweep = plan_sweep(name, config, {"optimizer": ("sgd", "adam")})
        start_sweep(sweep, home.runs_folder, launch=lambda *asked: None)
    _, question, doomed = handler("on_ask", "build_sweep_view")("first")
    assert "Delete **first** with its 2 runs" in question
    hidden, chosen = handler("on_really", "build_sweep_view")(doomed)
    assert (hidden.visible, chosen) == (False, None)
    assert list_sweeps(home.runs_folder) == ["second"]
    assert not list(home.runs_folder.glob("first*"))
    assert len(list(home.runs_folder.glob("second-*"))) == 2


def test_what_the_sliders_say_is_handed_to_training(handler: Callable[[str, str], Any]) -> None:
    values = augment_view.slider_values(POLICIES["light"])
    policy, tabs = handler("on_use", "build_augment_tab")(*values)
    assert policy.pop(HANDED_OVER) > 0
    assert policy == POLICIES["light"].to_dict()
    assert tabs.selected == "train"
    _, caution, *filled = handler("on_preset", "build_augment_tab")(
        "light", None, 0, None, *augment_view.slider_values(POLICIES["none"])
    )
    assert filled == values
    assert caution == augment_view.caution_text(values)
    _, _, name = handler("on_draw", "build_augment_tab")(None, 0, None, *values)
    assert name == "light"


def test_the_split_that_is_set_is_the_one_of_the_runs(
    page: gr.Blocks, handler: Callable[[str, str], Any]
) -> None:
    split = next(event for event in page.fns.values() if event.name == "on_split")
    labels = [block.label for block in split.inputs[2:5]]
    assert labels == ["Test, % of all", "Validation, % of rest", "Seed of the draw"]
    choice = {**DEFAULT_DATA_CHOICE, "source": "drawn:70"}
    everything = (data_view.ANY_CLASS, data_view.ANY_PART, 0)
    made, test, validation, seed, _, _, words, *_ = split.fn(
        choice, "stratified", 30, 20, 7, *everything
    )
    wanted = {"split": "stratified", "test_share": 0.3, "validation_share": 0.2, "split_seed": 7}
    assert made == choice | wanted
    assert "**21** test" in words
    assert all(widget.interactive for widget in (test, validation, seed))
    asks = handler("on_changed", "build_data_tab")
    assert asks(made, "stratified", 30, 20, 7) == gr.skip()
    assert asks(made, "stratified", 20, 30, 7) != gr.skip()


def test_an_upload_is_kept_only_where_it_can_be_read(
    home: AppSettings, handler: Callable[[str, str], Any], tmp_path: Path, tiny_csv: Path
) -> None:
    upload = handler("on_upload", "build_data_tab")
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing,of,ours\n1,2,3\n")
    _, choice, notice, *_ = upload(str(bad), DEFAULT_DATA_CHOICE)
    assert choice == gr.skip()
    assert "could not be opened" in notice.value
    assert not (home.data_folder / "bad.csv").exists()
    content = tiny_csv.read_text()
    emptied, choice, notice, *_ = upload(str(tiny_csv), DEFAULT_DATA_CHOICE)
    assert emptied is None
    assert choice["source"] == str(home.data_folder / "tiny.csv")
    assert not notice.visible
    assert (home.data_folder / "tiny.csv").read_text() == content


@pytest.fixture
def happy(home: AppSettings, write_checkpoint: Callable[..., Path]) -> str:
    write_checkpoint(home.runs_folder / "only happy", "happy")
    return "run:only happy"


def test_the_threshold_of_the_slider_is_in_percent(
    happy: str, handler: Callable[[str, str], Any], tmp_path: Path
) -> None:
    photo = str(tmp_path / "photo.png")
    Image.linear_gradient("L").resize((60, 40)).save(photo)
    ask, visitor = handler("on_ask", "build_predict_tab"), SimpleNamespace(session_hash="me")
    shown, whole = ask(photo, happy, 40, False, photo, visitor)
    assert "The picture as a whole resembles happy most" in text_of(shown)
    assert not whole.visible
    shown, _ = ask(photo, happy, 100, False, photo, visitor)
    assert "Unsure: no expression reaches 100" in text_of(shown)


def test_the_example_that_is_clicked_is_the_one_that_is_opened(
    handler: Callable[[str, str], Any],
) -> None:
    click = handler("on_example", "_example_strip")
    for index in range(len(EXAMPLES)):
        event = SimpleNamespace(_data={"index": index})
        assert click(event) == str(EXAMPLES[index].path)
    for outside in (-1, len(EXAMPLES), "0", None):
        with pytest.raises(gr.Error, match="no such example"):
            click(SimpleNamespace(_data={"index": outside}))


def test_predicted_faces_are_paged_through_and_the_submission_has_them_all(
    page: gr.Blocks, happy: str, handler: Callable[[str, str], Any]
) -> None:
    visitor = SimpleNamespace(session_hash="me")
    *_, last = handler("on_start", "build_predict_part")(happy, "drawn:70", None, visitor)
    token = next(part for part in last if isinstance(part, str) and len(part) == 32)
    ids = {block.elem_id: key for key, block in page.blocks.items() if block.elem_id}
    asked = (token, content.ANY_LABEL, content.FILE_ORDER)
    for button, number, words, back, on in (
        ("submit-after", 1, "Faces 49 to 70 of 70, page 2 of 2.", True, False),
        ("submit-before", 2, "Faces 1 to 48 of 70, page 1 of 2.", False, True),
    ):
        clicked = (ids[button], "click")
        turn = next(event.fn for event in page.fns.values() if clicked in event.targets)
        _, said, _, before, after = turn(*asked, number)
        assert words in said
        assert (before["interactive"], after["interactive"]) == (back, on)
    columns = handler("on_columns", "build_predict_part")
    plain, named = (Path(columns(token, *ticked)) for ticked in ((False, False), (True, False)))
    assert plain == named
    assert len(named.read_text().splitlines()) == 71
    assert ",happy" in named.read_text()
    handler("on_leave", "build_predict_part")(visitor)
    assert not named.exists()
    with pytest.raises(gr.Error, match="no longer kept"):
        turn(*asked, 1)


def test_a_frame_of_the_camera_comes_with_its_viewer_and_checkpoint(
    happy: str, handler: Callable[[str, str], Any]
) -> None:
    frame = handler("camera_frame", "build_webcam")
    assert frame("0" * 24, "", happy, 40) == ["", ""], "an empty picture ends the view"
    assert "Load it again" in frame("", "", happy, 40)[1]


def test_a_new_domain_is_scored_with_the_mapping_that_is_shown(
    happy: str, handler: Callable[[str, str], Any]
) -> None:
    pair, about, words, *lists = handler("on_pair", "build_domain_view")(happy, "drawn:70", None)
    assert "70 labelled grey images" in about
    assert "70 of 70 labelled images count" in words
    sent = [one._constructor_args[0] for one in lists]
    shown = [one for one in sent if one["visible"]]
    assert [(one["label"], one["value"]) for one in shown] == [
        (f"{label} · {count}", pair.proposed[label]) for label, count in pair.counts.items()
    ]
    values = ["" if one["value"] == "fear" else one["value"] for one in shown]
    evaluate = handler("on_evaluate", "build_domain_view")
    *_, (status, stop, results, cards, confusion, _, _, matrix, question) = evaluate(
        pair, 0, False, *values
    )
    assert (status, stop.interactive, results.visible) == ("", False, True)
    assert "16.7 %" in cards
    assert question.mapping["fear"] == ""
    happy_column = list(matrix[1]).index("happy")
    assert np.array_equal(confusion.data[0].z, matrix[0])
    assert np.array(matrix[0])[:, happy_column].sum() == 60
    shares = handler("on_shares", "build_domain_view")(matrix, True)
    assert shares.data[0].zmax == 1


def test_the_list_of_fine_tuned_runs_is_read_again_when_the_run_on_show_changes(
    page: gr.Blocks,
) -> None:
    compared = next(event for event in page.fns.values() if event.name == "on_compare")
    named = next(event for event in page.fns.values() if event.name == "on_names")
    assert set(compared.targets) <= set(named.targets)
