"""The Predict tab: what it says of a face, what it does without one, and whom it trusts."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import ImageData
from PIL import Image
from standins import NoFace, OneFace, text_of

from fer_core.inference.predictor import FacePrediction
from fer_core.labels import COLOURS, FER2013_CLASSES
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.predict import predict_views as views
from fer_core.ui.predict.api import faces_for_api
from fer_core.ui.predict.predict_tab import answer
from fer_core.ui.shared import loaded as loaded_module
from fer_core.ui.shared.checkpoint_choices import checkpoint_choices
from fer_core.ui.shared.loaded import LoadedCheckpoints
from fer_core.ui.shared.picture_input import PhotoInput

WriteCheckpoint = Callable[..., Path]


def prediction(
    box: tuple[float, float, float, float] | None = (100, 50, 200, 150), **shares: float
) -> FacePrediction:
    """A face with the given probabilities; the classes not named share the rest."""
    others = [name for name in FER2013_CLASSES if name not in shares]
    rest = (1 - sum(shares.values())) / max(len(others), 1)
    probabilities = {name: shares.get(name, rest) for name in (*FER2013_CLASSES, *shares)}
    label = max(probabilities, key=lambda name: probabilities[name])
    face = np.arange(48 * 48, dtype=np.uint32).reshape(48, 48, 1).astype(np.uint8)
    return FacePrediction(box, label, probabilities[label], probabilities, face)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.linear_gradient("L").resize((400, 300)).save(path)
    return str(path)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"happy": 0.83, "neutral": 0.1}, "This face resembles happy most (83 %)."),
        ({"sad": 0.41, "neutral": 0.38}, "Not clear: between sad (41 %) and neutral (38 %)."),
        ({"sad": 0.45, "neutral": 0.2}, "This face resembles sad most (45 %)."),
        ({"fear": 0.2}, "Unsure: no expression reaches 40 % (fear 20 %, angry 13 %"),
        ({"happy": 0.39}, "Unsure: no expression reaches 40 % (happy 39 %"),
    ],
)
def test_sentence_says_when_it_is_not_clear(shares: dict[str, float], said: str) -> None:
    assert text_of(views.sentence(prediction(**shares))).replace(" )", ")").startswith(said)


def test_unsure_is_said_on_picture_and_card_as_the_visitor_sets_it() -> None:
    face = prediction(happy=0.55)
    image = np.zeros((300, 400, 3), np.uint8)
    sure = views.prediction_html(image, [face], 0.1, "model")
    assert "happy 55" in text_of(sure)
    assert "unsure" not in sure
    unsure = views.prediction_html(image, [face], 0.1, "model", unsure_below=0.6)
    assert 'aria-label="Face 1: unsure"' in unsure
    assert "Unsure: no expression reaches 60 % (happy 55 %" in text_of(unsure)
    assert re.search(r"<span>unsure</span>", unsure)


def test_two_close_labels_stand_on_the_picture_as_on_the_card() -> None:
    close, clear = prediction(sad=0.45, neutral=0.4), prediction((300, 150, 360, 210), sad=0.7)
    image = np.zeros((300, 400, 3), np.uint8)
    html = views.prediction_html(image, [close, clear], 0.1, "model")
    assert "Not clear: between sad (45 %" in text_of(html)
    assert re.findall(r"<span>(\d [a-z ]+)<", html) == ["1 sad or neutral", "2 sad"]
    assert 'aria-label="Face 1: sad or neutral"' in html
    crowd = [replace(close, box=(x, 100, x + 60, 160)) for x in range(0, 340, 60)]
    boxes = views.boxes(crowd, 400, 300)
    assert "<span>1</span>" in boxes, "15 % of the width are too little for two labels"
    clear_ones = views.boxes([replace(clear, box=face.box) for face in crowd], 400, 300)
    assert "<span>1 sad</span>" in clear_ones


def test_what_was_taken_as_the_face_is_said_as_it_was() -> None:
    whole = [prediction(None, happy=0.8)]
    for size, said in (((300, 300, 3), "The whole picture"), ((300, 400, 3), "The middle of the")):
        shown = text_of(views.prediction_html(np.zeros(size, np.uint8), whole, 0.1, "model"))
        assert shown.startswith(said)


def test_the_strongest_bar_alone_is_set_in_bold_and_the_picture_is_told_in_words() -> None:
    faces = [prediction(happy=0.8), prediction((300, 150, 360, 210), sad=0.7)]
    html = views.prediction_html(np.zeros((300, 400, 3), np.uint8), faces, 0.1, "model")
    assert re.findall('<li class=top><span class="name">([a-z]+)<', html) == ["happy", "sad"]
    alt = "Your picture with 2 faces marked. 1: happy 80\u00a0%; 2: sad 70\u00a0%"
    assert f'alt="{alt}"' in html


def test_a_picture_is_sent_back_no_larger_than_it_is_shown() -> None:
    for size, shown in (((1000, 4000), (275, 1100)), ((4000, 1000), (1100, 275)), ((9, 1), (9, 1))):
        assert views.shrink(np.zeros((*size, 3), np.uint8), views.SHOWN_SIDE).shape[:2] == shown
    assert views.shrink(np.zeros((4000, 1, 3), np.uint8), 1000).shape[:2] == (1000, 1)


def test_a_label_is_put_where_the_picture_has_room_for_it() -> None:
    places = {(100, 100, 140, 140): "", (100, 9, 140, 40): " low", (300, 100, 340, 140): " right"}
    for box, side in places.items():
        assert f'class="face-box{side}"' in views.boxes([prediction(box, happy=0.8)], 400, 300)


def test_a_problem_is_told_as_one() -> None:
    assert 'class="message problem" role="alert"' in views.problem(CheckpointError("gone"))
    assert 'class="message" role="status"' in views.message("Nothing yet", "")


def test_every_face_has_a_box_in_its_place_and_a_card_with_every_class() -> None:
    faces = [prediction(happy=0.8), prediction((300, 150, 360, 210), sad=0.7)]
    html = views.prediction_html(np.zeros((300, 400, 3), np.uint8), faces, 0.25, "model")
    boxes = re.findall(r"left:([\d.]+)%;top:([\d.]+)%;width:([\d.]+)%;height:([\d.]+)%", html)
    assert boxes == [("25.00", "16.67", "25.00", "33.33"), ("75.00", "50.00", "15.00", "20.00")]
    assert "2 faces found · model · 250 ms" in html
    said = re.findall(r"<span>(\d) ([a-z]+)<b>", html)
    assert said == [("1", "happy"), ("2", "sad")], "as on their cards"
    slow = views.prediction_html(np.zeros((300, 400, 3), np.uint8), faces, 1.25, "model")
    assert "2 faces found · model · 1.2 s" in slow
    cards = html.split('<section class="face-card"')[1:]
    assert len(cards) == 2
    for card in cards:
        assert re.findall('class="name">([a-z]+)<', card) == list(FER2013_CLASSES)


def test_the_face_on_the_card_is_the_face_the_model_saw() -> None:
    face = prediction(happy=0.8)
    card = views.face_card(face, 1)
    encoded = re.search("data:image/png;base64,([^\"']+)", card)
    assert encoded is not None
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded[1]))))
    assert np.array_equal(shown, face.face[:, :, 0])
    assert "48 × 48 pixels" in card


def test_a_class_name_cannot_bring_markup_onto_the_page() -> None:
    name = "<img src=x onerror=alert(1)>"
    html = views.prediction_html(
        np.zeros((300, 400, 3), np.uint8), [prediction(**{name: 0.9})], 0.1, name
    )
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_a_crowd_gets_numbered_boxes_and_a_bounded_number_of_cards() -> None:
    crowd = [prediction((x, 100, x + 20, 120), happy=0.8) for x in range(0, 390, 13)]
    html = views.prediction_html(np.zeros((300, 400, 3), np.uint8), crowd, 1.0, "model")
    assert html.count('class="face-box') == len(crowd) == 30
    assert html.count('class="face-card"') == views.MOST_CARDS
    assert "6 more faces only in the picture" in html


@pytest.mark.parametrize("background", COLOURS.values())
def test_labels_can_be_read_on_their_colour(background: str) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    light, dark = sorted((luminance(background), luminance(views.ink(background))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2 AA


def test_without_any_checkpoint_the_page_says_what_to_do(
    tmp_path: Path, photo: str, no_shipped: None
) -> None:
    loaded = LoadedCheckpoints(tmp_path / "none", OneFace())
    for source in (None, photo):
        assert "recipe quick" in text_of(answer(loaded, source, None, False).html)
    assert checkpoint_choices(loaded, "run:gone")["value"] is None


def test_without_a_picture_the_page_says_what_to_give_it(loaded: LoadedCheckpoints) -> None:
    assert "Upload a photo" in answer(loaded, None, None, False).html


def test_a_photo_is_answered_with_a_card(loaded: LoadedCheckpoints, photo: str) -> None:
    shown = answer(loaded, photo, "run:first", False)
    assert "This face resembles happy most" in text_of(shown.html)
    assert not shown.offers_whole


def test_no_face_offers_the_whole_picture_and_then_uses_it(
    loaded: LoadedCheckpoints, photo: str
) -> None:
    loaded = LoadedCheckpoints(loaded.runs_folder, NoFace())
    first = answer(loaded, photo, None, False)
    assert first.offers_whole
    assert "No face found" in first.html
    second = answer(loaded, photo, None, True)
    assert not second.offers_whole
    assert "The picture as a whole resembles happy most" in text_of(second.html)
    assert "face-box" not in second.html


def test_what_cannot_be_used_is_explained_in_place(
    loaded: LoadedCheckpoints, photo: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    assert "broken.jpg is not a picture" in answer(loaded, str(broken), None, False).html
    assert "no checkpoint is called" in answer(loaded, photo, "run:other", False).html


def test_only_names_in_the_list_are_opened(
    loaded: LoadedCheckpoints, tmp_path: Path, write_checkpoint: WriteCheckpoint
) -> None:
    outside = write_checkpoint(tmp_path / "elsewhere")
    for name in (str(outside), "../elsewhere", "run:../elsewhere", "run:run:first"):
        with pytest.raises(CheckpointError, match="no checkpoint is called"):
            loaded.entry(name)
    assert loaded.entry("run:first").folder == tmp_path / "runs" / "first"
    assert loaded.entry("first") == loaded.entry("run:first")  # as the page shows it
    assert loaded.entry("") == loaded.entry(None) == loaded.entries()[0]


def test_replaced_weights_are_read_again(
    loaded: LoadedCheckpoints, photo: str, write_checkpoint: WriteCheckpoint
) -> None:
    entry = loaded.entry("run:first")
    kept = loaded.predictor(entry)
    assert loaded.predictor(entry) is kept
    write_checkpoint(entry.folder, "sad")
    assert loaded.predictor(entry) is not kept
    assert faces_for_api(loaded, photo, "run:first", False)[0]["label"] == "sad"


def test_few_checkpoints_are_held_in_memory(
    loaded: LoadedCheckpoints, write_checkpoint: WriteCheckpoint
) -> None:
    for number in range(loaded_module.KEPT + 1):
        write_checkpoint(loaded.runs_folder / f"run{number}")
    first = loaded.predictor(loaded.entry("run:first"))
    for number in range(loaded_module.KEPT + 1):
        loaded.predictor(loaded.entry(f"run:run{number}"))
    assert loaded.predictor(loaded.entry("run:first")) is not first
    assert len(loaded._kept) == loaded_module.KEPT


def test_the_list_keeps_the_choice_while_it_exists(
    loaded: LoadedCheckpoints, write_checkpoint: WriteCheckpoint
) -> None:
    write_checkpoint(loaded.runs_folder / "second")
    assert "value" not in checkpoint_choices(loaded, "run:second")
    assert checkpoint_choices(loaded, "run:gone")["value"] == loaded.entries()[0].name


def test_an_uploaded_picture_reaches_the_handler_unopened(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.png"
    hostile.write_bytes(b"\x89PNG not really")
    assert PhotoInput().preprocess(ImageData(path=str(hostile))) == str(hostile)
    url = "data:image/png;base64," + base64.b64encode(b"frame").decode()
    assert PhotoInput().preprocess(ImageData(url=url)) == b"frame"
    with pytest.raises(gr.Error, match="not base64"):
        PhotoInput().preprocess(ImageData(url="data:image/png;base64,???"))
