"""Checkpoints that were opened for prediction: looked up by name in the list, kept while in use.

Only names from `list_checkpoints` are accepted, so no visitor can name a path. Replaced weights are
noticed and read again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from fer_core.inference.detect import FaceDetector
from fer_core.inference.predictor import Predictor
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import (
    CheckpointError,
    load_checkpoint,
)
from fer_core.runs.checkpoint_list import CheckpointEntry, list_checkpoints

#: Checkpoints held in memory at once; the one that was used longest ago goes first.
KEPT = 3


class LoadedCheckpoints:
    """Predictors by checkpoint name, sharing one face detector; safe to call from many threads."""

    def __init__(self, runs_folder: Path, detector: FaceDetector | None = None) -> None:
        self.runs_folder = runs_folder
        self.detector = detector or FaceDetector()
        self._kept: OrderedDict[Path, tuple[tuple[int, int], Predictor]] = OrderedDict()
        self._lock = threading.Lock()

    def entries(self) -> list[CheckpointEntry]:
        """What can be chosen now: shipped checkpoints, then runs with weights."""
        return list_checkpoints(self.runs_folder)

    def entry(self, name: str | None) -> CheckpointEntry:
        """The entry of that name, or the first one without a name; CheckpointError without any.

        A run may also be called as the page shows it, by the name of its folder.
        """
        entries = self.entries()
        if not entries:
            raise CheckpointError("there is no checkpoint yet; train one with the recipe 'quick'")
        if not name:
            return entries[0]
        for wanted in (name, f"run:{name}"):
            for entry in entries:
                if entry.name == wanted:
                    return entry
        known = ", ".join(entry.name for entry in entries[:10])
        raise CheckpointError(f"no checkpoint is called {str(name)[:80]!r}; there is: {known}")

    def predictor(self, entry: CheckpointEntry) -> Predictor:
        """Ready to predict, read from disk when it is new or its weights changed."""
        try:
            facts = RunFolder(entry.folder).weights.stat()
        except OSError as error:
            raise CheckpointError(
                f"the weights of {entry.name} are gone; choose another"
            ) from error
        version = (facts.st_mtime_ns, facts.st_size)
        with self._lock:
            known = self._kept.get(entry.folder)
            if known is None or known[0] != version:
                known = (version, Predictor(load_checkpoint(entry.folder), self.detector))
                self._kept[entry.folder] = known
            self._kept.move_to_end(entry.folder)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known[1]
