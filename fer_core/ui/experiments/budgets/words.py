"""The HTML of a comparison: progress line, verdict, what was spent, differences by expression."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from fer_core.comparison.budgets.equal_budget import BudgetPlan
from fer_core.comparison.budgets.runs import ContenderState
from fer_core.comparison.budgets.verdict import ClassRow, Comparison, PairVerdict
from fer_core.comparison.budgets.words import pair_sentences, summary
from fer_core.comparison.significance import LEVEL
from fer_core.comparison.wording import p_text
from fer_core.comparison.wording import signed_points as points
from fer_core.ui.experiments.run_views import badge, duration, interval_text, percent

MEASURES = {"recall": "Recall", "f1": "F1"}
NOTHING = (
    "**Nothing to compare yet.** Open *Train contenders under one budget* above and press *Start "
    "the comparison*: with the ready form, *Quick look* with and without augmentation, the verdict "
    "stands here in a few minutes. Any two finished runs of one set can be compared as "
    "well."
)
DIFFERENT_SETS = "These runs were tested on different sets, which do not compare."
CAUTION = (
    "The tests ask whether these trained networks differ on images like these. Another seed gives "
    "another network, often a point better or worse: before you call a method better, repeat it "
    "with several seeds (<b>Sweeps</b>)."
)
EXPECTATIONS = """
**Why budgets must be equal.** Almost any method gets better when it trains longer. A comparison
says something of the method only if everything else is the same, and there are three ways to mean
"as long":

- **The same epochs**: each sees every image equally often. Augmentation makes every epoch harder,
  so a network learns more slowly at first and overfits less later: under a *small* budget it often
  loses, under a large one it wins. Offline copies make an epoch longer, which is no equal budget.
- **The same updates**: each takes equally many optimiser steps. Larger batches see more images per
  update, so they are favoured here; under the same epochs they make fewer updates and usually need
  a higher learning rate.
- **The same seconds**: what counts when the machine is the limit. Heavier networks, larger images
  and costly augmentation get fewer epochs; a small network may win because it gets further.
  Seconds depend on the machine and on what else it does; validation and compiling are not counted.

**Schedules.** One cycle and cosine need to know the length of the run: they are fitted to the
budget. A recipe tuned for 36 epochs is not at its best with 5; the learning rate may want tuning
for the budget, equally for all contenders.

**Within noise** means: a difference this large comes up often when two equally good models meet on
so many images (p is 0.05 or more). It does not mean that they are equal; more test images could
still tell them apart. With several contenders the p-values are corrected (Holm), since among many
pairs one looks different by chance.

