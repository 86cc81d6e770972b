"""The reference systems A, B and C: one network each on FER2013, A also with its template."""

from __future__ import annotations

from typing import Any

from fer_core.data.policies import AugmentPolicy
from fer_core.runs.recipe import recipe

#: Ends the description of every recipe whose report trained on FER2013.
FER2013_NOTE = "Meant for FER2013: choose it in the Data tab first."

#: A and B: train.csv, 80/20, seed 42. A set with a test part of its own keeps that untouched.
_EIGHTY_TWENTY: dict[str, Any] = {
    "split": "own_validation",
    "validation_share": 0.2,
    "test_share": 0.0,
    "split_seed": 42,
}

TWO_PHASE = (
    recipe(
        "two_phase_template",
        "A · Two phases: the template network",
        "The small template network of the two-phase report, with its one-hot loss on "
        "probabilities: Adam 0.0002, batches of 32, 30 epochs on the unaltered images, as the "
        f"class-targeted report trained it (51.46 % there). {FER2013_NOTE}",
        system="A",
        **_EIGHTY_TWENTY,
        model="two_phase_template",
        loss="one_hot_nll",
        epochs=30,
        batch_size=32,
        optimizer="adam",
        learning_rate=2e-4,
    ),
    recipe(
        "two_phase",
        "A · Two phases",
        "Phase 1: oversampled to the largest class, ten times as many images made offline, "
        "duplicates dropped, 60 % kept, trimmed to the smallest class; Adam 0.01, batches of "
        "15,000, 20 epochs. Phase 2: the unaltered images, Adam 0.001, 40 epochs. Pixels are "
        "scaled one by one. The report's figure is 60.6 %. The report does not say phase 2's "
        "batch size; 512 is taken. A batch goes through the network in parts of 500, to fit into "
        "memory: the gradients are those of the whole batch, but batch normalisation sees a part. "
        f"{FER2013_NOTE}",
        system="A",
        **_EIGHTY_TWENTY,
        scaling="per_pixel",
        model="two_phase",
        loss="one_hot_nll",
        epochs=60,
        batch_size=512,
        chunk_size=500,
        optimizer="adam",
        learning_rate=1e-3,
        phases=(
            {
                "epochs": 20,
                "batch_size": 15_000,
                "learning_rate": 0.01,
                "preparation": ["oversample", "tenfold", "drop_duplicates", "keep 0.6", "trim"],
            },
            {"epochs": 40},
        ),
    ),
)

CLASS_TARGETED = (
    recipe(
        "class_targeted",
        "B · Class-targeted augmentation",
        "Mirrored and slightly turned copies of the disgust images alone, mirror images on the "
        "fly, a network that ends in tanh (option output: tanh, sigmoid or softmax). Adam 0.0002, "
        f"batches of 32, 30 epochs. The report's figure is 61.37 %. {FER2013_NOTE}",
        system="B",
        **_EIGHTY_TWENTY,
        model="class_targeted",
        preparation=("mirror disgust", "rotate 10 disgust"),
        augment=AugmentPolicy(flip_probability=0.5),
        epochs=30,
        batch_size=32,
        optimizer="adam",
        learning_rate=2e-4,
    ),
)

COMPETITION = (
    recipe(
        "competition_baseline",
        "C · Competition baseline",
        "The plain convolutional network of a FER2013 course competition: Adam 0.001, batches of "
        f"400, 10 epochs. The report's figure is 54.57 % on PublicTest. {FER2013_NOTE}",
        system="C",
        model="competition_baseline",
        epochs=10,
        batch_size=400,
        optimizer="adam",
        learning_rate=1e-3,
    ),
)
