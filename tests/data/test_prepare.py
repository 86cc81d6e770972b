"""Offline preparations: row counts, where rows come from, the same seed, refusals in words."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.faces import DataError, Faces
from fer_core.data.offline_copies import ten_crops, tenfold
from fer_core.data.prepare import STEPS, Prepared, check_steps, prepare_training
from fer_core.data.split import SplitPlan, split_faces

NAMES = ("angry", "disgust", "happy")
COUNTS = (5, 2, 9)


@pytest.fixture
def part() -> tuple[np.ndarray, np.ndarray]:
    """Sixteen different images of 12 pixels, unequal classes in turn."""
    labels = np.repeat(np.arange(3), COUNTS)
    random = np.random.default_rng(3)
    return random.integers(0, 256, (16, 12, 12, 1), dtype=np.uint8), random.permutation(labels)


def prepared(part: tuple[np.ndarray, np.ndarray], *steps: str, seed: int = 0) -> Prepared:
    return prepare_training(*part, NAMES, steps, seed)


def test_no_step_leaves_the_images_alone(part: tuple[np.ndarray, np.ndarray]) -> None:
    result = prepared(part)
    assert np.array_equal(result.images, part[0])
    assert np.array_equal(result.labels, part[1])
    assert result.origins.tolist() == list(range(16))
    assert result.rows == ()


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        (["oversample"], [9, 9, 9]),
        (["tenfold"], [50, 20, 90]),
        (["mirror disgust"], [5, 4, 9]),
        (["mirror disgust", "rotate 10 disgust"], [5, 8, 9]),
        (["mirror Anger disgusted"], [10, 4, 9]),
        (["mirror"], [10, 4, 18]),
        (["rotate 15 happy"], [5, 2, 18]),
        (["ten_crop 10 disgust"], [5, 22, 9]),
        (["keep 0.6"], [3, 1, 5]),
        (["trim"], [2, 2, 2]),
        (["mirror happy", "drop_duplicates"], [5, 2, 18]),
        (["oversample", "drop_duplicates"], [5, 2, 9]),
        (["oversample", "tenfold", "drop_duplicates", "keep 0.5", "trim"], None),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "equal",
)
def test_rows_per_class(
    part: tuple[np.ndarray, np.ndarray], steps: list[str], counts: list[int] | None
) -> None:
    result = prepared(part, *steps)
    found = np.bincount(result.labels, minlength=3).tolist()
    assert found == (counts or [found[0]] * 3)
    assert len(result.images) == len(result.labels) == len(result.origins) == result.rows[-1][1]
    assert [text for text, _ in result.rows] == steps
    assert result.images.dtype == np.uint8
    assert np.array_equal(result.labels, part[1][result.origins]), "a row has its origin's label"


def test_selected_rows_are_the_images_they_come_from(part: tuple[np.ndarray, np.ndarray]) -> None:
    result = prepared(part, "oversample", "keep 0.7", "trim")
    assert np.array_equal(result.images, part[0][result.origins])


def test_oversampling_keeps_every_image_and_shuffles(part: tuple[np.ndarray, np.ndarray]) -> None:
    result = prepared(part, "oversample")
    assert set(result.origins.tolist()) == set(range(16))
    assert result.labels.tolist() != sorted(result.labels.tolist())


def test_twins_with_different_labels_are_both_kept(part: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = part[0].copy(), np.zeros(16, dtype=np.int64)
    images[1:4] = images[0]
    labels[3] = 1
    result = prepared((images, labels), "drop_duplicates")
    assert result.origins.tolist() == [0, 3, *range(4, 16)]


def test_the_same_seed_gives_the_same_rows_and_another_does_not(
    part: tuple[np.ndarray, np.ndarray],
) -> None:
    steps = ("oversample", "tenfold", "rotate 20", "keep 0.5")
    first, again, other = (prepared(part, *steps, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.origins, again.origins)
    assert not np.array_equal(first.images, other.images)


def test_a_step_draws_from_its_own_place_alone(part: tuple[np.ndarray, np.ndarray]) -> None:
    """Adding a step at the end changes nothing before it."""
    short, long = prepared(part, "rotate 20"), prepared(part, "rotate 20", "mirror")
    assert np.array_equal(short.images, long.images[: len(short.images)])


def test_mirrored_and_turned_copies_follow_the_images(
    part: tuple[np.ndarray, np.ndarray],
) -> None:
    result = prepared(part, "mirror disgust")
    disgust = np.flatnonzero(part[1] == 1)
    assert np.array_equal(result.images[16:], part[0][disgust][:, :, ::-1])
    assert result.origins[16:].tolist() == disgust.tolist()


def test_tenfold_holds_the_original_and_one_of_each_change() -> None:
    random = np.random.default_rng(0)
    images = random.integers(80, 170, (40, 16, 16, 1), dtype=np.uint8)
    ten = tenfold(images, random).astype(int)  # (40, 10, 16, 16, 1)
    original, mirrored, turned, bright, contrast, noise, shifted = np.moveaxis(ten[:, :7], 1, 0)
    assert np.array_equal(original, images)
    assert np.array_equal(mirrored, images[:, :, ::-1])
    turns = [np.rot90(images, quarter, axes=(1, 2)) for quarter in (1, 2, 3)]
    fits = np.stack([(turned == turn).all(axis=(1, 2, 3)) for turn in turns])  # (3, 40)
    assert fits.any(axis=0).all()
    assert fits.any(axis=1).all(), "all three angles occur"
    offset = bright - original
    assert np.ptp(offset, axis=(1, 2, 3)).max() <= 1, "brightness moves all pixels alike"
    assert np.abs(offset).max() > 20
    assert contrast.std(axis=(1, 2, 3)).max() > 1.1 * original.std(axis=(1, 2, 3)).max()
    assert 1 < (noise - original).std() < 26
    assert np.abs(shifted - original).mean() > 5
    later = ten[:, 7:].reshape(120, -1)
    seven = np.repeat(ten[:, :7].reshape(40, 7, -1), 3, axis=0)  # (120, 7, pixels)
    same = (later[:, None] == seven).all(axis=2).any(axis=1)
    assert same.mean() < 0.35, "most of the three further variants are new pictures"


def test_ten_crops_are_corners_and_centre_and_their_mirror_images() -> None:
    image = np.zeros((1, 12, 12, 3), dtype=np.uint8)
    image[0, 0, 0] = 255  # seen only by the crop at the top left
    crops = ten_crops(image, 10).astype(int)
    assert crops.shape == (10, 12, 12, 3)
    assert np.array_equal(crops[5:], crops[:5, :, ::-1])
    assert crops.reshape(10, -1).any(axis=1).tolist() == [True, *[False] * 4, True, *[False] * 4]


def test_progress_ends_at_all(part: tuple[np.ndarray, np.ndarray]) -> None:
    seen: list[tuple[int, int]] = []
    prepare_training(
        *part, NAMES, ["tenfold", "trim"], 0, lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (200, 200)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_steps_are_tidied_and_every_kind_can_be_written() -> None:
    written = ["oversample", " tenfold ", "drop_duplicates", "keep  0.6", "trim", "mirror disgust",
               "rotate 10 disgust fear", "ten_crop 44"]  # fmt: skip
    checked = check_steps(written)
    assert checked[3] == "keep 0.6"
    assert {text.split()[0] for text in checked} == set(STEPS)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("sparkle", "unknown preparation 'sparkle'; choose from oversample, tenfold"),
        ("", "unknown preparation ''"),
        ("keep", "keep takes a number of 0.001 to 1, got 'keep'; try 'keep 0.6'"),
        ("keep 60", "got 'keep 60'"),
        ("keep nan", "got 'keep nan'"),
        ("rotate disgust", "rotate takes a number of 0.1 to 180"),
        ("ten_crop 44.5", "ten_crop takes a whole number"),
        ("ten_crop inf", "ten_crop takes a whole number"),
        ("trim disgust", "trim takes nothing after it, got 'trim disgust'; leave 'disgust' out"),
        ("keep 0.6 disgust", "keep takes nothing after it"),
    ],
)
def test_a_step_that_cannot_be_is_refused_in_words(step: str, message: str) -> None:
    with pytest.raises(DataError) as refusal:
        check_steps(["trim", step])
    assert message in str(refusal.value)


def test_steps_in_one_text_are_refused() -> None:
    with pytest.raises(DataError, match="must be a list of steps"):
        check_steps("trim")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("mirror bored", "the class 'bored', which the set does not have; it has angry, disgust"),
        ("ten_crop 12", "must be smaller than the images (12 x 12), got 12; try 11"),
    ],
)
def test_a_step_that_the_set_does_not_allow_is_refused(
    part: tuple[np.ndarray, np.ndarray], step: str, message: str
) -> None:
    with pytest.raises(DataError) as refusal:
        prepared(part, step)
    assert message in str(refusal.value)


def test_quarter_turns_need_squares_and_something_to_prepare() -> None:
    with pytest.raises(DataError, match="must be square, got 12 x 8"):
        prepare_training(np.zeros((2, 8, 12, 1), np.uint8), np.array([0, 1]), NAMES, ["tenfold"], 0)
    with pytest.raises(DataError, match="no training image"):
        prepare_training(np.zeros((0, 8, 8, 1), np.uint8), np.array([]), NAMES, ["trim"], 0)


def test_a_class_without_images_stays_without(part: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = part[0][part[1] != 1], part[1][part[1] != 1]
    result = prepared((images, labels), "oversample", "mirror disgust", "trim")
    assert np.bincount(result.labels, minlength=3).tolist() == [9, 0, 9]


def test_the_row_counts_of_reports_a_and_b(fer2013: Faces) -> None:
    faces = fer2013.subset(np.flatnonzero(fer2013.source_split == "train"))
    train = split_faces(faces, SplitPlan("stratified", 0.0, 0.2, seed=42)).train
    images, labels = faces.images[train], faces.labels[train]
    assert len(train) == 22_967
    targeted = prepare_training(
        images, labels, faces.class_names, ["mirror disgust", "rotate 10 disgust"], 42
    )
    assert [rows for _, rows in targeted.rows] == [23_316, 24_014]
    balanced = prepare_training(images, labels, faces.class_names, ["oversample"], 42)
    assert np.bincount(balanced.labels).tolist() == [5_772] * 7
    assert len(balanced.images) == 40_404


@pytest.mark.slow
def test_the_whole_preparation_of_report_a(fer2013: Faces) -> None:
    faces = fer2013.subset(np.flatnonzero(fer2013.source_split == "train"))
    train = split_faces(faces, SplitPlan("stratified", 0.0, 0.2, seed=42)).train
    steps = ["oversample", "tenfold", "drop_duplicates", "keep 0.6", "trim"]
    result = prepare_training(
        faces.images[train], faces.labels[train], faces.class_names, steps, 42
    )
    assert [rows for _, rows in result.rows[:2]] == [40_404, 404_040]
    counts = np.bincount(result.labels)
    assert len(set(counts.tolist())) == 1
    assert abs(int(counts[0]) - 23_311) < 400, "the report has 23,311 of each class"