**Which test.** On the same test images only those count that exactly one of the two got right
(McNemar). For macro F1 the images are drawn again 10,000 times, in pairs (bootstrap). Runs on
different images of one set are compared by their shares (Newcombe's interval), never in pairs. Runs
of different sets are not compared: one set may simply be easier.
"""


def progress_html(plan: BudgetPlan, states: Sequence[ContenderState], public: bool) -> str:
    """One bar over all contenders and a line for each."""
    share = sum(item.share for item in states) / len(states)
    done = sum(item.state == "finished" for item in states)
    left = [item.seconds_left for item in states if item.state == "running"]
    parts = [f"{done} of {len(states)} finished"]
    if left and left[0] is not None:
        parts.append(f"{duration(left[0])} left for the one that trains")
    items = "".join(_progress_item(item, public) for item in states)
    look = "finished" if done == len(states) else "running"
    return (
        f"<p class='title'>{html.escape(plan.name)}: {html.escape(budget_words(plan))}</p>"
        f"<div class='bar {look}' role='progressbar' aria-label='share of the budget spent' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{100 * share:.0f}'>"
        f"<div style='width:{100 * share:.1f}%'></div></div>"
        f"<p class='state'>{'; '.join(parts)}.</p><ol class='queue'>{items}</ol>"
    )


def _progress_item(item: ContenderState, public: bool) -> str:
    reason = "" if public or item.state in ("finished", "queued") else item.reason
    more = f": {html.escape(reason)}" if reason else ""
    share = f" {100 * item.share:.0f} %" if item.state == "running" else ""
    return f"<li>{html.escape(item.title)} {badge(item.state)}{share}{more}</li>"


def budget_words(plan: BudgetPlan) -> str:
    unit = "s of training" if plan.kind == "seconds" else plan.kind
    unit = unit.removesuffix("s") if plan.amount == 1 and plan.kind == "epochs" else unit
    return f"{plan.amount:,.0f} {unit} each"


def verdict_html(comparison: Comparison, pair: PairVerdict, missing: int = 0) -> str:
    """The summary, sentences on the chosen pair, all pairs as a table, and what to beware of."""
    waits = (
        f"<p class='note'>{missing} more still to come; this is about those that are finished.</p>"
        if missing
        else ""
    )
    sentences = "".join(
        f"<li>{html.escape(text)}</li>" for text in pair_sentences(pair, comparison.tested)
    )
    table = _pairs_table(comparison.pairs) if len(comparison.pairs) > 1 else ""
    warnings = "".join(
        f"<div class='warning' role='note'>{html.escape(text)}</div>"
        for text in comparison.warnings
    )
    return (
        f"<div class='verdict-box'><p class='summary'>{_mark(comparison)}"
        f"{html.escape(summary(comparison))}</p>{waits}<ul>{sentences}</ul></div>{table}{warnings}"
        + (f"<p class='note'>{CAUTION}</p>" if comparison.tested else "")
    )


def _mark(comparison: Comparison) -> str:
    if not comparison.tested:
        return "<b class='mark'>different test sets</b>"
    if any(item.clear for item in comparison.pairs):
        return "<b class='mark clear'>more than noise</b>"
    return "<b class='mark'>noise</b>"


#: A long name may take several lines, or on a phone it would push the figures out of sight.
_NAME = "style='white-space:normal;overflow-wrap:anywhere;min-width:9em'"


def _pairs_table(pairs: Sequence[PairVerdict]) -> str:
    rows = "".join(
        f"<tr><td {_NAME}>{html.escape(item.first)} against {html.escape(item.second)}</td>"
        f"{_pair_cells(item)}</tr>"
        for item in pairs
    )
    heads = ("Pair", "Accuracy, points", "95 % interval", "p (Holm)", "", "Macro F1, points", "")
    return _table(heads, rows)


def _pair_cells(item: PairVerdict) -> str:
    if not item.same_set:
        return "<td colspan='6'>tested on different sets, not compared</td>"
    p_value = p_text(item.accuracy_p).removeprefix("p = ").removeprefix("p ")
    cells = (
        points(item.accuracy.difference),
        f"{points(item.accuracy.low)} to {points(item.accuracy.high)}",
        html.escape(p_value),
        "more than noise" if item.clear else "within noise",
        points(item.macro_f1.difference),
        "more than noise" if item.macro_f1_clear else "within noise",
    )
    return "".join(f"<td>{cell}</td>" for cell in cells)


def spent_html(comparison: Comparison, colours: Mapping[str, str]) -> str:
    """Score and spending of each run, and what they spent alike."""
    rows = "".join(
        f"<tr><td {_NAME}>"
        f"<span class='swatch' style='background:{colours.get(run.name, '#888')}'></span>"
        f"{html.escape(run.name)}</td>"
        f"<td>{percent(run.accuracy)}</td><td>{interval_text(run.interval)}</td>"
        f"<td>{run.macro_f1:.3f}</td><td>{run.n:,}</td>"
        f"<td>{run.spending.epochs:,}</td><td>{_count(run.spending.updates)}</td>"
        f"<td>{_seconds(run.spending.seconds)}</td><td>{_count(run.spending.images)}</td>"
        f"<td>{html.escape(run.spending.device or '–')}</td></tr>"
        for run in comparison.entrants
    )
    heads = (
        "Run",
        "Test accuracy",
        "95 % interval",
        "Macro F1",
        "Test images",
        "Epochs",
        "Updates",
        "Training time",
        "Images seen",
        "Device",
    )
    *others, last = comparison.same or ("",)
    same = f"{', '.join(others)} and {last}" if others else last
    had = f"the same {same}" if same else "no budget in common"
    return (
        f"<h2>How each budget was spent</h2>{_table(heads, rows)}"
        f"<p class='note'>They had {had} (within 5 %).</p>"
    )


def class_html(pair: PairVerdict, measure: str) -> str:
    """The chosen figure per expression in both runs; what they differ by only within one set."""
    name, runs = MEASURES[measure], (pair.first, pair.second)
    heads = ["Expression", *(f"{name} %, {run}" for run in runs)]
    heads += ["Points"] if pair.same_set else []
    alike = all(row.support_b in (None, row.support) for row in pair.classes)
    heads += ["Images"] if alike else [f"Images, {run}" for run in runs]
    heads += ["p of recall"] if pair.paired else []
    rows = ""
    for row in pair.classes:
        cells = _class_cells(pair, row, measure, alike)
        rows += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    return _table(heads, rows) + f"<p class='note'>{_class_note(pair)}</p>"


def _class_cells(pair: PairVerdict, row: ClassRow, measure: str, alike: bool) -> list[str]:
    """alike: both runs were scored on as many images of every expression."""
    figures = getattr(row, measure)
    cells = [html.escape(row.label), *(f"{100 * figure:.1f}" for figure in figures)]
    cells += [points(row.difference(measure))] if pair.same_set else []
    cells += [f"{row.support:,}"] + ([] if alike else [f"{row.support_b or 0:,}"])
    if row.p_value is not None:
        tested = p_text(row.p_value).removeprefix("p = ").removeprefix("p ")
        cells.append(html.escape(tested + (", noise" if row.p_value >= LEVEL else "")))
    return cells


def _class_note(pair: PairVerdict) -> str:
    if not pair.same_set:
        return f"{DIFFERENT_SETS} The figures stand beside each other, each for its own set."
    if not pair.paired:
        untested = (
            "These runs are not matched image by image, so single expressions are not tested."
        )
        return f"{untested} {_UNROUNDED}"
    return (
        "Pale bars and “noise”: the recall of that expression does not differ by more than noise "
        "(McNemar, Holm-corrected over the expressions). F1 also counts other expressions named "
        f"wrongly as this one; it has no test of its own per expression. {_UNROUNDED}"
    )


_UNROUNDED = "Differences are those of the figures before they are rounded."


def _table(heads: Sequence[str], rows: str) -> str:
    wraps = "style='white-space:normal;vertical-align:bottom'"
    head = "".join(f"<th {wraps}>{html.escape(text)}</th>" for text in heads)
    return (
        f"<div class='plain-table'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    return f"{value:.1f} s" if value is not None and value < 60 else duration(value)


#: Scoped style of the verdict.
VERDICT_CSS = """
.verdict-box { border-left: 4px solid #5b6ee1; padding: 10px 14px; border-radius: 8px;
  background: var(--background-fill-secondary); margin-bottom: 10px; }
.summary { margin: 0 0 6px; font-size: 1.08rem; font-weight: 600; overflow-wrap: anywhere; }
.mark { display: inline-block; font-size: 0.78rem; font-weight: 600; padding: 1px 9px;
  margin-right: 0.6em; border-radius: 999px; color: #fff; background: #64748b; }
.mark.clear { background: #2b7a4b; }
.verdict-box ul { margin: 0; padding-left: 1.2em; }
.verdict-box li { margin: 4px 0; overflow-wrap: anywhere; }
.warning { border-left: 4px solid #e0a100; padding: 6px 12px; margin: 8px 0; border-radius: 6px;
  background: var(--background-fill-secondary); overflow-wrap: anywhere; }
"""
