"""The ceilings that this process knows, made beside the page: asking for one never waits.

Knows no Gradio. What is not known yet comes as None and is there at a later tick.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from fer_core.comparison.ceiling import Ceiling, ceiling_of_run
from fer_core.data.votes import VOTES_FILE
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import read_record
from fer_core.ui.experiments.run_views import read_config
from fer_core.ui.figures.band import Band

#: What decides which images a run is tested on and what they are called.
_FIELDS = (
    *("data", "image_size", "split", "validation_share", "test_share", "split_seed"),
    *("classes_left_out", "class_map", "drop_duplicates"),
)
_MOST_KEPT = 64
_known: dict[str, Ceiling | None] = {}
_wanted: set[str] = set()
_lock = threading.Lock()


def ceiling_for(
    config: RunConfig, data_folder: Path, known: Sequence[str] | None = None
) -> Ceiling | None:
    """The ceiling on a run's test images; None while it is being found, and where there is none.

    known: the run's classes, see `ceiling_of_run`.
    """
    known = tuple(known) if known and config.start_from else None
    places = (Path(config.data), Path(data_folder) / Path(config.data).name)
    state = [_state(file) for place in places for file in (place, place.parent / VOTES_FILE)]
    key = repr([str(data_folder), state, known, *(getattr(config, name) for name in _FIELDS)])
    with _lock:
        if key in _known or key in _wanted:
            return _known.get(key)
        _wanted.add(key)
    worker = threading.Thread(
        target=_find, args=(key, config, data_folder, known), name="ceiling", daemon=True
    )
    worker.start()
    return None


def band_for(folders: Sequence[RunFolder], data_folder: Path) -> Band | None:
    """The band for a chart of these runs: that of their test images, None when they differ."""
    ceilings = [ceiling_on(folder, data_folder) for folder in folders]
    bands = {None if one is None else one.band for one in ceilings}
    return bands.pop() if len(bands) == 1 else None


def ceiling_on(folder: RunFolder, data_folder: Path) -> Ceiling | None:
    """`ceiling_for` what lies in a run's folder."""
    config, record = read_config(folder), read_record(folder) or {}
    if config is None:
        return None
    return ceiling_for(config, data_folder, (record.get("data") or {}).get("class_names"))


def _state(source: Path) -> tuple[int, int] | None:
    """Changes with a file of data; None when there is none."""
    try:
        facts = source.stat()
    except (OSError, ValueError):
        return None
    return facts.st_mtime_ns, facts.st_size


def _find(key: str, config: RunConfig, data_folder: Path, known: tuple[str, ...] | None) -> None:
    try:
        found = ceiling_of_run(config, data_folder, known)
    except (ValueError, OSError):  # no band rather than a broken chart
        found = None
    with _lock:
        while len(_known) >= _MOST_KEPT:
            del _known[next(iter(_known))]
        _known[key] = found
        _wanted.discard(key)
