"""card.md: what a model is, how it was made, what it scores and what it must not be used for."""

from __future__ import annotations

from typing import Any

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.inherited import inherited_words
from fer_core.runs.record import write_text
from fer_core.runs.record_fields import SCORED, missing_field

#: What a record must hold to become a card.
CARD_FIELDS = (
    *("name", "command", "epochs_run", "best_epoch", "seconds", "device", "machine", "versions"),
    *("model.name", "model.parameters", "model.gflops"),
    *("data.name", "data.fingerprint", "data.counts", "data.class_names"),
    *(
        f"{part}.{name}"
        for part in SCORED
        for name in ("accuracy", "interval", "macro_f1", "weighted_f1", "n")
    ),
)
#: What a card says before its note.
_LAST_WORDS = "classes that are rare in training are recognised less often, as the table shows."


def card_note(folder: RunFolder) -> str:
    """The Markdown that was added at the end of the card, "" where there is none."""
    text = folder.card.read_text(encoding="utf-8") if folder.card.is_file() else ""
    return text.partition(_LAST_WORDS)[2].strip()


def write_card(
    folder: RunFolder, config: RunConfig, record: dict[str, Any], note: str = ""
) -> None:
    """Write the card; every figure in it is the record's. note: Markdown added at its end."""
    model, data = record["model"], record["data"]
    parts = {
        part: sum(counts.values())
        for part, counts in data["counts"].items()
        if sum(counts.values())
    }
    lines = [
        f"# {record['name']}",
        "",
        f"A facial-expression classifier: {model['name']}, {model['parameters']:,} parameters, "
        f"{model['gflops']:.4f} GFLOPs for one face (a multiply-add counts as two)"
        + (", its weights kept in half precision." if model.get("half_precision") else "."),
        *_memory(model),
        "",
        "## Data",
        f"{data['name']}, fingerprint `{data['fingerprint']}`: "
        + ", ".join(f"{count:,} {part}" for part, count in parts.items())
        + f" images{_views(data)}. Labels: {', '.join(data['class_names'])}.",
        "",
        "## Figures",
        "| split | accuracy | 95 % interval | macro F1 | weighted F1 | images |",
        "|---|---|---|---|---|---|",
        *_rows(record),
        "",
        *([f"**Not to be compared:** {told}", ""] if (told := inherited_words(data)) else []),
        *_calibration(record),
        *_per_class(record),
        "## How it was made",
        "```",
        record["command"],
        "```",
        f"Seed {config.seed}, {record['epochs_run']} epochs, best by {config.choose_by} in epoch "
        f"{record['best_epoch']}, {record['seconds']:,.0f} s with validation on {record['device']} "
        f"({record['machine']}). Code: commit {record.get('commit') or 'unknown'}. "
        + ", ".join(f"{name} {number}" for name, number in record["versions"].items())
        + ". The best epoch was chosen on the validation split; the test split chose nothing.",
        "",
        "## Limits",
        "The model says which label a face picture resembles, as the people who labelled its "
        "training images saw it. It does not know what a person feels, and must not be used to "
        "judge people. It was trained on cropped faces of one set and is less accurate on others; "
        f"{_LAST_WORDS}",
        "",
        *([note.strip(), ""] if note.strip() else []),
    ]
    write_text(folder.card, "\n".join(lines))


def _views(data: dict[str, Any]) -> str:
    """What it learned from beside the images themselves (`RunConfig.views`)."""
    if not (views := data.get("views")):
        return ""
    return (
        f"; of the train images {views['count']:,} other views, fingerprint "
        f"`{views['fingerprint']}`"
    )


def _from(memory: dict[str, Any]) -> str:
    """What was remembered beside the faces themselves."""
    views = memory.get("views", 0)  # records of before there were any have no number
    return f", made of it and of {views:,} other views of these faces" if views else ""


def _memory(model: dict[str, Any]) -> list[str]:
    """What part of the answers is looked up, and what the network does without."""
    memory = model.get("memory")
    wanted = ("least", "most", "faces", "alike", "codes", "without")
    if not memory or missing_field(memory, wanted):  # or of an older kind, which cannot be used
        return []
    alone = ", ".join(
        f"{scores.get('accuracy', float('nan')):.2%} on {part}"
        for part, scores in memory["without"].items()
    )
    return [
        "",
        f"**It has a memory.** {memory['least']:.0%} to {memory['most']:.0%} of an answer are the "
        f"labels of those of its {memory['faces']:,} training faces whose features are most like "
        f"the face's, the more the more alike the nearest is (half-way at a cosine of "
        f"{memory['alike']:g}). It keeps {memory['codes']} bytes of each{_from(memory)}, no "
        f"picture. These are among its parameters. By itself the network has {alone}. A "
        "memory helps most with "
        "photographs that training holds too, in another crop or quality (`python -m fer_core "
        "near-twins` tells these apart), so the figures below say less about new photographs than "
        "those of a network without one.",
    ]


def _rows(record: dict[str, Any]) -> list[str]:
    named = (
        ("validation", "validation"),
        ("test", "test"),
        ("test_without_twins", "test, without images that have a pixel-identical twin in training"),
        ("test_mirrored", "test, mean over each image and its mirror image"),
        ("test_mirrored_without_twins", "the same without twins"),
    )
    rows = []
    for key, title in named:
        scores = record.get(key)
        if scores:
            low, high = scores["interval"]
            rows.append(
                f"| {title} | {scores['accuracy']:.2%} | {low:.2%} to {high:.2%} | "
                f"{scores['macro_f1']:.4f} | {scores['weighted_f1']:.4f} | {scores['n']:,} |"
            )
    return rows


def _calibration(record: dict[str, Any]) -> list[str]:
    """One sentence on how far the probabilities can be taken at their word."""
    fitted, scores = record.get("calibration"), record.get("test") or record.get("validation")
    if not fitted or not scores or "calibration_error" not in scores:
        return []
    part = "test" if record.get("test") else "validation"
    before = fitted["error_before"].get(part, float("nan"))
    return [
        f"Calibration: the expected calibration error on {part} is "
        f"{scores['calibration_error']:.1%} (15 bins) at temperature {fitted['temperature']:g}, "
        f"fitted on the validation split; {before:.1%} without it.",
        "",
    ]


def _per_class(record: dict[str, Any]) -> list[str]:
    if not (record.get("test") or {}).get("per_class"):
        return []
    rows = [
        f"| {row['class']} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | "
        f"{row['support']:,} |"
        for row in record["test"]["per_class"]
    ]
    head = ["| test, per class | precision | recall | F1 | images |", "|---|---|---|---|---|"]
    return [*head, *rows, ""]
