"""What the Data tab says about a set, as sentences and small pieces of HTML. Knows no Gradio."""

from __future__ import annotations

import html

import numpy as np

from fer_core.data.audit import Audit
from fer_core.data.faces import HELD_OUT, ROWS_COUNTED, SPLIT_NAMES, UNLABELLED, Faces
from fer_core.data.split import Split
from fer_core.labels import colour
from fer_core.ui.shared.cards import card, cards
from fer_core.ui.shared.face_grid import GridFace, face_grid
from fer_core.ui.shared.plain import plain

GALLERY_FACES = 24
ANY_CLASS = "all classes"
ANY_PART = "all parts"
NO_LABEL = "unlabelled"
_LISTED = 50
PREVIEW_WORDS = (
    "**Drawn faces**: the built-in set is being drawn. This happens once and takes about half a "
    "minute; the first faces are below."
)


def preview_gallery(faces: Faces) -> str:
    """HTML of the first faces of a set that is not yet there as a whole."""
    labels = [faces.class_names[label] for label in faces.labels[:GALLERY_FACES]]
    return face_grid(
        [
            GridFace(image, label, "drawn", colour(label), f"drawn face labelled {label}")
            for image, label in zip(faces.images[:GALLERY_FACES], labels, strict=True)
        ]
    )


def summary_text(faces: Faces, audit: Audit) -> str:
    """One plain paragraph (Markdown): how many of what, how even, what could not be read."""
    height, width = faces.image_size
    kind = "grey" if faces.channels == 1 else "colour"
    counts = faces.counts()
    parts = [
        f"**{plain(faces.name) or 'faces'}**: {_many(len(faces), f'{kind} image')} "
        f"of {width} × {height} pixels in {_many(len(faces.class_names), 'class', 'classes')}."
    ]
    if faces.labelled:
        most, fewest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        if not counts[fewest]:
            parts.append(f"There is no image of *{plain(fewest)}*.")
        elif counts[most] < 1.1 * counts[fewest]:
            parts.append("The classes are about equally large.")
        else:
            parts.append(
                f"*{plain(most)}* has {counts[most] / counts[fewest]:.1f} times as many images as "
                f"*{plain(fewest)}* (the imbalance ratio)."
            )
    missing = int((faces.labels == UNLABELLED).sum())
    parts.append(f"{_many(missing, 'image')} without a label." if missing else "All are labelled.")
    unread = len(faces.unreadable)
    if unread:
        parts.append(f"{_many(unread, 'row or file', 'rows or files')} could not be read.")
    else:
        parts.append("Everything could be read.")
    return " ".join(parts)


def split_text(faces: Faces, split: Split, kind: str) -> str:
    """How many images each part of the split has, and where that comes from (Markdown)."""
    sizes = [f"**{len(getattr(split, part)):,}** {part}" for part in SPLIT_NAMES]
    origin = "a stratified draw: every class has the same share"
    if kind == "source" and faces.source_split is None:
        origin = "a stratified draw, because the set comes with no split of its own"
    elif kind == "source":
        there = set(np.unique(faces.source_split[faces.labels >= 0]))
        lacking = (part for part in HELD_OUT if part not in there)
        drawn = [part for part in lacking if len(getattr(split, part))]
        origin = "the split that comes with the set"
        if drawn:
            origin += f"; {' and '.join(drawn)}, which it lacks, drawn from its training images"
    return f"A run uses {' · '.join(sizes)} ({origin})."


def counts_table(audit: Audit) -> str:
    """Images per class and part as an HTML table with totals and shares."""
    parts = [part for part in SPLIT_NAMES if part in audit.counts_per_split]
    head = "".join(f"<th>{part}</th>" for part in parts)
    total = sum(audit.counts.values())
    rows = []
    for name, count in audit.counts.items():
        cells = "".join(f"<td>{audit.counts_per_split[part][name]:,}</td>" for part in parts)
        share = f"{100 * count / total:.1f} %" if total else "–"
        rows.append(
            f'<tr><th scope="row">{_dot(name)}{html.escape(name)}</th>{cells}'
            f"<td>{count:,}</td><td>{share}</td></tr>"
        )
    sums = "".join(f"<td>{sum(audit.counts_per_split[part].values()):,}</td>" for part in parts)
    ratios = "".join(f"<td>{_ratio(audit.counts_per_split[part])}</td>" for part in parts)
    return (
        '<div class="plain-table"><table>'
        f"<thead><tr><th>class</th>{head}<th>all</th><th>share</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody>"
        f'<tfoot><tr><th scope="row">all</th>{sums}<td>{total:,}</td><td></td></tr>'
        f'<tr class="ratio"><th scope="row">imbalance ratio</th>{ratios}'
        f"<td>{_ratio(audit.counts)}</td><td></td></tr></tfoot></table></div>"
        '<p class="note">Imbalance ratio: images of the largest class for one of the smallest. '
        "From about 3 on, class weights or balanced sampling are worth a try.</p>"
    )


