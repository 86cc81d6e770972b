"""What a `RunConfig` may hold: the choices and the bounds of its fields.

The form, the command line and the errors read them here.
"""

from __future__ import annotations

_VALIDATION_SCORES = ("validation_accuracy", "validation_macro_f1", "validation_loss")

#: The allowed values of every field that is a choice.
CHOICES: dict[str, tuple[str, ...]] = {
    "split": ("source", "own_validation", "stratified"),
    "scaling": ("minus_one_to_one", "zero_to_one", "imagenet", "dataset", "per_pixel"),
    "optimizer": (
        "sgd",
        "adam",
        "adamw",
        "adamax",
        "adagrad",
        "asgd",
        "rmsprop",
        "rprop",
    ),
    "schedule": ("constant", "one_cycle", "cosine", "plateau"),
    "plateau_by": _VALIDATION_SCORES,
    "loss": ("cross_entropy", "one_hot_nll"),
    "choose_by": _VALIDATION_SCORES,
    "early_stopping_by": ("choose_by", *_VALIDATION_SCORES),
    "votes_read": ("names", "labels"),
    "teacher_sees": ("batch", "original"),
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "float32", "bfloat16"),
}

#: (lowest, highest) of every number.
BOUNDS: dict[str, tuple[float, float]] = {
    "image_size": (16, 512),
    "validation_share": (0.01, 0.8),
    "test_share": (0.0, 0.8),
    "split_seed": (0, 2**31 - 1),
    "train_share": (0.001, 1.0),
    "frozen_share": (0.0, 0.95),
    "epochs": (1, 10_000),
    "batch_size": (2, 65_536),
    "chunk_size": (0, 65_536),
    "learning_rate": (1e-8, 10.0),
    "weight_decay": (0.0, 1.0),
    "momentum": (0.0, 0.999),
    "plateau_factor": (0.01, 0.99),
    "plateau_patience": (0, 10_000),
    "label_smoothing": (0.0, 0.5),
    "gradient_clip": (0.0, 1000.0),
    "ema_decay": (0.0, 0.99999),
    "mixup_alpha": (0.0, 100.0),
    "cutmix_alpha": (0.0, 100.0),
    "mix_probability": (0.0, 1.0),
    "views_share": (0.0, 1.0),
    "votes_share": (0.0, 1.0),
    "teacher_share": (0.0, 1.0),
    "teacher_temperature": (0.1, 100.0),
    "sharpness_radius": (0.0, 10.0),
    "early_stopping_patience": (0, 10_000),
    "max_updates": (0, 100_000_000),
    "max_seconds": (0.0, 10_000_000.0),
    "seed": (0, 2**31 - 1),
}

#: What a phase of a run may change.
PHASE_FIELDS = (
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "weight_decay",
    "momentum",
    "schedule",
    "plateau_factor",
    "plateau_patience",
    "plateau_by",
    "loss",
    "label_smoothing",
    "class_weights",
    "balanced_sampling",
    "gradient_clip",
    "augment",
    "preparation",
)
