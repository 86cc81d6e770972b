"""A comparison's verdict in plain sentences.

They never call noise a lead, nor a difference between figures of different sets.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fer_core.comparison.budgets.verdict import Comparison, PairVerdict
from fer_core.comparison.significance import LEVEL, Difference
from fer_core.comparison.wording import (
    change_range,
    listed,
    p_text,
    percent,
    points,
    points_range,
    signed,
)


def pair_sentences(pair: PairVerdict, pairs: int = 1) -> list[str]:
    """Accuracy, macro F1, and what else must be said of two runs. pairs: how many were tested,
    for which the p-values are corrected."""
    if not pair.same_set:
        return [_apart(pair), f"Not compared image by image: {pair.unpaired_because}."]
    found = [_accuracy(pair, pairs), _macro_f1(pair, pairs)]
    if pair.without_twins:
        found.append(_without_twins(pair))
    if not pair.paired:
        found.append(f"Not compared image by image: {pair.unpaired_because}.")
    return found


def summary(comparison: Comparison) -> str:
    """One sentence over all runs."""
    pairs = comparison.pairs
    best = comparison.entrants[0].name
    if not comparison.tested:
        names = listed([run.name for run in comparison.entrants])
        return f"{names} were tested on different sets: their figures do not compare."
    if comparison.tested < len(pairs):
        return _mixed(comparison)
    if not any(pair.clear for pair in pairs):
        if len(pairs) == 1:
            return _level(pairs[0])
        return (
            f"No difference among the {len(comparison.entrants)} runs is more than noise: images "
            "like these cannot tell which is the most accurate."
        )
    if len(pairs) == 1:
        return f"{pairs[0].first} is ahead of {pairs[0].second} by more than noise."
    with_best = [pair for pair in pairs if best in (pair.first, pair.second)]
    behind = [pair.second for pair in with_best if pair.clear and pair.first == best]
    level = [_other(pair, best) for pair in with_best if not pair.clear]
    parts = [f"ahead of {listed(behind)} by more than noise"] if behind else []
    parts += [f"within noise of {listed(level)}"] if level else []
    # a share over other images too says nothing against those that two runs have in common
    ahead = [pair.first for pair in with_best if pair.clear and pair.second == best]
    parts += [f"behind {listed(ahead)} on the images that they share"] if ahead else []
    return f"{best} has the highest accuracy: {', '.join(parts)}."


def _mixed(comparison: Comparison) -> str:
    """Runs of which some were tested on another set than others."""
    apart = len(comparison.pairs) - comparison.tested
    clear = [pair for pair in comparison.pairs if pair.clear]
    leads = [f"{pair.first} is ahead of {pair.second} by more than noise" for pair in clear]
    others = f"Of the others, {listed(leads)}" if leads else "What can be compared is within noise"
    return (
        f"Not all were tested on the same set, and {apart} of {len(comparison.pairs)} pairs do not "
        f"compare. {others}."
    )


def _apart(pair: PairVerdict) -> str:
    """The figures of two runs that were tested on different sets, without a verdict."""
    d, f1 = pair.accuracy, pair.macro_f1
    return (
        f"{pair.first} named {percent(d.a)} of its {pair.counts[0]:,} test images rightly (macro "
        f"F1 {f1.a:.3f}), {pair.second} {percent(d.b)} of its {pair.counts[1]:,} ({f1.b:.3f}). The "
        "images are of different sets, so this says nothing of which is better."
    )


def _level(pair: PairVerdict) -> str:
    """Two runs whose accuracies cannot be told apart, and what macro F1 says to that."""
    both = f"{pair.first} and {pair.second}"
    if not pair.macro_f1_clear:
        return f"{both}: the difference is within noise."
    ahead = pair.first if pair.macro_f1.difference > 0 else pair.second
    return f"{both}: the difference in accuracy is within noise; by macro F1 {ahead} is ahead."


def _accuracy(pair: PairVerdict, pairs: int) -> str:
    d = pair.accuracy
    if pair.paired:
        where = f" on the same {pair.images:,} test images"
        figures = f"{percent(d.a)} against {percent(d.b)}"
        tested = "McNemar"
    else:
        where = ", each on its own test images"
        figures = (
            f"{percent(d.a)} of {pair.counts[0]:,} against {percent(d.b)} of {pair.counts[1]:,}"
        )
        tested = "two-proportion test"
    numbers = (
        f"{figures}, difference {points(d.difference)} "
        f"(95 % interval {points_range((d.low, d.high))}), "
        f"{tested} {_corrected(pair.accuracy_p, pairs)}"
    )
    if pair.test is not None and not pair.test.only_a + pair.test.only_b:
        return (
            f"{pair.first} and {pair.second} are right on exactly the same ones of the "
            f"{pair.images:,} test images."
        )
    if not pair.clear:
        return f"{pair.first} and {pair.second} are within noise{where}: {numbers}."
    verb = "is more accurate than" if pair.paired else "scored higher than"
    return f"{pair.first} {verb} {pair.second}{where}: {numbers}."


def _macro_f1(pair: PairVerdict, pairs: int) -> str:
    d = pair.macro_f1
    tested = "paired bootstrap" if pair.paired else "bootstrap"
    if d.difference < 0:  # the accuracy's order is not always that of macro F1
        d = Difference(d.b, d.a, -d.high, -d.low, d.p_value)
        first, second = pair.second, pair.first
    else:
        first, second = pair.first, pair.second
    numbers = (
        f"{d.a:.3f} against {d.b:.3f}, difference {signed(d.difference, 3)} "
        f"(95 % interval {change_range((d.low, d.high))}), "
        f"{tested} {_corrected(pair.macro_f1_p, pairs)}"
    )
    if pair.macro_f1_clear:
        return (
            f"By macro F1, in which every expression counts alike, {first} is ahead of {second}: "
            f"{numbers}."
        )
    return (
        "By macro F1, in which every expression counts alike, they are within noise: "
        f"{first} {numbers}."
    )


def _without_twins(pair: PairVerdict) -> str:
    d, n = pair.without_twins  # type: ignore[misc]
    word = "more than noise" if d.p_value < LEVEL else "within noise"
    return (
        f"On the {n:,} of them without a pixel-identical twin in training: "
        f"{percent(d.a)} against {percent(d.b)}, {word}, McNemar {p_text(d.p_value)}."
    )


def _corrected(p_value: float, pairs: int) -> str:
    return p_text(p_value) + (f" (Holm-corrected for {pairs} pairs)" if pairs > 1 else "")


def _other(pair: PairVerdict, name: str) -> str:
    return pair.second if pair.first == name else pair.first


def comparison_dict(comparison: Comparison) -> dict[str, Any]:
    """Plain values for JSON: entrants, pairs with their sentences, warnings."""
    pairs = []
    for pair in comparison.pairs:
        values = {**asdict(pair), "paired": pair.paired, "clear": pair.clear}
        values["macro_f1_clear"] = pair.macro_f1_clear
        for measure in ("accuracy", "macro_f1"):
            values[measure]["difference"] = getattr(pair, measure).difference
        if not pair.same_set:  # a p-value would be read as one of the methods
            values |= {"accuracy_p": None, "macro_f1_p": None}
            values["accuracy"]["p_value"] = values["macro_f1"]["p_value"] = None
        values["sentences"] = pair_sentences(pair, comparison.tested)
        pairs.append(values)
    return {
        "summary": summary(comparison),
        "warnings": list(comparison.warnings),
        "same_budget": list(comparison.same),
        "runs": [
            {
                "name": run.name,
                "folder": str(run.folder.path),
                "images": run.n,
                "accuracy": run.accuracy,
                "interval": list(run.interval),
                "macro_f1": run.macro_f1,
                "spent": asdict(run.spending),
            }
            for run in comparison.entrants
        ],
        "pairs": pairs,
    }