def gallery_choices(faces: Faces) -> tuple[list[str], list[str]]:
    """What the gallery can be narrowed to: class names and parts."""
    classes = [ANY_CLASS, *faces.class_names]
    if (faces.labels == UNLABELLED).any():
        classes.append(NO_LABEL)
    return classes, [ANY_PART, *SPLIT_NAMES]


def drawn_indices(
    faces: Faces, split: Split, class_name: str, part: str, seed: int, count: int = GALLERY_FACES
) -> np.ndarray:
    """int64 (≤ count,) images of that class and part, drawn without repeats; the seed decides."""
    pool = np.arange(len(faces)) if part == ANY_PART else getattr(split, part)
    labels = faces.labels[pool]
    if class_name == NO_LABEL:
        pool = pool[labels == UNLABELLED]
    elif class_name in faces.class_names:
        pool = pool[labels == faces.class_names.index(class_name)]
    random = np.random.default_rng(seed)
    return random.choice(pool, size=min(count, len(pool)), replace=False)


def gallery(faces: Faces, split: Split, class_name: str, part: str, seed: int) -> str:
    """HTML of a random draw of faces with their labels and where they came from."""
    chosen = drawn_indices(faces, split, class_name, part, seed)
    where = {
        int(i): name for name in SPLIT_NAMES for i in np.intersect1d(chosen, getattr(split, name))
    }
    cells = []
    for index in chosen:
        label = _label(faces, int(index))
        cells.append(
            GridFace(
                faces.images[index],
                label,
                f"{where.get(int(index), 'in no part')} · {faces.ids[index]}",
                "" if label == NO_LABEL else colour(label),
                f"face labelled {label}",
            )
        )
    return face_grid(cells, "No face of this class in this part. Choose another class or part.")


def mean_gallery(faces: Faces, means: np.ndarray) -> str:
    """HTML of the mean face of every class; means uint8 (classes, H, W, C)."""
    counts = faces.counts()
    return face_grid(
        [
            GridFace(
                mean,
                name,
                f"mean of {counts[name]:,}",
                colour(name),
                f"mean of all faces labelled {name}",
            )
            for name, mean in zip(faces.class_names, means, strict=True)
            if counts[name]
        ],
        "No labelled face: there is no mean to show.",
    )


def twins_text(audit: Audit) -> str:
    """HTML cards: what was found about exact twins, and why it matters."""
    across = audit.twins_across_splits
    test, validation = across.get("test", 0), across.get("validation", 0)
    facts = [
        (
            audit.duplicate_images,
            "images are exact copies of another",
            f"{_many(audit.twin_groups, 'group')} of images that agree in every pixel. "
            "A picture that is there five times counts five times in training."
            if audit.twin_groups
            else "No two images of the set agree in every pixel.",
            False,
        ),
        (
            test,
            "test images have a twin in training",
            "The model has seen these with their answer, so the test score flatters it. "
            "A run reports its accuracy without them as well."
            if test
            else "A model has seen none of the test images with their answer.",
            bool(test),
        ),
        (
            validation,
            "validation images have a twin in training",
            "Validation picks the best epoch; known images there reward learning by heart."
            if validation
            else "Validation picks the best epoch, by images that no model has seen.",
            bool(validation),
        ),
        (
            audit.conflicting_groups,
            "groups of twins carry different labels",
            "The same picture under two labels: at least one is wrong, "
            "and no model can get both right."
            if audit.conflicting_groups
            else "No picture stands under two labels.",
            bool(audit.conflicting_groups),
        ),
    ]
    return cards(card(*fact) for fact in facts)


def unreadable_list(faces: Faces) -> str:
    """HTML list of what could not be read and why; the first 50."""
    if not faces.unreadable:
        return '<p class="note">Every row and file of this set could be read.</p>'
    rows = "".join(
        f"<tr><td>{html.escape(entry.where)}</td><td>{html.escape(entry.reason)}</td></tr>"
        for entry in faces.unreadable[:_LISTED]
    )
    more = len(faces.unreadable) - _LISTED
    rest = f'<p class="note">… and {more:,} more.</p>' if more > 0 else ""
    if any("row " in entry.where for entry in faces.unreadable[:_LISTED]):
        rest += f'<p class="note">{ROWS_COUNTED.capitalize()}.</p>'
    return (
        '<div class="plain-table texts"><table>'
        "<thead><tr><th>where</th><th>what was wrong</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _ratio(counts: dict[str, int]) -> str:
    fewest = min(counts.values(), default=0)
    return f"{max(counts.values()) / fewest:.1f}" if fewest else "–"


def _label(faces: Faces, index: int) -> str:
    label = int(faces.labels[index])
    return NO_LABEL if label == UNLABELLED else faces.class_names[label]


def _dot(name: str) -> str:
    return f'<span class="swatch" style="background:{colour(name)}"></span>'


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
