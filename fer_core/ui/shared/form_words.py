"""The words of the training form: groups, labels, one-line explanations, names of choices."""

from __future__ import annotations

#: Group of the form → its fields in order. The first group is in sight, the rest is folded away.
GROUPS: dict[str, tuple[str, ...]] = {
    "Basic": ("model", "epochs", "batch_size", "learning_rate"),
    "Images": (
        "image_size",
        "channels",
        "scaling",
        "classes_left_out",
        "class_map",
        "drop_duplicates",
        "train_share",
        "preparation",
        "views",
        "views_share",
    ),
    "Model": ("model_options", "ema_decay", "start_from", "frozen_share"),
    "Optimiser": (
        "optimizer",
        "weight_decay",
        "momentum",
        "gradient_clip",
        "sharpness_radius",
    ),
    "Learning-rate schedule": ("schedule", "plateau_by", "plateau_factor", "plateau_patience"),
    "Loss and class balance": ("loss", "label_smoothing", "class_weights", "balanced_sampling"),
    "Mixed images and soft targets": (
        "mixup_alpha",
        "cutmix_alpha",
        "mix_probability",
        "votes_share",
        "votes_read",
    ),
    "Teachers": ("teachers", "teacher_share", "teacher_temperature", "teacher_sees"),
    "Best epoch and early stopping": (
        "choose_by",
        "early_stopping_by",
        "early_stopping_patience",
    ),
    "Budgets and phases": ("max_updates", "max_seconds", "phases"),
    "Machine and chance": (
        "device",
        "precision",
        "compiled",
        "seed",
        "deterministic",
        "chunk_size",
    ),
}

