"""A slider's number that is typed: emptied, or beyond an end."""

from __future__ import annotations

import pytest

from fer_core.ui.shared.patient_slider import PatientSlider


@pytest.mark.parametrize(
    ("typed", "taken"), [(None, 10), (150, 90), (-5, 10), (93.5, 90), (10, 10), (45, 45)]
)
def test_what_is_typed_stays_between_the_ends(typed: float | None, taken: float) -> None:
    assert PatientSlider(10, 90, 40, step=5).preprocess(typed) == taken
