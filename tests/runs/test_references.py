"""The reference systems as recipes: their row counts, their settings, how they are named."""

import numpy as np
import pytest

from fer_core.data.faces import Faces
from fer_core.data.split import split_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.runs.config import ConfigError
from fer_core.runs.recipes import RECIPES
from fer_core.runs.references import REFERENCES, find_references
from fer_core.training.dataset import RunData, prepare_part, split_plan, without_duplicates

#: FER2013's training part and the whole set, per class; the repeats of a full row among the whole.
_TRAINING = (3995, 436, 4097, 7215, 4830, 3171, 4965)
_WHOLE = (4953, 547, 5121, 8989, 6077, 4002, 6198)
_REPEATS = (153, 56, 196, 130, 100, 506, 93)


def _faces(counts: tuple[int, ...], repeats: tuple[int, ...] = (0,) * 7) -> Faces:
    """2×2 images that are all different, but for `repeats` of each class; no split of their own."""
    labels = np.repeat(np.arange(7), counts)
    numbers = np.arange(len(labels), dtype=np.uint32)
    for label, count in enumerate(repeats):
        members = np.flatnonzero(labels == label)
        if count:
            numbers[members[-count:]] = numbers[members[:count]]
    images = numbers.view(np.uint8).reshape(-1, 2, 2, 1)
    ids = np.array([str(row) for row in range(len(labels))])
    return Faces(images, labels, ids, FER2013_CLASSES)


def _sizes(recipe: str, faces: Faces) -> tuple[int, ...]:
    config = RECIPES[recipe].config
    if config.drop_duplicates:
        faces = without_duplicates(faces)
    return tuple(len(part) for part in split_faces(faces, split_plan(config)).parts().values())


def test_the_row_counts_of_the_splits_are_the_reports() -> None:
    training, whole = _faces(_TRAINING), _faces(_WHOLE, _REPEATS)
    assert len(whole) == 35_887
    assert int((without_duplicates(whole).labels >= 0).sum()) == 34_653
    for recipe in ("two_phase_template", "two_phase", "class_targeted"):
        assert _sizes(recipe, training) == (22_967, 5_742, 0)
    for recipe in ("svm_rbf", "pca_svm", "mlp", "custom_cnn"):
        assert _sizes(recipe, whole) == (24_949, 2_773, 6_931)
    for recipe in ("vgg19_frozen", "vgg19_full"):
        assert _sizes(recipe, whole) == (31_187, 3_466, 0)


def test_a_test_part_of_the_source_stays_untouched_by_a_recipe_with_its_own_validation() -> None:
    whole = _faces(_WHOLE)
    usage = np.array(["train"] * 28_709 + ["validation"] * 3_589 + ["test"] * 3_589)
    order = np.random.default_rng(0).permutation(len(whole))
    faces = Faces(
        whole.images[order], whole.labels[order], whole.ids, FER2013_CLASSES, source_split=usage
    )
    split = split_faces(faces, split_plan(RECIPES["two_phase"].config))
    assert [len(part) for part in split.parts().values()] == [22_967, 5_742, 3_589]
    assert split.test.min() == 28_709 + 3_589
    assert split.validation.max() < 28_709  # cut from the source's training images


def test_the_six_class_split_is_the_reports() -> None:
    counts = (214, 199, 163, 230, 168, 224, 0)
    assert _sizes("six_class", _faces(counts)) == (838, 180, 180)


def test_the_preparations_make_the_reports_row_counts() -> None:
    faces = _faces(_TRAINING)
    for recipe, rows in (
        ("class_targeted", {"mirror disgust": 23_316, "rotate 10 disgust": 24_014}),
        ("two_phase", {"oversample": 40_404, "tenfold": 404_040}),
    ):
        config = RECIPES[recipe].config
        phase = config.phase_configs()[0]
        data = RunData(faces, split_faces(faces, split_plan(config)), None)
        found = dict(prepare_part(phase, data)[2])
        assert rows.items() <= found.items()
    labels = prepare_part(phase, data)[1]
    assert len(set(np.bincount(labels))) == 1  # trimmed to the smallest class


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("whole", [True, False])
def test_every_reference_is_a_run_that_can_be_made(name: str, whole: bool) -> None:
    reference = REFERENCES[name]
    config = reference.config("fer2013.csv", whole)
    assert config.recipe == reference.recipe
    assert RECIPES[reference.recipe].system == reference.system
    assert config.data == ("drawn:six" if reference.system == "E" else "fer2013.csv")
    if whole:
        assert config.train_share == 1.0
        assert config.model_options.get("pretrained", True)


def test_references_are_found_by_name_in_the_order_of_the_table() -> None:
    assert [item.name for item in find_references(["mlp", "two_phase"])] == ["two_phase", "mlp"]
    assert len(find_references([])) == len(REFERENCES)
    with pytest.raises(ConfigError, match=r"unknown reference \['vgg'\]; known: two_phase_templ"):
        find_references(["vgg"])
