"""What is said of finished runs: tested in pairs, corrected, never more than was found."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from verdict_runs import LABELS, MakeRun, N, answers, compare

from fer_core.comparison.budgets.spending import positions, read_spending
from fer_core.comparison.budgets.verdict import compare_runs
from fer_core.comparison.budgets.words import comparison_dict, pair_sentences, summary
from fer_core.comparison.entrants import read_entrant
from fer_core.comparison.pairs import read_pair
from fer_core.comparison.significance import Difference, holm, mcnemar
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import RunError, append_epoch, read_epochs, write_json


def test_a_clear_lead_is_said_with_its_figures(make_run: MakeRun) -> None:
    found = compare(make_run("worse", answers(0.6, 1)), make_run("better", answers(0.75, 2)))
    pair = found.pairs[0]
    assert (pair.first, pair.second) == ("better", "worse")
    assert pair.clear
    assert pair.accuracy.a == found.entrants[0].accuracy > pair.accuracy.b
    said = pair_sentences(pair)
    a, b = 100 * pair.accuracy.a, 100 * pair.accuracy.b
    assert said[0].startswith(
        f"better is more accurate than worse on the same 600 test images: {a:.1f} % against "
        f"{b:.1f} %, difference +{a - b:.1f} points (95 % interval "
    )
    assert said[0].endswith("McNemar p < 0.0001.")
    assert "better is ahead of worse" in said[1]
    assert summary(found) == "better is ahead of worse by more than noise."
    assert found.warnings == ()


def test_a_small_difference_is_called_noise(make_run: MakeRun) -> None:
    found = compare(make_run("one", answers(0.7, 1)), make_run("two", answers(0.705, 2)))
    pair = found.pairs[0]
    assert pair.accuracy.difference > 0
    assert pair.accuracy_p >= 0.05
    said = " ".join([summary(found), *pair_sentences(pair)])
    assert said.count("within noise") == 3
    assert "more accurate" not in said
    assert "ahead" not in said


def test_the_headline_says_when_macro_f1_tells_them_apart(make_run: MakeRun) -> None:
    found = compare(make_run("one", answers(0.7, 1)), make_run("two", answers(0.705, 2)))
    (pair,) = found.pairs
    apart = dataclasses.replace(found, pairs=(dataclasses.replace(pair, macro_f1_p=0.01),))
    ahead = pair.first if pair.macro_f1.difference > 0 else pair.second
    assert summary(apart).endswith(
        f"the difference in accuracy is within noise; by macro F1 {ahead} is ahead."
    )


def test_macro_f1_is_told_of_the_one_that_is_ahead_by_it(make_run: MakeRun) -> None:
    found = compare(make_run("one", answers(0.9, 1)), make_run("two", answers(0.5, 2)))
    other = Difference(0.5, 0.6, -0.15, -0.05, 0.01)
    noise = {"accuracy_p": 0.5, "macro_f1": other, "macro_f1_p": 0.01}
    pair = dataclasses.replace(found.pairs[0], **noise)
    assert summary(dataclasses.replace(found, pairs=(pair,))).endswith("by macro F1 two is ahead.")
    assert pair_sentences(pair)[1].endswith(
        "two is ahead of one: 0.600 against 0.500, difference +0.100 (95 % interval +0.050 to "
        "+0.150), paired bootstrap p = 0.010."
    )


@pytest.mark.parametrize(("p_value", "word"), [(0.049, "more than noise"), (0.05, "within noise")])
def test_without_twins_noise_is_what_the_p_value_says(
    make_run: MakeRun, p_value: float, word: str
) -> None:
    found = compare(make_run("one", answers(0.9, 1)), make_run("two", answers(0.5, 2)))
    free = (Difference(0.9, 0.5, 0.3, 0.5, p_value), 500)
    pair = dataclasses.replace(found.pairs[0], without_twins=free)
    assert f"90.0 % against 50.0 %, {word}, McNemar" in " ".join(pair_sentences(pair))


def test_every_p_value_of_several_pairs_is_corrected(make_run: MakeRun) -> None:
    shares = {"one": 0.8, "two": 0.77, "three": 0.75}
    runs = [make_run(name, answers(*of), twins=60) for name, of in zip(
        shares, zip(shares.values(), (1, 2, 3), strict=True), strict=True)]  # fmt: skip
    found = compare(*runs).pairs
    folders = {run.name: run for run in runs}
    alone = [compare(folders[pair.first], folders[pair.second]).pairs[0] for pair in found]
    assert [pair.accuracy_p for pair in found] == holm([pair.accuracy_p for pair in alone])
    assert [pair.macro_f1_p for pair in found] == holm([pair.macro_f1_p for pair in alone])
    without = [pair.without_twins[0].p_value for pair in alone]
    assert [pair.without_twins[0].p_value for pair in found] == holm(without)
    for pair, p_value in zip(alone, without, strict=True):
        free = read_pair(folders[pair.first].path, folders[pair.second].path).without_twins()
        assert p_value == mcnemar(free.correct_a, free.correct_b).p_value


def test_two_that_answer_alike_are_said_to_be_alike(make_run: MakeRun) -> None:
    found = compare(make_run("one", answers(0.7, 1)), make_run("two", answers(0.7, 1)))
    assert "exactly the same ones of the 600 test images" in pair_sentences(found.pairs[0])[0]
    assert not found.pairs[0].clear


def test_several_pairs_are_corrected(make_run: MakeRun) -> None:
    folders = [
        make_run(name, answers(right, seed))
        for seed, (name, right) in enumerate({"a": 0.72, "b": 0.69, "c": 0.6}.items())
    ]
    found = compare(*folders)
    raw = []
    for pair in found.pairs:
        matched = read_pair(
            folders["abc".index(pair.first)].path, folders["abc".index(pair.second)].path
        )
        raw.append(mcnemar(matched.correct_a, matched.correct_b).p_value)
    assert [pair.accuracy_p for pair in found.pairs] == holm(raw)
    assert found.pair("c", "a").clear
    assert "Holm-corrected for 3 pairs" in pair_sentences(found.pairs[0], 3)[0]
    assert summary(found).startswith("a has the highest accuracy: ahead of ")
    with pytest.raises(KeyError):
        found.pair("a", "d")


def test_a_p_value_that_only_the_correction_lifts_is_noise(make_run: MakeRun) -> None:
    """Of three equal runs one pair may look different; corrected it must not."""
    first, second = answers(0.7, 1), answers(0.7, 1)
    lost = np.flatnonzero(first == LABELS)[:7]
    second[lost] = (LABELS[lost] + 1) % 3  # 7 to 0: p = 0.016 alone
    third = first.copy()
    third[lost[:3]] = second[lost[:3]]
    folders = [make_run(name, said) for name, said in (("a", first), ("b", second), ("c", third))]
    assert compare(*folders[:2]).pairs[0].clear
    three = compare(*folders)
    assert three.pair("a", "b").accuracy_p == pytest.approx(3 * 2 / 2**7)
    assert three.pair("a", "b").clear
    lost = lost[:6]
    (folders[1].path / "predictions.parquet").unlink()
    (folders[1].path).rename(folders[1].path.with_name("old"))
    second = first.copy()
    second[lost] = (LABELS[lost] + 1) % 3  # 6 to 0: p = 0.031 alone, 0.094 of three
    weaker = make_run("b", second)
    assert compare(folders[0], weaker).pairs[0].clear
    assert not compare(folders[0], weaker, folders[2]).pair("a", "b").clear
    assert "No difference among the 3 runs" in summary(compare(folders[0], weaker, folders[2]))


def test_who_is_ahead_on_the_shared_images_is_not_passed_over(make_run: MakeRun) -> None:
    easy = np.arange(N) >= 300
    whole = make_run("whole", np.where(easy, LABELS, answers(0.6, 1)))
    likewise = make_run("likewise", np.where(easy, LABELS, answers(0.59, 1)))
    half, other = (make_run(name, answers(0.75, 2)[:300]) for name in ("half", "other"))
    assert summary(compare(whole, likewise, half)) == (
        "whole has the highest accuracy: within noise of likewise, behind half on the images that "
        "they share."
    )
    assert summary(compare(whole, half, other)) == (
        "whole has the highest accuracy: behind half and other on the images that they share."
    )


def test_twins_in_training_are_told_apart(make_run: MakeRun) -> None:
    found = compare(
        make_run("one", answers(0.8, 1), twins=60), make_run("two", answers(0.6, 2), twins=60)
    )
    difference, n = found.pairs[0].without_twins or (None, 0)
    assert n == 540
    assert difference is not None
    assert difference.a == pytest.approx((answers(0.8, 1) == LABELS)[60:].mean())
    assert any(
        "540 of them without a pixel-identical twin" in text
        for text in pair_sentences(found.pairs[0])
    )


def test_recall_of_each_expression_is_tested_and_adds_up(make_run: MakeRun) -> None:
    second = answers(0.75, 1)
    sad = LABELS == 2
    second[sad] = 0  # never says "sad" rightly
    found = compare(make_run("one", answers(0.75, 1)), make_run("two", second))
    rows = {row.label: row for row in found.pairs[0].classes}
    assert rows["sad"].recall[1] == 0
    assert rows["sad"].p_value is not None
    assert rows["sad"].p_value < 0.001
    alone = mcnemar((answers(0.75, 1) == LABELS)[sad], (second == LABELS)[sad]).p_value
    assert rows["sad"].p_value == pytest.approx(3 * alone, abs=0), "the least of three, by Holm"
    assert rows["happy"].p_value == 1
    assert rows["angry"].difference("f1") > 0  # the other is wrongly called angry so often
    assert sum(row.support for row in rows.values()) == N
    shares = [row.recall[0] * row.support for row in rows.values()]
    assert sum(shares) / N == pytest.approx(found.pairs[0].accuracy.a)


def test_runs_without_a_result_are_refused_in_words(make_run: MakeRun, tmp_path: Path) -> None:
    one = make_run("one", answers(0.7, 1))
    waiting = RunFolder(tmp_path / "waiting")
    waiting.path.mkdir()
    waiting.config.write_text(RunConfig().to_json())
    with pytest.raises(RunError, match="waiting is interrupted and has no test result yet"):
        compare(one, waiting)
    with pytest.raises(RunError, match="choose 2 to 8 runs to compare, got 1"):
        compare(one)
    with pytest.raises(RunError, match="given twice"):
        compare_runs({"one": one, "again": one})
    write_json(one.record, {"test": {"n": 3}})
    with pytest.raises(RunError, match=r"record of one cannot be read: it has no test\.interval"):
        read_entrant(one)


def test_a_run_without_stored_answers_is_still_compared(make_run: MakeRun) -> None:
    one, two = make_run("one", answers(0.8, 1)), make_run("two", answers(0.6, 2))
    two.predictions.unlink()
    pair = compare(one, two).pairs[0]
    assert not pair.paired
    assert "two has no stored predictions" in pair_sentences(pair)[-1]


def test_plain_values_for_json(make_run: MakeRun) -> None:
    found = compare(make_run("one", answers(0.8, 1)), make_run("two", answers(0.6, 2)))
    values = comparison_dict(found)
    pair = values["pairs"][0]
    assert (pair["paired"], pair["clear"]) == (True, True)
    assert pair["accuracy"]["difference"] == found.pairs[0].accuracy.difference
    assert pair["sentences"] == pair_sentences(found.pairs[0])
    assert values["runs"][0]["spent"]["images"] == 3600


def test_a_machine_without_updates_is_not_given_any(make_run: MakeRun) -> None:
    run = make_run("machine", answers(0.7, 1))
    kept = [{**epoch, "updates": 0} for epoch in read_epochs(run)]  # as a fitted SVM writes it
    run.epochs.unlink()
    for epoch in kept:
        append_epoch(run, epoch)
    assert read_spending(run).updates == 0
    assert positions(run, kept, "updates") == [0, 0, 0, 0]


def test_older_runs_are_counted_from_their_settings(make_run: MakeRun) -> None:
    run = make_run("old", answers(0.7, 1))
    before = read_spending(run)
    old = [{"epoch": e["epoch"], "seconds": e["seconds"]} for e in read_epochs(run)]
    run.epochs.unlink()
    for epoch in old:
        append_epoch(run, epoch)
    spent = read_spending(run)
    assert (spent.updates, spent.images, spent.epochs) == (before.updates, before.images, 4)
    assert spent.seconds == pytest.approx(sum(epoch["seconds"] for epoch in old))
    assert positions(run, old, "updates") == [9, 18, 27, 36]
    assert positions(run, old, "seconds")[-1] == pytest.approx(spent.seconds)
    write_json(run.config, {**dataclasses.asdict(RunConfig()), "batch_size": None})
    assert read_spending(run).updates is None
    assert positions(run, old, "updates") == []
