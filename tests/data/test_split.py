"""Splits: the source's own, drawn ones, what is missing, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.data.faces import DataError, Faces
from fer_core.data.split import Split, SplitPlan, split_faces


def blank_faces(labels: np.ndarray, parts: list[str] | None = None) -> Faces:
    """Small black images with the given labels."""
    count = len(labels)
    names = tuple(f"class {number}" for number in range(int(labels.max()) + 1))
    own = None if parts is None else np.array(parts)
    images = np.zeros((count, 8, 8, 1), dtype=np.uint8)
    return Faces(images, labels, np.arange(count).astype(str), names, own)


def with_parts(faces: Faces, names: tuple[str, ...]) -> Faces:
    """The source's own split: `names` in turn, in blocks of one image per class."""
    own = np.array([names[index // 7 % len(names)] for index in range(len(faces))])
    return replace(faces, source_split=own, fingerprint="")


def sizes(split: Split) -> tuple[int, int, int]:
    return tuple(len(part) for part in split.parts().values())


def test_the_sources_own_split_is_kept(tiny_faces: Faces) -> None:
    faces = with_parts(tiny_faces, ("train", "train", "train", "validation", "test"))
    split = split_faces(faces, SplitPlan("source"))
    for name, part in split.parts().items():
        assert part.tolist() == np.flatnonzero(faces.source_split == name).tolist()
        assert part.dtype == np.int64


def test_missing_validation_images_are_cut_from_training_in_every_class(tiny_faces: Faces) -> None:
    faces = with_parts(tiny_faces, ("train", "train", "train", "train", "test"))
    split = split_faces(faces, SplitPlan("source", validation_share=0.25))
    assert sizes(split) == (42, 14, 14)
    assert (faces.source_split[split.test] == "test").all()
    assert (faces.source_split[split.validation] == "train").all()
    assert np.bincount(faces.labels[split.validation]).tolist() == [2] * 7


def test_missing_test_images_are_cut_from_training(tiny_faces: Faces) -> None:
    faces = with_parts(tiny_faces, ("train", "train", "train", "train", "validation"))
    split = split_faces(faces, SplitPlan("source", test_share=0.25))
    assert sizes(split) == (42, 14, 14)
    assert (faces.source_split[split.validation] == "validation").all()


@pytest.mark.parametrize("kind", ["source", "stratified"])
def test_a_set_without_a_split_gets_a_stratified_one(tiny_faces: Faces, kind: str) -> None:
    split = split_faces(tiny_faces, SplitPlan(kind, validation_share=0.25, test_share=0.2))
    assert sizes(split) == (42, 14, 14)
    for part in split.parts().values():
        assert len(set(np.bincount(tiny_faces.labels[part]).tolist())) == 1
    assert sorted(np.concatenate(list(split.parts().values())).tolist()) == list(range(70))


def test_the_seed_decides_the_draw(tiny_faces: Faces) -> None:
    first, again, other = (
        split_faces(tiny_faces, SplitPlan("stratified", seed=seed)) for seed in (1, 1, 2)
    )
    assert first.test.tolist() == again.test.tolist()
    assert first.test.tolist() != other.test.tolist()
    own = np.array(["train"] * 56 + ["test"] * 14)
    faces = replace(tiny_faces, source_split=own)
    one, another = (split_faces(faces, SplitPlan(seed=seed)).validation for seed in (1, 2))
    assert one.tolist() != another.tolist()


@pytest.mark.parametrize(
    ("counts", "plan", "expected"),
    [
        # 28,709 rows of train.csv, 80/20
        ((3995, 436, 4097, 7215, 4830, 3171, 4965), ("stratified", 0, 0.2), (22_967, 0, 5_742)),
        # 34,653 rows of fer2013.csv without repeated ones, 80/20, then 90/10
        (
            (4800, 491, 4925, 8859, 5977, 3496, 6105),
            ("stratified", 0.1, 0.2),
            (24_949, 2_773, 6_931),
        ),
        # the 1,198 photographs of six classes, 70/15/15
        ((214, 199, 163, 230, 168, 224), ("stratified", 15 / 85, 0.15), (838, 180, 180)),
    ],
)
def test_sizes_are_those_of_the_reference_reports(
    counts: tuple[int, ...], plan: tuple[str, float, float], expected: tuple[int, int, int]
) -> None:
    faces = blank_faces(np.repeat(np.arange(len(counts)), counts))
    assert sizes(split_faces(faces, SplitPlan(*plan, seed=42))) == expected


def test_unlabelled_images_are_in_no_part(tiny_faces: Faces) -> None:
    labels = tiny_faces.labels.copy()
    labels[:7] = -1
    split = split_faces(replace(tiny_faces, labels=labels, fingerprint=""), SplitPlan())
    assert sum(sizes(split)) == 63
    assert min(part.min() for part in split.parts().values()) >= 7
    assert (split.names(70)[:7] == "").all()
    assert set(split.names(70)[7:]) == {"train", "validation", "test"}


def test_a_small_share_still_takes_one_image_of_each_class(tiny_faces: Faces) -> None:
    split = split_faces(tiny_faces, SplitPlan("stratified", validation_share=0.01, test_share=0.02))
    assert sizes(split) == (56, 7, 7)
    assert np.bincount(tiny_faces.labels[split.test]).tolist() == [1] * 7


def test_a_share_of_zero_leaves_the_part_empty(tiny_faces: Faces) -> None:
    split = split_faces(tiny_faces, SplitPlan("stratified", test_share=0, validation_share=0.2))
    assert sizes(split) == (56, 14, 0)


@pytest.mark.parametrize(
    ("labels", "parts", "message"),
    [
        (np.full(6, -1), None, "no labelled image"),
        (np.array([0] * 20 + [1]), None, "only one image"),
        (np.arange(10) // 5, ["test"] * 10, "no training images"),
        (np.arange(20) // 2, None, "only one image"),
        (np.repeat([0, 1, 2], 3), ["train"] * 8 + ["test"], "fewer than one image for each of"),
    ],
)
def test_an_impossible_split_is_refused_with_the_reason(
    labels: np.ndarray, parts: list[str] | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        split_faces(blank_faces(labels, parts), SplitPlan("source", validation_share=0.9))


@pytest.mark.parametrize("values", [{"kind": "random"}, {"test_share": 1.0}, {"test_share": -0.1}])
def test_a_plan_out_of_range_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(DataError, match="must be"):
        SplitPlan(**values)


def test_real_fer2013_keeps_its_official_split(fer2013: Faces) -> None:
    split = split_faces(fer2013, SplitPlan("source"))
    assert sizes(split) == (28_709, 3_589, 3_589)
