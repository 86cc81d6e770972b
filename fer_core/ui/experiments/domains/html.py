"""What the New domain tab shows of a report: cards, tables and sentences as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from fer_core.comparison import wording
from fer_core.comparison.domains import words
from fer_core.comparison.wording import whole_percent
from fer_core.data.faces import Faces
from fer_core.labels import colour
from fer_core.ui.shared.face_grid import GridFace, face_grid


def progress_line(done: int, total: int, what: str) -> str:
    """A bar and a sentence while images are scored."""
    share = 100 * done / max(1, total)
    return (
        f"<p class='state'>{html.escape(what)}: {done:,} of {total:,} images</p>"
        "<div class='bar running' role='progressbar' aria-label='share of the images scored' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{share:.0f}'>"
        f"<div style='width:{share:.1f}%'></div></div>"
    )


def sentence(text: str) -> str:
    return f"<p class='state'>{html.escape(text)}</p>"


def problem(error: Exception) -> str:
    return f"<p class='state'><b>That did not work.</b> {html.escape(str(error))}</p>"


def evaluation_cards(report: dict[str, Any]) -> str:
    """The figures on the new set, those on its own domain and the drop, with their intervals."""
    data = html.escape(report["data"])
    cards = [
        _card(
            wording.percent(report["accuracy"]),
            f"accuracy on {data}",
            f"95 % interval {wording.percent_range(report['interval'])}, "
            f"{wording.counted(report['n'], 'image')}",
        ),
        _card(
            f"{report['macro_f1']:.3f}",
            "macro F1",
            f"95 % interval {wording.f1_range(report['macro_f1_interval'])}",
        ),
    ]
    own, drop = report["own"], report["drop"]
    if own and drop:
        cards += [
            _card(
                wording.percent(own["accuracy"]),
                f"at home, on {html.escape(own['data'])}",
                f"{wording.percent_range(own['interval'])}; macro F1 {own['macro_f1']:.3f}; "
                f"{wording.counted(own['n'], 'test image')} of the same expressions",
            ),
            _card(
                wording.points(-drop["accuracy"]),
                "against its own domain",
                f"95 % interval {wording.points_range(_turned(drop['interval']))}; macro F1 "
                f"{wording.signed(-drop['macro_f1'], 3)} "
                f"({wording.change_range(_turned(drop['macro_f1_interval']))})",
                warn=drop["interval"][0] > 0,
            ),
        ]
    said = "".join(f"<li>{html.escape(note)}</li>" for note in words.notes(report))
    return (
        f"<div class='cards'>{''.join(cards)}</div>"
        f"<p class='result'>{html.escape(words.headline(report))} "
        f"{html.escape(words.drop_sentence(report))}</p>"
        f"<ul class='said'>{said}</ul>"
    )


def _turned(interval: Sequence[float]) -> list[float]:
    """The interval of a drop as that of a change."""
    return [-interval[1], -interval[0]]


def _card(number: str, what: str, why: str, warn: bool = False) -> str:
    kind = "card warn" if warn else "card"
    return f"<div class='{kind}'><b>{number}</b><span>{what}</span><p>{html.escape(why)}</p></div>"


def evaluation_table(report: dict[str, Any]) -> str:
    """Per expression: images, precision, recall, F1, and the recall at home beside them."""
    own = (report["own"] or {}).get("recall", {})
    rows = []
    for row in report["per_class"]:
        there = row["support"] > 0
        home = own.get(row["class"])
        figures = [row["precision"], row["recall"], row["f1"]]
        cells = [wording.percent(value) if there else "–" for value in figures]
        cells.append("–" if home is None else wording.percent(home))
        rows.append(_row(row["class"], [f"{row['support']:,}", *cells]))
    return _table(["expression", "images", "precision", "recall", "F1", "recall at home"], rows)


def tuning_table(report: dict[str, Any]) -> str:
    """Per expression: images, recall and F1 before and after, and the change of F1."""
    rows = []
    pairs = zip(report["before"]["per_class"], report["after"]["per_class"], strict=True)
    for before, after in pairs:
        if not before["support"]:
            continue
        cells = [f"{before['support']:,}"]
        cells += [wording.percent(side["recall"]) for side in (before, after)]
        cells += [f"{side['f1']:.3f}" for side in (before, after)]
        rows.append(_row(before["class"], [*cells, wording.signed(after["f1"] - before["f1"], 3)]))
    head = ["expression", "images", "recall before", "after", "F1 before", "after", "change of F1"]
    return _table(head, rows)


def _row(name: str, cells: Sequence[str]) -> str:
    dot = f"<span class='swatch' style='background:{colour(name)}'></span>"
    inner = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><th scope='row'>{dot}{html.escape(name)}</th>{inner}</tr>"


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in head)
    return (
        f"<div class='plain-table'><table><thead><tr>{titles}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def mistakes_gallery(report: dict[str, Any], faces: Faces) -> str:
    """The most confident mistakes with what they are labelled and what was said."""
    return face_grid(
        [
            GridFace(
                np.asarray(faces.images[wrong["index"]]),
                f"true {wrong['true']} → predicted {wrong['predicted']} "
                f"{whole_percent(wrong['confidence'])}",
                wrong["id"],
                colour(wrong["true"]),
            )
            for wrong in report["mistakes"]
        ],
        "Every image was named right.",
    )


def tuning_cards(report: dict[str, Any]) -> str:
    """Before, after and the difference on the same held-out images, with the test in words."""
    before, after, gain = report["before"], report["after"], report["gain"]
    low, _ = gain["interval"]
    cards = [
        _card(
            wording.percent(side["accuracy"]),
            f"{name} fine-tuning",
            f"95 % interval {wording.percent_range(side['interval'])}; macro F1 "
            f"{side['macro_f1']:.3f} ({wording.f1_range(side['macro_f1_interval'])})",
        )
        for name, side in (("before", before), ("after", after))
    ]
    cards.append(
        _card(
            wording.points(gain["accuracy"]),
            "on the same images",
            f"95 % interval {wording.points_range(gain['interval'])}; macro F1 "
            f"{wording.signed(gain['macro_f1'], 3)} "
            f"({wording.change_range(gain['macro_f1_interval'])})",
            warn=low < 0,
        )
    )
    text = html.escape(words.verdict(report))
    more = ""
    if "slice" in report:
        more = f"<ul class='said'><li>{html.escape(words.slice_sentence(report))}</li></ul>"
    return f"<div class='cards'>{''.join(cards)}</div><p class='result'>{text}</p>{more}"


def old_domain(report: dict[str, Any]) -> str:
    """What fine-tuning did to the old domain: the figures in cards, the test in words."""
    head = (
        f"On {wording.counted(report['n'], 'test image')} of {report['data']}, where the "
        "checkpoint came from:"
    )
    return f"<p class='state'>{html.escape(head)}</p>{tuning_cards(report)}"


def shares_right(side: dict[str, Any], classes: Sequence[str]) -> list[float]:
    """The recall of these classes, in their order."""
    found = {row["class"]: row["recall"] for row in side["per_class"]}
    return [found[name] for name in classes]


#: Scoped style of the tab's HTML beside that of the live panel.
DOMAIN_CSS = """
.cards { margin-top: 4px; }
.said { margin: 8px 0 0; padding-left: 1.2em; }
.said li { margin: 3px 0; font-size: 0.9rem; color: var(--body-text-color-subdued); }
"""
