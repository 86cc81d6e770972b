"""The marked picture and the table that a visitor can keep of an answer."""

from __future__ import annotations

import base64
import csv
import io
import re

import numpy as np
from PIL import Image

from fer_core.inference.predictor import FacePrediction
from fer_core.labels import UNSURE_COLOUR, colour
from fer_core.ui.predict.saves import saves_html, table_csv


def face(label: str, share: float, box: tuple[float, float, float, float] | None) -> FacePrediction:
    shares = {"happy": 0.0, "sad": 0.0, label: share, "neutral": 1 - share}
    return FacePrediction(box, label, share, shares, np.zeros((4, 4, 1), np.uint8))


def kept(html: str, name: str) -> bytes:
    found = re.search(rf'download="{re.escape(name)}" href="data:[a-z/]+;base64,([^"]+)"', html)
    assert found is not None
    return base64.b64decode(found[1])


def near(picture: np.ndarray, hue: str) -> np.ndarray:
    """Where the picture has that colour but for what JPEG does to it."""
    wanted = np.array([int(hue[at : at + 2], 16) for at in (1, 3, 5)])
    return (np.abs(picture.astype(int) - wanted) < 25).all(axis=2)


def test_the_kept_picture_has_the_boxes_and_says_unsure_as_the_page_does() -> None:
    image = np.full((1200, 2200, 3), 250, dtype=np.uint8)
    faces = [face("happy", 0.9, (200, 400, 600, 800)), face("sad", 0.5, (1400, 400, 1800, 800))]
    html = saves_html(image, faces, unsure_below=0.6)
    picture = np.asarray(Image.open(io.BytesIO(kept(html, "expressions.jpg"))))
    assert picture.shape == (600, 1100, 3)
    assert near(picture, colour("happy"))[150:201, 95:305].sum() > 500
    assert near(picture, UNSURE_COLOUR)[150:201, 695:905].sum() > 500
    assert not near(picture, colour("sad")).any()
    assert (image == 250).all()


def test_the_table_has_a_line_for_each_face() -> None:
    faces = [face("happy", 0.9, (1.23, 4, 50, 60.07)), face("sad", 0.3, None)]
    html = saves_html(np.zeros((100, 100, 3), np.uint8), faces, 0.4)
    text = kept(html, "expressions.csv").decode()
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["face"], first["answer"], first["label"]) == ("1", "happy", "happy")
    assert [first[edge] for edge in ("x0", "y0", "x1", "y1")] == ["1.2", "4.0", "50.0", "60.1"]
    assert float(first["happy"]) == 0.9
    assert (second["answer"], second["label"], second["x0"]) == ("unsure", "sad", "")


def test_a_class_name_is_no_formula_in_a_spreadsheet_and_no_markup_on_the_page() -> None:
    name = '=cmd|"<img src=x>"!A0'
    table = table_csv([face(name, 0.9, None)], 0.4)
    header, line = csv.reader(io.StringIO(table))
    assert header[9] == line[1] == line[2] == f"'{name}"
    assert "<img" not in saves_html(np.zeros((9, 9, 3), np.uint8), [face(name, 0.9, None)], 0.4)
