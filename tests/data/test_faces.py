"""`Faces` refuses what does not fit together and knows its own content."""

from dataclasses import replace

import numpy as np
import pytest

from fer_core.data.faces import DataError, Faces


def test_wrong_shape_is_refused_with_what_was_got(tiny_faces: Faces) -> None:
    with pytest.raises(DataError, match=r"got uint8 \(70, 48, 48\)"):
        replace(tiny_faces, images=tiny_faces.images[..., 0])


def test_a_label_without_a_class_is_refused(tiny_faces: Faces) -> None:
    with pytest.raises(DataError, match="labels must be -1 to 2"):
        replace(tiny_faces, class_names=("a", "b", "c"))


def test_one_entry_per_image(tiny_faces: Faces) -> None:
    with pytest.raises(DataError, match=r"ids must have one entry per image \(70\), got 3"):
        replace(tiny_faces, ids=tiny_faces.ids[:3])


def test_an_unknown_part_is_refused(tiny_faces: Faces) -> None:
    with pytest.raises(DataError, match="dev"):
        replace(tiny_faces, source_split=np.array(["dev"] * 70))


def test_fingerprint_follows_content_and_nothing_else(tiny_faces: Faces) -> None:
    images = tiny_faces.images.copy()
    same = replace(tiny_faces, images=images.copy(), name="other", fingerprint="")
    images[3, 4, 5] += 1
    changed = replace(tiny_faces, images=images, fingerprint="")
    assert same.fingerprint == tiny_faces.fingerprint
    assert changed.fingerprint != tiny_faces.fingerprint


def test_counts_include_empty_classes_and_no_unlabelled(tiny_faces: Faces) -> None:
    labels = np.where(tiny_faces.labels == 1, -1, tiny_faces.labels)
    counts = replace(tiny_faces, labels=labels).counts()
    assert counts["disgust"] == 0
    assert sum(counts.values()) == 60


def test_subset_keeps_order_and_gets_its_own_fingerprint(tiny_faces: Faces) -> None:
    part = tiny_faces.subset(np.array([5, 2]))
    assert list(part.ids) == ["row 5", "row 2"]
    assert part.fingerprint != tiny_faces.fingerprint
