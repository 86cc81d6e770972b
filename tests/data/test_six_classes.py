"""The drawn set with system E's sizes: counts, split, sameness, and pain that can be told."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.drawn.action_units import PROTOTYPES
from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.data.six_classes import draw_six_classes
from fer_core.data.split import SplitPlan, split_faces


@pytest.fixture(scope="module")
def small() -> Faces:
    """All 1,198 faces at the smallest size."""
    return draw_six_classes(image_size=16)


def test_classes_have_the_sizes_of_the_report(small: Faces) -> None:
    assert small.counts() == {
        "angry": 214, "disgust": 199, "fear": 163, "happy": 230, "sad": 224, "pain": 168,
    }  # fmt: skip
    assert len(small) == 1198
    assert small.source_split is None
    assert small.name == "drawn faces, six classes in colour"
    assert small.channels == 3
    assert len(np.unique(small.labels[:60])) == 6, "the order is mixed"


def test_the_split_of_the_report_comes_out(small: Faces) -> None:
    plan = SplitPlan("stratified", validation_share=180 / 1018, test_share=0.15, seed=42)
    parts = split_faces(small, plan).parts()
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 838, "validation": 180, "test": 180,
    }  # fmt: skip


def test_no_two_faces_are_the_same(small: Faces) -> None:
    assert len(np.unique(small.images.reshape(1198, -1), axis=0)) == 1198


def test_the_faces_stay_as_they_are_to_the_pixel(small: Faces) -> None:
    assert small.fingerprint == "9c949cd6ee314555212f73f3654870d8"


def test_it_is_read_by_its_name_in_the_wanted_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.data.six_classes.COUNTS", {"happy": 3, "pain": 2})
    monkeypatch.setattr("fer_core.data.readers._drawing_code", lambda *modules: "a short set")
    faces = read_faces("drawn:six")
    assert faces.images.shape == (5, 224, 224, 3)
    assert faces.source == "drawn:six"
    assert read_faces("drawn:six", image_size=48, channels=1).images.shape == (5, 48, 48, 1)
    calls: list[int] = []
    again = read_faces("drawn:six", progress=lambda done, count: calls.append(done))
    assert not calls, "the second reading comes from the cache"
    assert again.fingerprint == faces.fingerprint


def test_another_word_after_drawn_is_refused_with_both_forms() -> None:
    with pytest.raises(DataError, match="try drawn:7000, or drawn:six"):
        read_faces("drawn:seven")


def test_pain_is_lowered_brows_tight_lids_and_closed_eyes() -> None:
    """Prkachin and Solomon's four parts: AU 4, 6 or 7, 9 or 10, 43."""
    for prototype in PROTOTYPES["pain"]:
        units = prototype.units
        assert units.get(4)
        assert units.get(6) or units.get(7)
        assert units.get(9) or units.get(10)
        assert units.get(43)
    others = [one.units for name in ("angry", "disgust", "fear", "happy", "sad")
              for one in PROTOTYPES[name]]  # fmt: skip
    assert max(units.get(43, 0) for units in others) < 0.5, "closed eyes tell pain from the others"
