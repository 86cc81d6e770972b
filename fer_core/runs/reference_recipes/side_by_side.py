"""The reference system D: five approaches to FER2013, side by side."""

from __future__ import annotations

from typing import Any

from fer_core.data.policies import AugmentPolicy
from fer_core.runs.recipe import recipe
from fer_core.runs.reference_recipes.fer2013 import FER2013_NOTE

#: D: without full-row duplicates, 80/20 and then 90/10 of the training part, seed 111.
_FIVE_APPROACHES: dict[str, Any] = {
    "split": "stratified",
    "drop_duplicates": True,
    "test_share": 0.2,
    "validation_share": 0.1,
    "split_seed": 111,
}
#: D, the VGG rows: 90/10. The report chose and scored on the same tenth.
_NINETY_TEN = {**_FIVE_APPROACHES, "test_share": 0.0}
_ON_THE_FLY = AugmentPolicy(
    flip_probability=0.5,
    rotation_degrees=15,
    shift_fraction=0.15,
    shear_degrees=8.5,  # a shear factor of 0.15
    zoom_fraction=0.15,
)
#: D's callbacks: best weights, early stopping on the loss, a lower rate on a plateau.
_TRAINING: dict[str, Any] = {
    "epochs": 50,
    "batch_size": 32,
    "optimizer": "adam",
    "choose_by": "validation_loss",
    "early_stopping_patience": 7,
    "early_stopping_by": "validation_loss",
    "schedule": "plateau",
}

SIDE_BY_SIDE = (
    recipe(
        "svm_rbf",
        "D · Support vector machine",
        "scikit-learn's SVC with an RBF kernel and C 1 on all 2,304 pixels, scaled to 0-1. One "
        "fit without epochs, so there is no live curve and a stop loses it. "
        f"The report's figure is 42.76 %. {FER2013_NOTE}",
        system="D",
        **_FIVE_APPROACHES,
        scaling="zero_to_one",
        model="svm",
        epochs=1,
    ),
    recipe(
        "pca_svm",
        "D · Support vector machine after PCA",
        "Such a machine, with C 3, on the first 60 principal components of the pixels: far fewer "
        f"numbers to compare, and no lower accuracy on FER2013. {FER2013_NOTE}",
        system="D",
        **_FIVE_APPROACHES,
        scaling="zero_to_one",
        model="svm",
        model_options={"components": 60, "whiten": False, "C": 3.0, "gram": True},
        epochs=1,
    ),
    recipe(
        "mlp",
        "D · Multilayer perceptron",
        "Fully connected, 2304-512-256-128-64-16-7 with dropout. Adam, batches of 8, at most 50 "
        "epochs with early stopping and a lower rate on a plateau. The report's figure is 32.82 "
        f"%; the rate, which it does not say, is Adam's usual 0.001. {FER2013_NOTE}",
        system="D",
        **_FIVE_APPROACHES,
        **{**_TRAINING, "batch_size": 8},
        scaling="zero_to_one",
        model="mlp",
        learning_rate=1e-3,
    ),
    recipe(
        "custom_cnn",
        "D · Custom network",
        "Three convolutions without activations, three fully connected layers, faces repeated to "
        "three channels, varied on the fly. Adam 0.001, batches of 32, at most 50 epochs with "
        f"early stopping. The report's figure is 32.41 %. {FER2013_NOTE}",
        system="D",
        **_FIVE_APPROACHES,
        **_TRAINING,
        scaling="zero_to_one",
        channels=3,
        model="custom_cnn",
        augment=_ON_THE_FLY,
        learning_rate=1e-3,
    ),
    recipe(
        "vgg19_frozen",
        "D · VGG19, frozen",
        "ImageNet's VGG19 up to its last convolution, frozen, and a small classifier on it. "
        "Fetches the ImageNet weights at the first start. The report's figure is 39.04 %. "
        f"{FER2013_NOTE}",
        system="D",
        **_NINETY_TEN,
        **_TRAINING,
        scaling="imagenet",
        channels=3,
        model="vgg19_frozen",
        augment=_ON_THE_FLY,
        learning_rate=1e-4,
    ),
    recipe(
        "vgg19_full",
        "D · VGG19, trained whole",
        "ImageNet's VGG19 with every layer trained, Adam 0.0001, batches of 32, at most 50 epochs, "
        "early stopping after 11 without a better accuracy. Fetches the ImageNet weights at the "
        f"first start. The report's figure is 66.39 %. Wants a GPU. {FER2013_NOTE}",
        system="D",
        **_NINETY_TEN,
        **{
            **_TRAINING,
            "choose_by": "validation_accuracy",
            "early_stopping_patience": 11,
            "early_stopping_by": "validation_accuracy",
        },
        scaling="imagenet",
        channels=3,
        model="vgg19_full",
        augment=_ON_THE_FLY,
        learning_rate=1e-4,
    ),
)
