"""The Augment tab: sliders and policies, the draws, what the model says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core.comparison.domains.label_changes import TOGETHER, LabelChange
from fer_core.data.faces import DataError, Faces
from fer_core.data.policies import LIMITS, POLICIES, AugmentPolicy
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.checkpoint import CheckpointError
from fer_core.ui.augment import augment_tab, findings
from fer_core.ui.augment import augment_view as view
from fer_core.ui.augment import measure as augment_measure
from fer_core.ui.augment.augment_view import caution_text, policy_name
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE


@dataclass
class Judge:
    """Stands for a checkpoint: says the labels it was given, one per picture, all at 80 %."""

    says: list[int]
    class_names: tuple[str, ...] = ("happy", "sad")
    folder: Path = Path("runs/mine")
    seen: list[tuple[int, ...]] = field(default_factory=list)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        self.seen.append(images.shape)
        rows = np.full((len(images), 2), 0.2, dtype=np.float32)
        rows[np.arange(len(images)), self.says[: len(images)]] = 0.8
        return rows


@pytest.fixture
def subject(tiny_faces: Faces) -> view.Subject:
    return view.pick_face(tiny_faces, "happy", 2)


def test_every_strength_has_a_slider_that_ends_at_its_limit() -> None:
    assert [item.field for item in view.STRENGTHS] == list(LIMITS)
    highest = view.policy_of([item.highest for item in view.STRENGTHS])
    assert highest.to_dict() == LIMITS


def test_every_slider_stands_in_one_group_and_explains_itself() -> None:
    places = [n for _, first, after in augment_tab._GROUPS for n in range(first, after)]
    assert places == list(range(len(view.STRENGTHS)))
    for item in view.STRENGTHS:
        assert item.explanation.endswith("."), item.title


@pytest.mark.parametrize("name", POLICIES)
def test_sliders_hold_every_ready_policy(name: str) -> None:
    values = view.slider_values(POLICIES[name])
    assert view.policy_of(values) == POLICIES[name]
    assert policy_name(values) == name
    for item, value in zip(view.STRENGTHS, values, strict=True):
        steps = value / item.step
        assert steps == pytest.approx(round(steps)), f"{item.title} cannot be set to {value}"


def test_a_moved_slider_makes_the_policy_custom() -> None:
    values = view.slider_values(POLICIES["light"])
    values[1] += 1
    assert policy_name(values) is None


def test_an_emptied_field_counts_as_off() -> None:
    assert view.policy_of([None] * len(view.STRENGTHS)).rotation_degrees == 0


def test_faces_are_picked_by_class_and_number(tiny_faces: Faces) -> None:
    second = view.pick_face(tiny_faces, "sad", 2)
    index = np.flatnonzero(tiny_faces.labels == tiny_faces.class_names.index("sad"))[1]
    assert (second.image == tiny_faces.images[index]).all()
    assert view.pick_face(tiny_faces, "sad", 10_000).where == "face 10 of 10 labelled sad"
    with pytest.raises(DataError, match="no face labelled 'pain'"):
        view.pick_face(tiny_faces, "pain", 1)


def test_a_large_face_is_varied_at_a_bounded_size() -> None:
    images = np.zeros((2, 600, 600, 1), dtype=np.uint8)
    large = Faces(images, np.array([0, 1]), np.array(["a", "b"]), ("happy", "sad"))
    assert view.pick_face(large, "happy", 1).image.shape == (224, 224, 1)


def test_draws_repeat_with_the_seed_and_differ_without(subject: view.Subject) -> None:
    strong = POLICIES["strong"]
    first = view.draw_variants(subject.image, strong, 5)
    assert first.shape == (view.DRAWS, 48, 48, 1)
    assert first.dtype == np.uint8
    assert (first == view.draw_variants(subject.image, strong, 5)).all()
    assert (first != view.draw_variants(subject.image, strong, 6)).any()
    assert (first[0] != first[1]).any()


def test_without_a_policy_every_draw_is_the_original(subject: view.Subject) -> None:
    assert (view.draw_variants(subject.image, AugmentPolicy(), 0) == subject.image).all()


def test_colour_faces_stay_in_colour() -> None:
    image = np.zeros((30, 30, 3), dtype=np.uint8)
    image[..., 0] = 200
    drawn = view.draw_variants(image, POLICIES["light"], 0)
    assert drawn.shape == (view.DRAWS, 30, 30, 3)
    assert drawn[..., 0].mean() > drawn[..., 1].mean()


def test_the_model_is_asked_about_original_and_draws(subject: view.Subject) -> None:
    judge = Judge([0] + [0] * 9 + [1] * 3)
    variants = view.draw_variants(subject.image, POLICIES["light"], 0)
    shown = view.variants_html(subject, variants, judge)
    assert judge.seen == [(1 + view.DRAWS, 48, 48, 1)]
    assert "The model mine calls <b>9 of 12</b> draws <b>happy</b>, its label" in shown
    assert shown.count(">80\u00a0% · not happy<") == 3
    assert shown.count("<img") == 13


def test_a_photo_is_compared_with_what_the_model_calls_it(subject: view.Subject) -> None:
    photo = view.Subject(subject.image, "", "a photo")
    variants = view.draw_variants(subject.image, POLICIES["light"], 0)
    shown = view.variants_html(photo, variants, Judge([1] * 13))
    assert "<b>12 of 12</b> draws <b>sad</b>, what it calls the original" in shown


def test_without_a_model_the_draws_are_shown_with_a_note(subject: view.Subject) -> None:
    variants = view.draw_variants(subject.image, POLICIES["light"], 0)
    shown = view.variants_html(subject, variants, None)
    assert shown.count("<img") == 13
    assert "No trained model could be loaded" in shown
    assert "%" not in shown


def test_an_upload_without_a_model_gives_the_middle_square(tmp_path: Path) -> None:
    picture = np.zeros((40, 100, 3), dtype=np.uint8)
    picture[:, 30:70] = 255
    Image.fromarray(picture).save(tmp_path / "photo.png")
    found = view.photo_face(tmp_path / "photo.png", None)
    assert found.image.shape == (48, 48, 1)
    assert found.image.min() == 255


def test_strengths_that_change_an_expression_are_named() -> None:
    assert view.cautions(POLICIES["light"]) == []
    found = view.cautions(
        AugmentPolicy(rotation_degrees=90, erase_probability=1, erase_fraction=0.4)
    )
    assert len(found) == 2
    assert "Rotation" in found[0]
    assert "Erasing" in found[1]
    assert "Rotation" in caution_text(view.slider_values(AugmentPolicy(rotation_degrees=90)))


@pytest.mark.parametrize(
    ("strengths", "highest", "named"),
    [
        ({"rotation_degrees": 31}, {"rotation_degrees": 30}, "Rotation above 30"),
        (
            {"erase_probability": 0.5, "erase_fraction": 0.21},
            {"erase_probability": 0.5, "erase_fraction": 0.2},
            "Erasing over a fifth",
        ),
        ({"shift_fraction": 0.21}, {"shift_fraction": 0.2}, "Shift above 20"),
        ({"zoom_fraction": 0.31}, {"zoom_fraction": 0.3}, "Zoom above 30"),
        ({"crop_fraction": 0.41}, {"crop_fraction": 0.4}, "Crop above 40"),
        ({"shear_degrees": 21}, {"shear_degrees": 20}, "Shear above 20"),
        ({"blur_pixels": 1.6}, {"blur_pixels": 1.5}, "Blur above 1.5"),
        ({"noise_std": 0.21}, {"noise_std": 0.2}, "Noise above 20"),
        ({"brightness": 0.41}, {"brightness": 0.4}, "Strong light"),
        ({"contrast": 0.61}, {"contrast": 0.6}, "Strong light"),
    ],
)
def test_a_strength_is_named_from_the_number_on_that_it_says(
    strengths: dict[str, float], highest: dict[str, float], named: str
) -> None:
    (said,) = view.cautions(AugmentPolicy(**strengths))
    assert named in said
    assert view.cautions(AugmentPolicy(**highest)) == []
    assert view.cautions(AugmentPolicy(erase_fraction=0.4)) == [], "it is off"


class OneCheckpoint:
    """Stands for `LoadedCheckpoints`: one predictor, or none at all."""

    def __init__(self, checkpoint: Judge | None) -> None:
        self.checkpoint = checkpoint

    def entry(self, name: str | None) -> str:
        if self.checkpoint is None:
            raise CheckpointError("there is no checkpoint yet")
        return name or "first"

    def predictor(self, entry: str) -> OneCheckpoint:
        return self


@pytest.fixture
def measure(tiny_faces: Faces, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`measure(judge, values, count, limit)` as the button does it, over the tiny set."""
    monkeypatch.setattr(open_sets, "faces_at_once", lambda source: tiny_faces)

    def run(
        judge: Judge | None, values: list[float], count: int = 14, limit: float | None = None
    ) -> Iterator[list[Any]]:
        return augment_measure._steps(
            OneCheckpoint(judge), DEFAULT_DATA_CHOICE, None, 0, tuple(values), count, limit
        )

    return run


