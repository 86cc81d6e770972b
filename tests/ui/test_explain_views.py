"""What a label rests on, as the Predict tab shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from standins import text_of

from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.inference.saliency import Cover, Explanation
from fer_core.ui.predict import explain_views
from fer_core.ui.predict import predict_views as views
from fer_core.ui.predict.predict_tab import answer
from fer_core.ui.shared.loaded import LoadedCheckpoints


class AlwaysMouth(Predictor):
    """Explains every face alike and counts how often it was asked."""

    def __init__(self, left_over: float = 0.31) -> None:
        self.asked = 0
        self._cover = Cover(16, 30, 16, left_over, "lower middle")

    def explain(self, prediction: FacePrediction) -> Explanation:
        self.asked += 1
        return Explanation(0.94, np.full((48, 48), 0.1, np.float32), self._cover)


def faces(count: int, label: str = "happy") -> list[FacePrediction]:
    pixels = np.zeros((48, 48, 1), np.uint8)
    return [
        FacePrediction((x, 10, x + 5, 15), label, 0.94, {label: 0.94, "sad": 0.06}, pixels)
        for x in range(0, 10 * count, 10)
    ]


def test_the_sentence_says_what_the_strongest_cover_does() -> None:
    (part,) = explain_views.explained(AlwaysMouth(), faces(1))
    said = "Covering the outlined square (lower middle) takes happy from 94 % to 31 %"
    assert said in text_of(part)
    assert "changes happy, most in the lower middle" in part
    (part,) = explain_views.explained(AlwaysMouth(0.93), faces(1))
    assert "No single square that was covered took much from happy" in text_of(part)


def test_another_share_than_the_cards_and_a_coarse_search_are_explained() -> None:
    (part,) = explain_views.explained(AlwaysMouth(), faces(1))
    assert "mean of two" not in part
    assert "Coarse" not in part
    (face,) = faces(1)
    coarse = Explanation(0.85, np.zeros((48, 48), np.float32), Cover(0, 0, 16, 0.5, "top"), 4)
    said = text_of(explain_views.explanation_html(face, coarse))
    assert "from 85 % to 50 %. Only the cut that is shown was covered" in said
    assert "16 places were tried" in said


def test_what_is_unsure_is_not_named_as_the_answer() -> None:
    (part,) = explain_views.explained(AlwaysMouth(), faces(1), unsure_below=0.95)
    assert text_of(part).startswith("The strongest, happy , is too weak to be named. Covering")
    (part,) = explain_views.explained(AlwaysMouth(), faces(1), unsure_below=0.9)
    assert "too weak" not in part


def test_who_waits_too_long_for_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_views, "_PATIENCE", 0.01)
    predictor = AlwaysMouth()
    with explain_views._ONE_AT_A_TIME:
        (part,) = explain_views.explained(predictor, faces(2))
    assert "Other pictures are being explained" in part
    assert predictor.asked == 0
    assert len(explain_views.explained(predictor, faces(2))) == 2  # and free again


def test_only_the_first_faces_of_a_crowd_are_explained() -> None:
    predictor = AlwaysMouth()
    parts = explain_views.explained(predictor, faces(9))
    assert len(parts) == predictor.asked == explain_views.MOST_EXPLAINED == 6
    assert [("No more faces" in part) for part in parts] == [False] * 5 + [True]
    html = views.prediction_html(np.zeros((90, 90, 3), np.uint8), faces(9), 0.1, "m", 0.4, parts)
    cards = html.split('<section class="face-card"')[1:]
    assert [card.count("Covering the outlined") for card in cards] == [1] * 6 + [0] * 3


def test_a_slow_model_explains_one_face_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_views, "MOST_SECONDS", 0.0)
    predictor = AlwaysMouth()
    (part,) = explain_views.explained(predictor, faces(3))
    assert predictor.asked == 1
    assert "No more faces" in part


def test_a_class_name_cannot_bring_markup_into_an_explanation() -> None:
    (part,) = explain_views.explained(AlwaysMouth(), faces(1, "<img src=x onerror=alert(1)>"))
    assert "<img src=x" not in part


def test_the_answer_carries_explanations_only_when_asked(
    loaded: LoadedCheckpoints, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.linear_gradient("L").resize((400, 300)).save(photo)
    for whole in (False, True):
        assert "explained" not in answer(loaded, str(photo), None, whole).html
        shown = answer(loaded, str(photo), None, whole, explain=True).html
        assert shown.count('<div class="explained">') == 1
