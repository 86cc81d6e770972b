"""Counts, twins and leaks: on faces made here, and the published figures of FER2013."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from fer_core.data.audit import Audit, audit_faces, mean_faces, repeated_rows
from fer_core.data.faces import Faces, Unreadable
from fer_core.data.split import Split, SplitPlan, split_faces
from fer_core.data.twins import has_twin_in, twin_keys


@pytest.fixture
def leaky_faces() -> Faces:
    """Eight images of which some repeat: 0 = 1 = 4 (4 in test), 2 = 3 (other label), 5, 6, 7."""
    images = np.zeros((8, 8, 8, 1), dtype=np.uint8)
    for index, value in enumerate([10, 10, 20, 20, 10, 30, 40, 50]):
        images[index] = value
    labels = np.array([0, 0, 0, 1, 0, 1, 1, -1])
    parts = np.array(["train"] * 4 + ["test", "test", "validation", "validation"])
    ids = np.arange(8).astype(str)
    listed = tuple(Unreadable(f"row {row}", "empty file") for row in range(25))
    return Faces(images, labels, ids, ("angry", "happy", "sad"), parts, "leaky", unreadable=listed)


def test_counts_shares_and_imbalance(leaky_faces: Faces) -> None:
    audit = audit_faces(leaky_faces)
    assert (audit.images, audit.unlabelled, audit.image_size, audit.channels) == (8, 1, (8, 8), 1)
    assert audit.counts == {"angry": 4, "happy": 3, "sad": 0}
    assert audit.shares == {"angry": 4 / 7, "happy": 3 / 7, "sad": 0}
    assert audit.imbalance_ratio == pytest.approx(4 / 3)
    assert audit.counts_per_split == {
        "train": {"angry": 3, "happy": 1, "sad": 0},
        "validation": {"angry": 0, "happy": 1, "sad": 0},
        "test": {"angry": 1, "happy": 1, "sad": 0},
    }


def test_unreadable_rows_are_counted_and_the_first_listed(leaky_faces: Faces) -> None:
    audit = audit_faces(leaky_faces)
    assert audit.unreadable == 25
    assert len(audit.unreadable_listed) == 20
    assert audit.unreadable_listed[0] == ("row 0", "empty file")


def test_twins_repeats_leaks_and_conflicts(leaky_faces: Faces) -> None:
    audit = audit_faces(leaky_faces)
    assert audit.twin_groups == 2
    assert audit.duplicate_images == 3
    assert audit.full_row_duplicates == 1  # image 1; 4 is in another part, 3 has another label
    assert audit.twins_across_splits == {"validation": 0, "test": 1}
    assert audit.conflicting_groups == 1
    assert np.flatnonzero(repeated_rows(leaky_faces)).tolist() == [1]


def test_a_given_split_counts_in_place_of_the_sources(leaky_faces: Faces) -> None:
    split = Split(train=np.array([0, 2]), validation=np.array([1, 3]), test=np.array([5]))
    audit = audit_faces(leaky_faces, split)
    assert audit.twins_across_splits == {"validation": 2, "test": 0}
    assert audit.counts_per_split["train"] == {"angry": 2, "happy": 0, "sad": 0}


def test_without_a_split_there_are_no_leaks(leaky_faces: Faces) -> None:
    audit = audit_faces(replace(leaky_faces, source_split=None, fingerprint=""))
    assert audit.counts_per_split == {}
    assert audit.twins_across_splits == {"validation": 0, "test": 0}


def test_an_unlabelled_set_can_be_audited(leaky_faces: Faces) -> None:
    labels = np.full(8, -1)
    audit = audit_faces(replace(leaky_faces, labels=labels, class_names=(), fingerprint=""))
    assert (audit.counts, audit.shares, audit.imbalance_ratio) == ({}, {}, 0.0)
    assert audit.conflicting_groups == 0


def test_the_dictionary_has_every_field_documents_it_and_is_json(leaky_faces: Faces) -> None:
    values = audit_faces(leaky_faces).to_dict()
    assert set(values) == {item.name for item in fields(Audit)}
    assert all(key in Audit.to_dict.__doc__ for key in values)
    assert json.loads(json.dumps(values)) == values


def test_one_changed_pixel_makes_no_twin(tiny_faces: Faces) -> None:
    other = tiny_faces.images.copy()
    other[3, 5, 5, 0] ^= 1
    assert has_twin_in(other, tiny_faces.images).tolist() == [index != 3 for index in range(70)]
    keys = twin_keys(np.concatenate([tiny_faces.images, other]))
    assert len(np.unique(keys)) == 71


def test_the_mean_face_is_the_mean_of_its_class(tiny_faces: Faces) -> None:
    means = mean_faces(tiny_faces)
    assert means.shape == (7, 48, 48, 1)
    assert means.dtype == np.uint8
    expected = tiny_faces.images[tiny_faces.labels == 2].mean(axis=0)
    assert np.abs(means[2] - expected).max() <= 0.5


def test_a_class_without_images_has_a_black_mean_face(leaky_faces: Faces) -> None:
    assert mean_faces(leaky_faces)[2].max() == 0


def test_audit_of_fer2013_has_the_published_figures(fer2013: Faces) -> None:
    audit = audit_faces(fer2013, split_faces(fer2013, SplitPlan("source")))
    assert audit.images == 35_887
    assert list(audit.counts.values()) == [4953, 547, 5121, 8989, 6077, 4002, 6198]
    sizes = {name: sum(counts.values()) for name, counts in audit.counts_per_split.items()}
    assert sizes == {"train": 28_709, "validation": 3_589, "test": 3_589}
    assert audit.full_row_duplicates == 1_234
    assert audit.twins_across_splits == {"validation": 280, "test": 288}
    assert audit.conflicting_groups == 59
    assert (audit.unreadable, audit.unlabelled) == (0, 0)


def test_fer2013_without_repeated_rows_has_the_published_counts(fer2013: Faces) -> None:
    kept = ~repeated_rows(fer2013)
    assert kept.sum() == 34_653
    assert np.bincount(fer2013.labels[kept]).tolist() == [4800, 491, 4925, 8859, 5977, 3496, 6105]
