"""One change at a time: finished runs beside the one that they differ from, on the validation part.

The test part takes no part in it, so that what is chosen by such a table is not chosen on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_core.comparison.marks import marks, put_marked
from fer_core.comparison.pairs import PairError, read_pair
from fer_core.comparison.significance import LEVEL, mcnemar
from fer_core.comparison.sweeps.document import TableDocument, to_markdown
from fer_core.comparison.wording import interval_figures, p_figure, signed_points
from fer_core.data.policies import AugmentPolicy
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import RunError, checked_record, write_text

_HEADERS = (
    "Run",
    "Change",
    "Epochs",
    "Parameters",
    "GFLOPs",
    "Validation accuracy, %",
    "95 % interval",
    "Difference, points",
    "p",
)
_NUMBERS = frozenset({2, 3, 4, 5, 6, 7, 8})
#: What a record must hold to be a row.
_NEEDED = (
    *("validation.accuracy", "validation.interval", "validation.n"),
    *("epochs_run", "model.parameters", "model.gflops", "device", "machine"),
)


def trial_document(baseline: RunFolder, trials: Sequence[RunFolder], title: str) -> TableDocument:
    """The baseline's row, then one for each trial with what it changed and what came of it.

    Difference and p-value (McNemar's, not corrected for the number of trials) are those on the
    validation images that a run shares with the baseline. RunError for a run that is not finished,
    or that shares too few, see `pairs.read_pair`.
    """
    base_config, base = _read(baseline)
    rows, plain, apart = [], [], []
    for run in (baseline, *trials):
        config, record = _read(run)
        scores, model = record["validation"], record["model"]
        difference = p_value = None
        change = "the baseline"
        if run.path != baseline.path:
            change = "; ".join(differences(base_config, config)) or "nothing: the same again"
            difference, p_value, shared = _against(run, baseline)
            if not shared == scores["n"] == base["validation"]["n"]:
                apart.append(f"{run.name} has {scores['n']:,} and shares {shared:,} of them")
        rows.append(
            (
                run.name,
                change,
                f"{record['epochs_run']}",
                f"{model['parameters']:,}",
                f"{model['gflops']:.4f}",
                f"{100 * scores['accuracy']:.2f}",
                interval_figures(scores["interval"]),
                "" if difference is None else signed_points(difference),
                "" if p_value is None else p_figure(p_value),
            )
        )
        plain.append(
            (
                run.name,
                change,
                record["epochs_run"],
                model["parameters"],
                model["gflops"],
                scores["accuracy"],
                *scores["interval"],
                difference,
                p_value,
                record.get("commit"),
                record["device"],
            )
        )
    commits = sorted({str(row[-2]) for row in plain if row[-2]})
    note = (
        f"Seed {base_config.seed}; {base['validation']['n']:,} validation images, the best epoch "
        f"chosen on them. p below {LEVEL:g}: more than chance on these images (McNemar, single "
        f"runs, not corrected for their number). Machine: {base['machine']}"
        + (f"; commits {', '.join(commits)}." if commits else ".")
    )
    if apart:
        note += (
            f" Not all have the same validation images: {'; '.join(apart)}. Accuracies are those "
            "on a run's own images, difference and p those on the shared ones."
        )
    names = (
        *("run", "change", "epochs", "parameters", "gflops", "validation_accuracy"),
        *("interval_low", "interval_high", "difference", "p_value", "commit", "device"),
    )
    return TableDocument(title, _HEADERS, tuple(rows), names, tuple(plain), _NUMBERS, notes=(note,))


def differences(base: RunConfig, config: RunConfig) -> list[str]:
    """ "learning_rate 0.1 → 0.05" for every setting that is not the baseline's."""
    mine, theirs = config.to_dict(), base.to_dict()
    found = []
    for name, value in mine.items():
        if name in ("recipe", "data", "device") or value == theirs[name]:
            continue
        if isinstance(value, dict):
            defaults = AugmentPolicy().to_dict() if name == "augment" else {}
            keys = sorted({*value, *theirs[name]})
            pairs = [
                (key, theirs[name].get(key, defaults.get(key)), value.get(key, defaults.get(key)))
                for key in keys
            ]
            found += [f"{key} {_shown(a)} → {_shown(b)}" for key, a, b in pairs if a != b]
        else:
            found.append(f"{name} {_shown(theirs[name])} → {_shown(value)}")
    return found


def put_trials(path: Path, mark: str, document: TableDocument) -> None:
    """Write the table between the marks of that name in a Markdown file; at its end when it has
    none yet."""
    begin, end = marks(f"trials: {mark}")
    table = to_markdown(document)
    if not put_marked(path, begin, end, table):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, f"{text.rstrip()}\n\n{begin}\n{table}{end}\n".lstrip())


def _read(run: RunFolder) -> tuple[RunConfig, dict[str, Any]]:
    record = checked_record(run, *_NEEDED)
    if record is None or not record.get("validation"):
        raise RunError(f"{run.path} is no finished run; wait for it, or leave it out")
    return RunConfig.from_run(run), record


def _against(run: RunFolder, baseline: RunFolder) -> tuple[float, float, int]:
    """How much more accurate than the baseline a run is on the same images, the p-value, and the
    number of these images."""
    try:
        pair = read_pair(run.path, baseline.path, "validation")
    except PairError as error:
        raise RunError(f"{run.name} cannot be set beside {baseline.name}: {error}") from error
    test = mcnemar(pair.correct_a, pair.correct_b)
    return (test.only_a - test.only_b) / test.n, test.p_value, test.n


def _shown(value: Any) -> str:
    if value is None:
        return "its own"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(part).rpartition("/")[2] for part in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
