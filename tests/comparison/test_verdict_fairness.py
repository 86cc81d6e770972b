"""What a verdict says of runs that are not alike: other images, sets, budgets and expressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from verdict_runs import LABELS, MakeRun, answers, compare

from fer_core.cli import main
from fer_core.comparison.budgets.words import comparison_dict, pair_sentences, summary
from fer_core.runs.record import read_record, write_json
from fer_core.ui.experiments.budgets import results, words


def test_different_images_are_never_paired(make_run: MakeRun) -> None:
    found = compare(
        make_run("one", answers(0.8, 1)), make_run("two", answers(0.6, 2), shift=10_000)
    )
    pair = found.pairs[0]
    assert not pair.paired
    assert pair.clear
    assert [pair.accuracy.a, pair.accuracy.b] == [run.accuracy for run in found.entrants]
    said = pair_sentences(pair)
    assert said[0].startswith("one scored higher than two, each on its own test images: ")
    assert "two-proportion test" in said[0]
    assert "share 0 test images of 600 and 600" in said[-1]
    assert {row.p_value for row in pair.classes} == {None}


def test_other_data_and_other_budgets_are_pointed_out(make_run: MakeRun) -> None:
    fair = make_run("fair", answers(0.7, 1))
    longer = make_run("longer", answers(0.7, 2), epochs=8, seconds=20, train=1800)
    warned = " ".join(compare(fair, longer).warnings)
    assert "different numbers of training images (fair: 900; longer: 1,800)" in warned
    assert "different budgets (fair: 4 epochs, 36 updates, 10 s" in warned
    elsewhere = make_run("elsewhere", answers(0.7, 3), source="other.csv")
    warned = compare(fair, elsewhere).warnings
    assert any("different data (fair: faces.csv; elsewhere: other.csv)" in text for text in warned)
    untold = make_run("untold", answers(0.7, 5), train=0)
    assert not any("different numbers" in text for text in compare(fair, untold).warnings)
    other = make_run("other", answers(0.7, 6))
    record = read_record(other)
    record["test"]["per_class"][0]["class"] = "disgust"
    write_json(other.record, record)
    warned = " ".join(compare(fair, other).warnings)
    assert "different expressions" in warned
    assert "other: disgust, " in warned, "as many, so their names tell them apart"
    record["test"]["per_class"].append(dict(record["test"]["per_class"][0], **{"class": "pain"}))
    sides = len(record["test"]["per_class"])
    record["test"]["confusion"] = [[1] * sides] * sides
    write_json(other.record, record)
    assert f"other: {sides} expressions); fewer" in " ".join(compare(fair, other).warnings)
    same_epochs = make_run("slower", answers(0.7, 4), seconds=30)
    found = compare(fair, same_epochs)
    assert found.same == ("epochs", "updates")
    assert found.warnings == ()


def test_figures_of_different_sets_get_no_verdict(make_run: MakeRun) -> None:
    """However far apart they are: each says something of its own set alone."""
    ours = make_run("drawn", answers(0.95, 1), source="drawn.csv")
    theirs = make_run("shipped", answers(0.6, 2)[:300], source="photos.csv")
    found = compare(ours, theirs)
    (pair,) = found.pairs
    assert pair.accuracy_p < 0.001  # the figures do differ
    assert not any((pair.same_set, pair.clear, pair.macro_f1_clear, pair.paired))
    said = f"{summary(found)} {' '.join(pair_sentences(pair))}"
    assert summary(found) == (
        "drawn and shipped were tested on different sets: their figures do not compare."
    )
    assert "of its 600 test images rightly" in said
    assert "of its 300 (" in said
    assert not any(
        word in said for word in ("ahead", "noise", "p <", "proportion", "more accurate")
    )
    html = words.verdict_html(found, pair)
    assert "different test sets</b>" in html
    assert "more than noise" not in html
    assert "The tests ask" not in html
    (stored,) = comparison_dict(found)["pairs"]
    assert (stored["accuracy_p"], stored["accuracy"]["p_value"], stored["clear"]) == (
        None,
        None,
        False,
    )


def test_expressions_of_different_sets_stand_beside_each_other_with_their_own_counts(
    make_run: MakeRun,
) -> None:
    ours = make_run("drawn", answers(0.95, 1), source="drawn.csv")
    theirs = make_run("shipped", answers(0.6, 2)[:300], source="photos.csv")
    (pair,) = compare(ours, theirs).pairs
    one, two = (int(np.bincount(labels)[0]) for labels in (LABELS, LABELS[:300]))
    table = words.class_html(pair, "recall")
    assert "Images, drawn</th>" in table
    assert "Images, shipped</th>" in table
    assert f"<td>{one}</td><td>{two}</td></tr>" in table
    assert not any(head in table for head in ("Points", "p of recall"))
    same = compare(make_run("one", answers(0.7, 1)), make_run("two", answers(0.6, 2))).pairs[0]
    assert "Images</th>" in words.class_html(same, "recall")


def test_the_command_shows_no_difference_between_sets(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = make_run("drawn", answers(0.95, 1), source="drawn.csv")
    theirs = make_run("shipped", answers(0.6, 2)[:300], source="photos.csv")
    assert main(["compare", str(ours.path), str(theirs.path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("drawn and shipped were tested on different sets")
    assert "noise" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("  angry")]
    assert "(" not in line
    assert "+" not in line
    assert line.endswith(f"images {np.bincount(LABELS)[0]} / {np.bincount(LABELS[:300])[0]}")


def test_among_several_only_those_of_one_set_are_judged(make_run: MakeRun) -> None:
    runs = [make_run("drawn", answers(0.99, 1), source="drawn.csv")]
    runs += [make_run(name, answers(right, 2)) for name, right in (("good", 0.9), ("bad", 0.5))]
    found = compare(*runs)
    assert [pair.same_set for pair in found.pairs] == [False, False, True]
    assert summary(found) == (
        "Not all were tested on the same set, and 2 of 3 pairs do not compare. Of the others, good "
        "is ahead of bad by more than noise."
    )
    html = words.verdict_html(found, found.pairs[2])
    assert html.count("tested on different sets, not compared") == 2
    alone = compare(*runs[1:]).pairs[0]
    assert found.pairs[2].accuracy_p == alone.accuracy_p  # one was tested: nothing to correct for
    assert "Holm-corrected" not in " ".join(comparison_dict(found)["pairs"][2]["sentences"])


def test_among_several_noise_is_said_only_of_those_of_one_set(make_run: MakeRun) -> None:
    runs = [make_run("drawn", answers(0.99, 1), source="drawn.csv")]
    runs += [make_run(name, answers(0.7, seed)) for seed, name in enumerate(("one", "two"))]
    assert summary(compare(*runs)) == (
        "Not all were tested on the same set, and 2 of 3 pairs do not compare. What can be "
        "compared is within noise."
    )


def test_what_is_shown_first_was_tested_on_one_set(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "SHIPPED_CHECKPOINTS", tmp_path / "none")
    make_run("drawn", answers(0.99, 1), source="drawn.csv")
    make_run("good", answers(0.9, 2))
    assert results.chosen_first(tmp_path) == (results.BY_HAND, [])
    make_run("bad", answers(0.5, 3))
    assert results.chosen_first(tmp_path) == (results.BY_HAND, ["good", "bad"])


def test_a_budget_that_was_not_spent_is_pointed_out(make_run: MakeRun) -> None:
    full = make_run("full", answers(0.7, 1), seconds=30)
    early = make_run("early", answers(0.7, 2), epochs=2, seconds=20)
    warned = " ".join(compare(full, early, kind="seconds", amount=30).warnings)
    assert "The budget was 30 s, but it was not spent as meant (early: 20 s)" in warned
    near = make_run("near", answers(0.7, 3), seconds=3.2)
    warned = " ".join(compare(full, near, kind="seconds", amount=3).warnings)
    assert "The budget was 3 s, but it was not spent as meant (full: 30 s; near: 3.2 s)" in warned
    one = make_run("one", answers(0.7, 4), epochs=1, seconds=30)
    warned = " ".join(compare(full, one, kind="epochs", amount=4).warnings)
    assert "(one: 1 epoch)" in warned
    other = make_run("other", answers(0.6, 1), seconds=30)
    assert compare(full, other, kind="epochs", amount=4).warnings == ()
