"""What the New domain tab does then: starting, watching and comparing fine-tunings.

Knows no Gradio. Everything about a run is reread from its folder.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fer_core.comparison.domains.before_after import (
    compare_forgetting,
    compare_tuning,
    stored_comparison,
)
from fer_core.comparison.domains.domain import Scoring
from fer_core.comparison.domains.tuning import TuningPlan, is_tuning, slice_counts, tuning_config
from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from fer_core.runs.record import RunError, list_runs, read_progress, read_record
from fer_core.training.job import Launch, ensure_worker, start_run, stop_run
from fer_core.training.lineage import first_checkpoint, own_source
from fer_core.ui.experiments.domains.page import Pair, Reading, find_checkpoint, open_set
from fer_core.ui.experiments.run_views import find_run, read_config, status_html
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.train.live_run import CLOSED
from fer_core.ui.train.run_form import source_name

_NO_TUNING = (
    "<p class='note'>No fine-tuning has been started yet. Press <b>Fine-tune</b> above: its "
    "progress appears here and, when it is finished, what it has changed.</p>"
)
_NO_TUNING_HERE = "<p class='note'>This published page has no fine-tuned run.</p>"
#: Test images of the old domain that are scored at most.
FORGETTING_LIMIT = 2000


def tuning_plan(slice_percent: Any, frozen_percent: Any, rate: Any, epochs: Any) -> TuningPlan:
    """The plan that the form's numbers describe; an empty field takes the default."""
    plain = TuningPlan()
    return TuningPlan(
        slice_share=plain.slice_share if slice_percent is None else float(slice_percent) / 100,
        frozen_share=plain.frozen_share if frozen_percent is None else float(frozen_percent) / 100,
        learning_rate=plain.learning_rate if rate is None else float(rate),
        epochs=plain.epochs if epochs is None else int(epochs),
    )


def plan_words(
    settings: AppSettings, pair: Pair, mapping: Mapping[str, str], plan: TuningPlan
) -> str:
    """HTML: which images a fine-tuning would learn from, choose by and be compared on."""
    checkpoint = find_checkpoint(settings, pair.checkpoint)
    faces = open_set(settings, pair.source, checkpoint)
    config = tuning_config(checkpoint, pair.source, mapping, plan)
    found = slice_counts(faces, checkpoint, config)
    counts = ", ".join(f"{html.escape(name)} {n:,}" for name, n in found["slice"].items())
    return (
        f"<p class='note'>Learns from <b>{sum(found['slice'].values()):,}</b> images ({counts}); "
        f"{found['choosing']:,} others choose the best epoch, and {found['held_out']:,} are held "
        "out: before and after are compared on those alone.</p>"
    )


def start_tuning(
    settings: AppSettings,
    pair: Pair,
    mapping: Mapping[str, str],
    plan: TuningPlan,
    name: str | None = None,
    launch: Launch = ensure_worker,
) -> RunFolder:
    """Queue the run. RunError on a published page; DataError when the slice is too small."""
    if settings.public:
        raise RunError(CLOSED)
    checkpoint = find_checkpoint(settings, pair.checkpoint)
    source = open_sets.allowed_source(pair.source, settings)
    config = tuning_config(checkpoint, source, mapping, plan)
    slice_counts(open_set(settings, source, checkpoint), checkpoint, config)
    # blanks become hyphens, as in the names of the Train tab
    wanted = "-".join((name or "").split()) or free_tuning_name(settings, checkpoint)
    return start_run(config, settings.runs_folder, wanted, launch)


def free_tuning_name(settings: AppSettings, checkpoint: Checkpoint) -> str:
    """The checkpoint's name and -tuned, numbered where that is taken."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", checkpoint.folder.name).lstrip(".-")
    stem = f"{plain[:60] or 'checkpoint'}-tuned"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not (settings.runs_folder / name).exists())


def tunings(settings: AppSettings) -> list[str]:
    """Names of the runs that started from a checkpoint, newest first."""
    return [run.name for run in list_runs(settings.runs_folder) if is_tuning(read_config(run))]


@dataclass(frozen=True)
class Watched:
    """One fine-tuning as it stands now. stamp changes when there is something new to compare."""

    status: str
    can_stop: bool
    stamp: tuple[str, str] | None


def no_tuning(settings: AppSettings) -> str:
    """What stands where a fine-tuned run would be watched, as HTML."""
    return _NO_TUNING_HERE if settings.public else _NO_TUNING


def watch(settings: AppSettings, name: object) -> Watched:
    """State, progress and figures of a run; a sentence when there is none of that name."""
    if not name:
        return Watched(no_tuning(settings), False, None)
    try:
        run = find_run(settings.runs_folder, name)
    except RunError as error:
        return Watched(f"<p class='note'>{html.escape(str(error))}</p>", False, None)
    progress = read_progress(run)
    if settings.public:  # the reason may name folders of the owner's
        progress = replace(progress, reason="")
    record = read_record(run) if progress.state == "finished" else None
    going = progress.state in ("queued", "running")
    return Watched(
        status_html(run.name, progress, record),
        going and not settings.public,
        (run.name, progress.state),
    )


def stop_tuning(settings: AppSettings, name: object) -> str:
    """Ask the run to stop; a sentence. RunError when that is not possible."""
    if settings.public:
        raise RunError(CLOSED)
    run = find_run(settings.runs_folder, name)
    stop_run(run)
    return f"{run.name} stops after the current step; what its finished epochs made is kept."


def comparing(
    settings: AppSettings, name: object, reading: Reading | None = None
) -> Iterator[Scoring]:
    """The steps of before and after, just the last one where it was measured before.

    DataError while the run is not finished.
    """
    run = find_run(settings.runs_folder, name)
    report = stored_comparison(run)
    if report is not None:
        yield Scoring(report["n"], report["n"], report)
        return
    if settings.public:
        raise RunError("Before and after have not been measured yet; the owner of this page can.")
    yield from compare_tuning(run, reading)


def forgetting(
    settings: AppSettings, name: object, reading: Reading | None = None
) -> Iterator[Scoring]:
    """The steps of the same on the old domain's test images; DataError when it is not at hand."""
    if settings.public:
        raise RunError("Scoring the old domain is closed on this published page.")
    run = find_run(settings.runs_folder, name)
    config = read_config(run)
    if not is_tuning(config):
        raise DataError(f"{run.name} did not start from a checkpoint, so it has no old domain")
    try:
        origin = first_checkpoint(load_checkpoint(config.start_from))
    except CheckpointError as error:
        raise DataError(f"the checkpoint that was fine-tuned is gone: {error}") from error
    source = own_source(origin, settings.data_folder)
    if source is None:
        wanted = (origin.record or {}).get("data", {}).get("source") or "its data"
        raise DataError(
            f"The set that {origin.folder.name} learned from ({source_name(str(wanted))}) is not "
            "at hand. Put it into the data folder under the same name to score it."
        )
    size = origin.preprocessing.image_size
    return compare_forgetting(run, read_faces(source, size, progress=reading), FORGETTING_LIMIT)
