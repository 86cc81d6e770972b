"""The published figures of the five reference systems, and how a run of ours is set beside each.

Figures are those of the reports; nothing here was measured by this project.
"""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.recipes import find_recipe


@dataclass(frozen=True)
class Reference:
    """One published figure and the run that repeats it.

    published: a fraction, of `metric` ("accuracy", "macro_f1"). part: the split on which the report
    measured; "validation" where it chose the epoch on the images that it scored. settings: changes
    of the recipe that belong to the row. small: further changes that make it fit a machine without
    a GPU, with `small_note` saying what they cost. note: what else a reader must know; drawn_note:
    besides, of a run on drawn faces. scored: how many images the report scored on, by which other
    data is told; 0 where it is not known.
    """

    name: str
    system: str
    what: str
    recipe: str
    published: float
    metric: str = "accuracy"
    part: str = "test"
    settings: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    small_note: str = ""
    note: str = ""
    drawn_note: str = ""
    scored: int = 0

    def config(self, data: str, whole: bool) -> RunConfig:
        """The run of this row; data is what FER2013 is read from, drawn sets stay their own."""
        config = find_recipe(self.recipe).config
        changes = list(self.settings)
        if not config.data.startswith("drawn:"):
            changes.append(f"data={data}")
        return config.with_settings([*changes, *(() if whole else self.small)])


_WITHOUT_IMAGENET = "part of the images, one epoch, without ImageNet weights"
_DRAWN = "measured on drawn faces of the same class sizes; the report had photographs"
_CHANCE = "so few epochs may end before the network beats chance; when it does depends on the seed"
_SMALLER = "pictures of 96 pixels instead of 224"

_ALL = (
    Reference(
        "two_phase_template",
        "A",
        "template network",
        "two_phase_template",
        0.5146,
        part="validation",
        note="the figure is the one that report B measured for it",
        scored=5_742,
    ),
    Reference("two_phase", "A", "two phases", "two_phase", 0.606, part="validation", scored=5_742),
    Reference(
        "class_targeted",
        "B",
        "class-targeted augmentation",
        "class_targeted",
        0.6137,
        part="validation",
        note="the report's figure is the best of many trials; the next two rows are two of them",
        scored=5_742,
    ),
    Reference(
        "class_targeted_seed_1",
        "B",
        "the same with another seed",
        "class_targeted",
        0.6137,
        part="validation",
        settings=("seed=1",),
        scored=5_742,
    ),
    Reference(
        "class_targeted_rate",
        "B",
        "the same at a rate of 0.0005",
        "class_targeted",
        0.6137,
        part="validation",
        settings=("learning_rate=0.0005",),
        note="one of the rates of the report's sweep",
        scored=5_742,
    ),
    Reference(
        "competition_baseline",
        "C",
        "competition baseline",
        "competition_baseline",
        0.5457,
        part="validation",
        small=("epochs=3",),
        small_note="3 of 10 epochs",
        scored=3_589,
    ),
    Reference(
        "svm_rbf",
        "D",
        "SVM on pixels",
        "svm_rbf",
        0.4276,
        settings=("model_options.gram=yes",),
        note="the recipe's machine, fitted sooner from a kernel matrix made by multiplication",
        scored=6_931,
    ),
    Reference(
        "pca_svm",
        "D",
        "SVM after PCA",
        "pca_svm",
        0.4276,
        note="this project's own, beside the SVM's figure",
        scored=6_931,
    ),
    Reference("mlp", "D", "MLP", "mlp", 0.3282, scored=6_931),
    Reference("custom_cnn", "D", "custom CNN", "custom_cnn", 0.3241, scored=6_931),
    Reference(
        "vgg19_frozen",
        "D",
        "VGG19, frozen",
        "vgg19_frozen",
        0.3904,
        part="validation",
        small=("epochs=1", "train_share=0.1", "model_options.pretrained=no"),
        small_note=_WITHOUT_IMAGENET,
        scored=3_466,
    ),
    Reference(
        "vgg19_full",
        "D",
        "VGG19, trained whole",
        "vgg19_full",
        0.6639,
        part="validation",
        small=("epochs=1", "train_share=0.1", "model_options.pretrained=no"),
        small_note=_WITHOUT_IMAGENET,
        scored=3_466,
    ),
    Reference(
        "six_class",
        "E",
        "six classes in colour, 25 epochs",
        "six_class",
        0.229,
        metric="macro_f1",
        small=("image_size=96",),
        small_note=_SMALLER,
        note=_CHANCE,
        drawn_note=_DRAWN,
        scored=180,
    ),
    Reference(
        "six_class_plain",
        "E",
        "the same for 20 epochs",
        "six_class",
        0.265,
        metric="macro_f1",
        settings=("epochs=20",),
        small=("image_size=96",),
        small_note=_SMALLER,
        note=f"the first 20 epochs of the row above; {_CHANCE}",
        drawn_note=_DRAWN,
        scored=180,
    ),
    Reference(
        "six_class_augmented",
        "E",
        "20 epochs, varied on the fly",
        "six_class_augmented",
        0.280,
        metric="macro_f1",
        small=("image_size=96",),
        small_note=_SMALLER,
        note=_CHANCE,
        drawn_note=_DRAWN,
        scored=180,
    ),
)

REFERENCES: dict[str, Reference] = {reference.name: reference for reference in _ALL}


def find_references(names: list[str]) -> list[Reference]:
    """Those of the names, in the table's order; all of them for an empty list."""
    unknown = [name for name in names if name not in REFERENCES]
    if unknown:
        raise ConfigError(f"unknown reference {unknown}; known: {', '.join(REFERENCES)}")
    return [reference for name, reference in REFERENCES.items() if not names or name in names]