#: Field → (label, explanation).
LABELS: dict[str, tuple[str, str]] = {
    "model": (
        "Model",
        "The network that is trained. Clear the field and type to search; timm/… are timm's.",
    ),
    "epochs": ("Epochs", "Passes over all training images."),
    "batch_size": ("Batch size", "Images per step; less needs less memory."),
    "learning_rate": ("Learning rate", "Size of a step; with a schedule its peak."),
    "augment": ("Augmentation", "How each image is varied every time it is shown."),
    "image_size": ("Image size", "Side of the network's input in pixels."),
    "channels": ("Colour", "What the network sees; grey images are repeated for colour."),
    "scaling": ("Pixel scaling", "What pixel values become before the network sees them."),
    "classes_left_out": (
        "Expressions left out",
        "Their images are not used. Names with commas between, such as: disgust, fear.",
    ),
    "class_map": (
        "Rename or merge expressions",
        "One old=new per line, such as sad=neutral; old= with nothing behind leaves one out.",
    ),
    "train_share": (
        "Share of the training images",
        "Less is quicker; every expression keeps the same share.",
    ),
    "preparation": (
        "Offline preparation",
        "Steps with commas between, in order: oversample, tenfold, drop_duplicates, keep 0.6, "
        "trim, mirror disgust, rotate 10 disgust, ten_crop 44.",
    ),
    "drop_duplicates": (
        "Drop exact duplicates",
        "Of images that repeat pixel for pixel with the same label, keep the first.",
    ),
    "model_options": ("Model options", "One option=value per line; empty takes the model's own."),
    "ema_decay": (
        "Weight averaging",
        "Decay of the running average of the weights (EMA) that is scored; 0 turns it off.",
    ),
    "start_from": (
        "Start from a checkpoint",
        "Folder whose weights, expressions and pixel scaling the run begins with; empty for none.",
    ),
    "frozen_share": (
        "Frozen layers",
        "Share of the layers, from the input on, that keep their weights.",
    ),
    "plateau_by": ("Plateau watches", "The validation figure that must improve."),
    "plateau_factor": ("Plateau factor", "What the learning rate is multiplied by."),
    "plateau_patience": ("Plateau patience", "Epochs without a better figure before that."),
    "loss": ("Loss", "What training minimises."),
    "early_stopping_by": ("Early stopping watches", "The validation figure that must improve."),
    "max_updates": (
        "Most updates",
        "The run ends after this many steps of the optimiser; 0 for no limit.",
    ),
    "max_seconds": (
        "Most seconds",
        "The run ends after this much training, without validation and compiling; a one-cycle or "
        "cosine schedule is fitted to it, unless there are phases. 0 for no limit.",
    ),
    "phases": (
        "Phases",
        "Parts of the run, one JSON table per line with what differs in it, such as "
        '{"epochs": 20, "learning_rate": 0.01}.',
    ),
    "deterministic": (
        "Deterministic kernels",
        "On a GPU only kernels that repeat to the bit; slower.",
    ),
    "chunk_size": (
        "Images at once",
        "Larger batches go through the network in parts of this size, to save memory; 0 for "
        "whole batches.",
    ),
    "optimizer": ("Optimiser", "The rule that turns gradients into steps."),
    "schedule": ("Learning-rate schedule", "How the learning rate changes over the epochs."),
    "weight_decay": ("Weight decay", "Pulls weights towards zero; 0 turns it off."),
    "momentum": ("Momentum", "Only for SGD: how much of the last step is kept."),
    "gradient_clip": ("Gradient clipping", "Largest norm of the gradient; 0 turns it off."),
    "label_smoothing": (
        "Label smoothing",
        "Share of the target spread over all expressions; 0 turns it off.",
    ),
    "mixup_alpha": (
        "Mixup",
        "Two images blended, their targets with them; larger is nearer to half and half, 0 is off.",
    ),
    "cutmix_alpha": (
        "Cutmix",
        "A rectangle of one image put into another, their targets shared; 0 turns it off.",
    ),
    "mix_probability": ("Share of batches mixed", "Only with mixup or cutmix."),
    "votes_share": (
        "Share of the FER+ votes",
        "Share of the target that comes from the votes of ten taggers, the rest is the label; "
        "needs the votes beside the data. 0 turns it off.",
    ),
    "views": (
        "Other views of the images",
        "A file that python -m fer_core views wrote: each training face as it is found in made-up "
        "photographs. Empty for none.",
    ),
    "views_share": (
        "Share of other views",
        "How often such a view is shown instead of the image.",
    ),
    "votes_read": (
        "A FER+ vote counts for",
        "names: the expression that it names. labels: the labels that images with such votes have "
        "in the training set, since the two groups of people named faces differently.",
    ),
    "teachers": (
        "Teachers",
        "Folders of checkpoints whose answers the run learns as well, commas between; empty for "
        "none.",
    ),
    "teacher_share": ("Share of the teachers", "Share of the loss; only with teachers."),
    "teacher_temperature": (
        "Temperature of the teachers",
        "Higher shows more of what they think of the other expressions.",
    ),
    "teacher_sees": (
        "What the teachers see",
        "batch: each picture as it is augmented for the learner. original: each picture once, as "
        "the set has it, so that the learner has to say the same of a spoiled picture; costs no "
        "time.",
    ),
    "sharpness_radius": (
        "Sharpness-aware steps",
        "How far around the weights the loss should be low as well; each step takes twice as "
        "long. 0 turns it off, 0.05 is usual.",
    ),
    "compiled": (
        "Compile the network",
        "Takes a minute before the first step; worth it on a GPU.",
    ),
    "class_weights": ("Weight the loss by class", "Mistakes on rare expressions count more."),
    "balanced_sampling": (
        "Balanced sampling",
        "Every expression is drawn equally often; do not combine it with class weights.",
    ),
    "choose_by": ("Best epoch by", "The validation figure that picks the weights to keep."),
    "early_stopping_patience": (
        "Early stopping",
        "Stop after this many epochs without a better one; 0 turns it off.",
    ),
    "device": ("Device", "Automatic takes the GPU when there is one."),
    "precision": (
        "Precision",
        "Automatic takes bfloat16 on a GPU and float32 on a CPU; a CPU with instructions for "
        "bfloat16 trains up to twice as fast with it.",
    ),
    "seed": ("Seed", "The same seed gives the same run on the same machine."),
}

#: Value of a choice → what the page calls it; others are shown as they are.
VALUE_WORDS: dict[object, str] = {
    1: "grey",
    3: "colour",
    "minus_one_to_one": "−1 to 1",
    "imagenet": "ImageNet mean and deviation",
    "dataset": "the data set's own mean and deviation",
    "zero_to_one": "0 to 1",
    "per_pixel": "each pixel's own mean and deviation",
    "cross_entropy": "cross-entropy",
    "one_hot_nll": "one-hot log likelihood on probabilities",
    "choose_by": "the same figure as the best epoch",
    "adamax": "Adamax",
    "adagrad": "Adagrad",
    "asgd": "averaged SGD",
    "rmsprop": "RMSprop",
    "rprop": "Rprop",
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "constant": "constant",
    "one_cycle": "one cycle: up, then down",
    "cosine": "cosine: slowly down",
    "plateau": "plateau: down when validation stops improving",
    "validation_accuracy": "validation accuracy",
    "validation_macro_f1": "validation macro F1",
    "validation_loss": "validation loss",
    "auto": "automatic",
    "cpu": "CPU",
    "cuda": "GPU (CUDA)",
}