def test_measuring_goes_operation_by_operation_and_ends_with_both_buttons(measure: Any) -> None:
    values = view.slider_values(AugmentPolicy(flip_probability=0.5, rotation_degrees=10))
    judge = Judge([0] * 200)
    steps = list(measure(judge, values))
    words = [step[0] for step in steps]
    assert words[1:5] == [f"Measured {number} of 3 …" for number in range(4)]
    assert words[-1].startswith("Measured in")
    shown = steps[-2][1]
    assert shown.count("<tr>") == 1 + 2 + 1  # head, two operations, all together
    assert "mine on 14 faces of tiny" in shown
    assert len(judge.seen) == 4
    assert all(shape[0] == 14 for shape in judge.seen)
    assert [button["interactive"] for button in _updates(steps[-1])] == [True, False]
    assert [button["interactive"] for button in _updates(steps[1])] == [False, True]


def _updates(step: list[Any]) -> list[dict[str, Any]]:
    return [button.constructor_args for button in step[2:]]


def test_measuring_says_in_words_why_it_cannot(measure: Any) -> None:
    off = view.slider_values(AugmentPolicy())
    assert "Every strength is 0" in list(measure(Judge([0] * 200), off))[-1][0]
    on = view.slider_values(POLICIES["light"])
    *_, last = measure(None, on)
    assert last[0] == "**That could not be measured.** there is no checkpoint yet"
    assert [button["interactive"] for button in _updates(last)] == [True, False]


def test_measuring_ends_early_where_time_is_bounded(measure: Any) -> None:
    values = view.slider_values(POLICIES["strong"])
    *_, last = measure(Judge([0] * 200), values, limit=0.0)
    assert "on this public page, with 0 of" in last[0]


def test_findings_are_sorted_and_all_together_stands_last() -> None:
    def row(name: str, changed: int) -> LabelChange:
        return LabelChange(name, 50, changed, 40, 30, ("happy", "s<d", 2) if changed else None)

    found = [row("As they are", 0), row("Mirror image", 3), row("Blur", 9), row(TOGETHER, 6)]
    shown = findings.findings_html(found, "n<t", "my set")
    places = [shown.index(f'row">{name}') for name in ("Blur", "Mirror image", TOGETHER)]
    assert places == sorted(places)
    assert shown.index("<tfoot>") < places[2]
    assert "n&lt;t on 50 faces of my set: it names 75.0 % of them rightly" in shown
    assert "Most labels change with <b>blur</b> (18.0 %), fewest with <b>mirror image</b>" in shown
    assert "happy → s&lt;d (2)" in shown
    assert findings.findings_html(found[:1], "net", "set") == ""
