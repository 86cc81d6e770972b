"""What the New domain tab makes of a report: figures, signs and intervals, on made-up reports."""

from __future__ import annotations

import re
from typing import Any

import pytest
from standins import text_of

from fer_core.ui.experiments.domains import html as shown


def side(accuracy: float, macro_f1: float, recalls: tuple[float, float]) -> dict[str, Any]:
    rows = [
        {"class": name, "support": support, "precision": 0.5, "recall": recall, "f1": recall - 0.1}
        for name, support, recall in zip(("happy", "sad"), (30, 10), recalls, strict=True)
    ]
    rows.append({"class": "fear", "support": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0})
    return {
        "accuracy": accuracy,
        "interval": [accuracy - 0.05, accuracy + 0.04],
        "macro_f1": macro_f1,
        "macro_f1_interval": [macro_f1 - 0.03, macro_f1 + 0.02],
        "per_class": rows,
    }


@pytest.fixture
def tuned() -> dict[str, Any]:
    """A report of fine-tuning that helped."""
    return {
        "n": 40,
        "data": "photographs",
        "before": side(0.5, 0.4, (0.6, 0.2)),
        "after": side(0.625, 0.55, (0.7, 0.4)),
        "gain": {
            "accuracy": 0.125,
            "interval": [0.02, 0.23],
            "macro_f1": 0.15,
            "macro_f1_interval": [-0.01, 0.3],
            "only_after": 7,
            "only_before": 2,
            "p_value": 0.01,
        },
    }


@pytest.fixture
def evaluated() -> dict[str, Any]:
    """A report on another set, on which the checkpoint does worse than at home."""
    return {
        **side(0.5, 0.4, (0.6, 0.2)),
        "checkpoint": "nano",
        "data": "photographs",
        "n": 40,
        "available": 40,
        "own": {
            "accuracy": 0.7,
            "interval": [0.68, 0.72],
            "macro_f1": 0.65,
            "n": 900,
            "data": "home",
            "recall": {"happy": 0.8},
        },
        "drop": {
            "accuracy": 0.2,
            "interval": [0.12, 0.29],
            "macro_f1": 0.25,
            "macro_f1_interval": [0.1, 0.4],
        },
        "same_set": False,
        "class_names": ["happy", "sad", "fear"],
        "classes": ["happy", "sad"],
        "left_out": {},
        "mapping": {"happy": "happy", "sad": "sad"},
        "twins": 0,
    }


def test_a_drop_is_turned_into_a_change_with_its_interval(evaluated: dict[str, Any]) -> None:
    said = text_of(shown.evaluation_cards(evaluated))
    assert "70.0 % at home, on home 68.0 to 72.0 %; macro F1 0.650; 900 test images" in said
    assert "−20.0 points against its own domain 95 % interval −29.0 to −12.0" in said
    assert "macro F1 −0.250 (−0.400 to −0.100)" in said


def test_a_drop_is_marked_only_where_it_is_more_than_noise(evaluated: dict[str, Any]) -> None:
    assert shown.evaluation_cards(evaluated).count("card warn") == 1
    evaluated["drop"]["interval"] = [-0.01, 0.29]
    assert "card warn" not in shown.evaluation_cards(evaluated)


def test_an_expression_without_an_image_has_no_figures(evaluated: dict[str, Any]) -> None:
    rows = re.findall("<tr><th scope.*?</tr>", shown.evaluation_table(evaluated))
    cells = [re.findall("<td>(.*?)</td>", row) for row in rows]
    assert cells == [
        ["30", "50.0 %", "60.0 %", "50.0 %", "80.0 %"],
        ["10", "50.0 %", "20.0 %", "10.0 %", "–"],
        ["0", "–", "–", "–", "–"],
    ]
    assert "recall at home" in shown.evaluation_table({**evaluated, "own": None, "drop": None})


def test_before_and_after_stand_in_their_order(tuned: dict[str, Any]) -> None:
    said = text_of(shown.tuning_cards(tuned))
    before, _, rest = said.partition("62.5 %")
    assert "50.0 % before fine-tuning 95 % interval 45.0 to 54.0 %" in before
    assert "after fine-tuning" in rest
    assert "+12.5 points on the same images 95 % interval +2.0 to +23.0" in rest
    assert "macro F1 +0.150 (−0.010 to +0.300)" in rest
    assert "Better by more than chance" in rest


def test_a_gain_is_marked_where_it_may_be_a_loss(tuned: dict[str, Any]) -> None:
    assert "card warn" not in shown.tuning_cards(tuned)
    tuned["gain"]["interval"] = [-0.001, 0.2]
    assert shown.tuning_cards(tuned).count("card warn") == 1


def test_what_was_learned_from_is_said_where_it_is_known(tuned: dict[str, Any]) -> None:
    assert "learned from" not in shown.tuning_cards(tuned)
    learned = {"slice": {"happy": 5}, "choosing": 3, "best_epoch": 2, "epochs": 4}
    said = text_of(shown.tuning_cards({**tuned, **learned, "start": "x", "without_twins": None}))
    assert "5 images of photographs were learned from (happy 5)" in said


def test_the_table_of_a_fine_tuning_has_both_sides_and_the_change(tuned: dict[str, Any]) -> None:
    rows = re.findall("<tr><th scope.*?</tr>", shown.tuning_table(tuned))
    cells = [re.findall("<td>(.*?)</td>", row) for row in rows]
    assert cells == [
        ["30", "60.0 %", "70.0 %", "0.500", "0.600", "+0.100"],
        ["10", "20.0 %", "40.0 %", "0.100", "0.300", "+0.200"],
    ], "no line for an expression without an image"


def test_the_old_domain_is_named(tuned: dict[str, Any]) -> None:
    said = text_of(shown.old_domain(tuned))
    assert said.startswith("On 40 test images of photographs, where the checkpoint came from:")


def test_recalls_are_put_in_the_order_of_the_classes() -> None:
    assert shown.shares_right(side(0.5, 0.4, (0.6, 0.2)), ["sad", "happy"]) == [0.2, 0.6]


def test_the_bar_is_as_long_as_what_is_scored() -> None:
    half = shown.progress_line(1500, 3000, "Scored")
    assert "Scored: 1,500 of 3,000 images" in half
    assert "width:50.0%" in half
    assert "aria-valuenow='50'" in half
    assert "width:100.0%" in shown.progress_line(1, 1, "Scored")
    assert "width:0.0%" in shown.progress_line(0, 0, "Scored")
