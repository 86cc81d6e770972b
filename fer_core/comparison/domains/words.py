"""Reports of `domain` and `before_after` in plain sentences, for the page and the command line."""

from __future__ import annotations

from typing import Any

from fer_core.comparison.significance import LEVEL
from fer_core.comparison.wording import (
    change_range,
    counted,
    f1_range,
    p_text,
    percent,
    percent_range,
    points,
    points_range,
)


def headline(report: dict[str, Any]) -> str:
    """The figures of an evaluation on another set, one sentence."""
    return (
        f"{report['checkpoint']} names the expression right on {percent(report['accuracy'])} of "
        f"{counted(report['n'], 'image')} of {report['data']} (95 % interval "
        f"{percent_range(report['interval'])}); macro F1 {report['macro_f1']:.3f} "
        f"({f1_range(report['macro_f1_interval'])})."
    )


def drop_sentence(report: dict[str, Any]) -> str:
    """How much lower that is than on the checkpoint's own test images, or why that is unknown."""
    own, drop = report["own"], report["drop"]
    if report["same_set"]:
        return (
            f"The checkpoint learned from {report['data']} itself: this is its own domain and not "
            "a new one, so there is no drop to tell."
        )
    if own is None:
        return (
            "Its figures on its own test images are not known, because its folder holds neither "
            "predictions.parquet nor a sound record with a confusion matrix."
        )
    return (
        f"On {counted(own['n'], 'test image')} of its own domain ({own['data']}) it is "
        f"{percent(own['accuracy'])} ({percent_range(own['interval'])}), macro F1 "
        f"{own['macro_f1']:.3f}. {_drop(drop)}"
    )


def _drop(drop: dict[str, Any]) -> str:
    low, high = drop["interval"]
    lost = f"{drop['macro_f1']:.3f}".replace("-", "−")
    macro = f"macro F1 {lost} ({f1_range(drop['macro_f1_interval'])})"
    if low > 0:
        return (
            f"The drop is {100 * drop['accuracy']:.1f} points (95 % interval "
            f"{100 * low:.1f} to {100 * high:.1f}), in {macro}."
        )
    change = f"{points(-drop['accuracy'])} (95 % interval {points_range([-high, -low])})"
    if high < 0:
        return f"It does better here than at home: {change}."
    return f"The difference of {change} is within noise."


def notes(report: dict[str, Any]) -> list[str]:
    """What must be known to read the figures of an evaluation: one sentence each."""
    said = []
    known, here = len(report["class_names"]), len(report["classes"])
    if report["left_out"]:
        gone = ", ".join(
            f"{name} ({counted(count, 'image')})" for name, count in report["left_out"].items()
        )
        said.append(f"Left out, counted as no class of the checkpoint: {gone}.")
    if here < known:
        missing = [name for name in report["class_names"] if name not in report["classes"]]
        said.append(
            f"The set has {here} of the checkpoint's {known} classes (no {', '.join(missing)}). "
            "The checkpoint may still answer with any of its classes; the figures on its own "
            f"domain are those of its test images with the same {here} labels, and macro F1 "
            f"averages over these {here}."
        )
    merged = _merged(report["mapping"])
    if merged:
        said.append(f"Counted as one class: {merged}.")
    if report["n"] < report["available"]:
        said.append(
            f"A stratified draw of {report['n']:,} of {report['available']:,} images, seed "
            f"{report['seed']}."
        )
    if report["same_set"]:
        said.append(
            "Only the images that its runs kept for testing are scored; the others it has seen "
            "with their labels."
        )
    if report["twins"]:
        said.append(
            f"{counted(report['twins'], 'image')} of them stand pixel for pixel among those that "
            "the checkpoint trained on, so its figures here are flattered."
        )
    elif report["twins"] == 0 and not report["same_set"]:
        said.append("None of them stands pixel for pixel among those that it trained on.")
    return said


def _merged(mapping: dict[str, str]) -> str:
    targets = [new for new in dict.fromkeys(mapping.values()) if new]
    groups = {new: [name for name in mapping if mapping[name] == new] for new in targets}
    return "; ".join(
        f"{' and '.join(names)} as {new}" for new, names in groups.items() if len(names) > 1
    )


def before_and_after(report: dict[str, Any]) -> str:
    """The figures of both sides and their difference, one sentence."""
    before, after, gain = report["before"], report["after"], report["gain"]
    return (
        f"On the same {counted(report['n'], 'image')} of {report['data']}: before "
        f"{percent(before['accuracy'])} ({percent_range(before['interval'])}), after "
        f"{percent(after['accuracy'])} ({percent_range(after['interval'])}), "
        f"{points(gain['accuracy'])} ({points_range(gain['interval'])}); macro F1 "
        f"{before['macro_f1']:.3f} → {after['macro_f1']:.3f} "
        f"({change_range(gain['macro_f1_interval'])})."
    )


def verdict(report: dict[str, Any]) -> str:
    """McNemar's test in words."""
    gain = report["gain"]
    split = (
        f"{counted(gain['only_after'], 'image')} right only after and "
        f"{counted(gain['only_before'], 'image')} right only before"
    )
    if gain["p_value"] >= LEVEL:
        return f"Within noise: {split} (McNemar's test, {p_text(gain['p_value'])})."
    way = "Better" if gain["accuracy"] > 0 else "Worse"
    return f"{way} by more than chance: {split} (McNemar's test, {p_text(gain['p_value'])})."


def slice_sentence(report: dict[str, Any]) -> str:
    """What the weights learned from and what they were compared on."""
    learned = sum(report["slice"].values())
    counts = ", ".join(f"{name} {count:,}" for name, count in report["slice"].items())
    text = (
        f"{counted(learned, 'image')} of {report['data']} were learned from ({counts}) and "
        f"{report['choosing']:,} more chose epoch {report['best_epoch']} of "
        f"{report['epochs']}; none of them is among the {report['n']:,} that are compared."
    )
    if seen := report.get("seen_before"):  # reports from before it was counted have none
        text += (
            f" But {report['start']} had learned from this set before, with {seen:,} of these "
            "among it, so the figures of both sides are flattered."
        )
    if report["without_twins"]:
        rest = report["without_twins"]
        text += (
            f" Without the {report['n'] - rest['n']:,} that the slice has pixel for pixel: "
            f"{percent(rest['before']['accuracy'])} before, "
            f"{percent(rest['after']['accuracy'])} after."
        )
    return text
