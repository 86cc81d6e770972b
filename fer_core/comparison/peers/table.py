"""The table of peers: measured on the same faces, and beside them what others have published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.comparison.peers.measure import Peer, SharedFaces
from fer_core.comparison.significance import mcnemar
from fer_core.comparison.sweeps.document import TableDocument
from fer_core.comparison.wording import p_figure, percent, percent_range, signed_points
from fer_core.training.metrics import score

TITLE = "The same faces, other systems"
#: Images of FER2013's PrivateTest, and of a tenth drawn from all of FER2013; beside other images
#: than the former its published figures mean nothing.
_PRIVATE_TEST = 3589


@dataclass(frozen=True)
class Published:
    """A figure that others report for FER2013; not measured here."""

    name: str
    accuracy: float
    source: str
    parameters: str = "–"


PUBLISHED = (
    Published("VGGNet, single network", 0.7328, "arXiv 2105.03588"),
    Published(
        "ResNet-18, tuned",
        0.7370,
        "github.com/LetheSec/Fer2013-Facial-Emotion-Recognition-Pytorch",
        "11 M",
    ),
    Published(
        "Residual Masking Network, starts from ImageNet",
        0.7414,
        "github.com/phamquiluan/ResidualMaskingNetwork",
        "138 M",
    ),
    Published("the same beside six other networks", 0.7682, "the same source"),
    Published("people", 0.65, "arXiv 1307.0414, ± 5 points"),
)


def peer_scores(peers: Sequence[Peer], faces: SharedFaces) -> list[dict[str, Any]]:
    """Per system: name, own, accuracy, interval, without_twins (accuracy on the images that have no
    twin in training, None where each has one), macro_f1, parameters, gflops, size, and against the
    first system that is not our own: difference (fraction) and p_value (McNemar), None for that
    system or without one."""
    other = next((peer for peer in peers if not peer.own), None)
    found = []
    for peer in peers:
        scores, mine = score(peer.probabilities, faces.labels), _right(peer, faces)
        untwinned = mine[~faces.has_twin]
        values = {
            "name": peer.name,
            "own": peer.own,
            "accuracy": scores["accuracy"],
            "interval": scores["interval"],
            "without_twins": float(untwinned.mean()) if len(untwinned) else None,
            "macro_f1": scores["macro_f1"],
            "parameters": peer.parameters,
            "gflops": peer.gflops,
            "size": peer.size,
            "difference": None,
            "p_value": None,
        }
        if other is not None and peer is not other:
            theirs = _right(other, faces)
            values["difference"] = float(mine.mean() - theirs.mean())
            values["p_value"] = mcnemar(mine, theirs).p_value
        found.append(values)
    return found


def peers_document(scores: Sequence[dict[str, Any]], faces: SharedFaces) -> TableDocument:
    """Measured systems in their order, then the published figures."""
    other = next((row["name"] for row in scores if not row["own"]), None)
    heads = ["System", "Accuracy", "95 % interval", "Without twins", "Macro F1"]
    heads += ["Parameters", "GFLOPs", "On disk"]
    heads += [f"Against {other}"] if other else []
    rows = [_measured(row, other is not None) for row in scores]
    private = len(faces.labels) == _PRIVATE_TEST and not faces.drawn
    published = PUBLISHED if private else ()
    for one in published:
        cells = [f"{one.name} ({one.source})", percent(one.accuracy), "published"]
        cells += ["–", "–", one.parameters, "–", "–"]
        rows.append((*cells, *(["–"] if other else [])))
    plain = ("name", "accuracy", "low", "high", "without_twins", "macro_f1")
    plain += ("parameters", "gflops", "bytes", "difference", "p_value")
    figures = [
        (
            *(row["name"], row["accuracy"], *row["interval"], row["without_twins"]),
            *(row["macro_f1"], row["parameters"], row["gflops"], row["size"]),
            *(row["difference"], row["p_value"]),
        )
        for row in scores
    ]
    nothing = (None,) * 9
    figures += [(f"{one.name} (published)", one.accuracy, *nothing) for one in published]
    twins = int(np.count_nonzero(faces.has_twin))
    notes = [
        f"{len(faces.labels):,} images of the test part of {faces.name}; without twins: without "
        f"the {twins:,} that have a pixel-identical image in the training part.",
    ]
    if published:
        notes.append(
            "Published figures are others' own, for FER2013's PrivateTest (that of people: for "
            "images of the set); some average over several crops of an image."
        )
    if other:
        notes.append(
            f"Against {other}: points of accuracy on the same images, p of McNemar's test. It got "
            "the same cut faces, enlarged and scaled as it does it, in its default settings; what "
            "it was trained on is not known in detail."
        )
    return TableDocument(
        TITLE, tuple(heads), tuple(rows), plain, tuple(figures), frozenset(range(1, len(heads))),
        notes=tuple(notes),
    )  # fmt: skip


def _right(peer: Peer, faces: SharedFaces) -> np.ndarray:
    return peer.probabilities.argmax(axis=1) == faces.labels


def _measured(row: dict[str, Any], against: bool) -> tuple[str, ...]:
    cells = [row["name"], percent(row["accuracy"]), percent_range(row["interval"])]
    cells.append("–" if row["without_twins"] is None else percent(row["without_twins"]))
    cells.append(f"{row['macro_f1']:.3f}")
    cells.append("–" if row["parameters"] is None else f"{row['parameters']:,}")
    cells.append("–" if row["gflops"] is None else f"{row['gflops']:.3f}")
    cells.append("–" if row["size"] is None else f"{row['size'] / 1e6:.1f} MB")
    if against:
        lost = row["difference"]
        figure = "" if lost is None else f"{signed_points(lost)} (p {p_figure(row['p_value'])})"
        cells.append(figure or "–")
    return tuple(cells)
