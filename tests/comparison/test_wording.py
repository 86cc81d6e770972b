"""Figures in words: shares, differences with their signs, p-values, counts and lists."""

from __future__ import annotations

import pytest

from fer_core.comparison import wording
from fer_core.comparison.wording import p_figure, p_text


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (0.006, "p = 0.006"),
        (0.61, "p = 0.61"),
        (0.00004, "p < 0.0001"),
        (0.00042, "p = 0.0004"),
        (0.0497, "p = 0.04970"),
        (0.04996, "p = 0.04996"),
        (0.0499977, "p = 0.049998"),
        (0.0501, "p = 0.050"),
        (1.0, "p = 1.00"),
    ],
)
def test_a_p_value_is_never_rounded_across_the_level(p_value: float, said: str) -> None:
    text = p_text(p_value)
    assert (float(text.split()[-1]) < 0.05) == (p_value < 0.05)
    assert text == said
    assert p_figure(p_value) == said.removeprefix("p ").removeprefix("= ")


@pytest.mark.parametrize(
    ("share", "said"), [(0.0124, "+1.2"), (-0.004, "−0.4"), (0.0004, "0.0"), (-0.0004, "0.0")]
)
def test_a_difference_has_a_sign_unless_it_rounds_to_nothing(share: float, said: str) -> None:
    assert wording.signed_points(share) == said
    assert wording.points(share) == f"{said} points"


def test_ranges_are_written_with_the_unit_of_their_figure() -> None:
    assert wording.percent_range((0.669, 0.6994)) == "66.9 to 69.9 %"
    assert wording.interval_figures((0.669, 0.6994)) == "66.9–69.9"
    assert wording.points_range((-0.029, 0.055)) == "−2.9 to +5.5"
    assert wording.f1_range((0.6691, 0.6989)) == "0.669 to 0.699"
    assert wording.f1_range((-0.012, 0.03)) == "−0.012 to 0.030"
    assert wording.change_range((-0.0002, 0.055)) == "0.000 to +0.055"


def test_counts_and_lists_are_written_as_people_do() -> None:
    assert [wording.counted(n, "image") for n in (0, 1, 2000)] == [
        "0 images",
        "1 image",
        "2,000 images",
    ]
    assert wording.counted(2, "class", "classes") == "2 classes"
    assert [wording.listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_a_share_is_never_rounded_to_none_or_all() -> None:
    shown = [wording.whole_percent(share) for share in (0, 0.004, 0.996, 1)]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in shown] == [
        "0 %",
        "<1 %",
        ">99 %",
        "100 %",
    ]
