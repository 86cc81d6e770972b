"""What several tests of comparisons share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from verdict_runs import LABELS, NAMES, MakeRun

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.record import append_epoch, write_json
from fer_core.training.metrics import full_report


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A finished run with these answers to the 600 test images and what training cost."""

    def make(
        name: str,
        predicted: np.ndarray,
        shift: int = 0,
        twins: int = 0,
        train: int = 900,
        epochs: int = 4,
        seconds: float = 10.0,
        source: str = "faces.csv",
    ) -> RunFolder:
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        folder.config.write_text(RunConfig(batch_size=100, epochs=epochs).to_json())
        probabilities = np.eye(3)[predicted] * 0.9 + 0.1 / 3
        data = {
            "source": source,
            "name": source,
            "fingerprint": source,
            "class_names": list(NAMES),
            "counts": {"train": {"angry": train}, "test": {"angry": len(predicted)}},
        }
        write_json(folder.data, data)
        report = full_report(probabilities, LABELS[: len(predicted)], NAMES)
        write_json(folder.record, {"name": name, "data": data, "device": "CPU", "test": report})
        table: dict[str, Any] = {
            "id": [f"row {number + shift}" for number in range(len(predicted))],
            "index": np.arange(len(predicted)),
            "split": "test",
            "label": LABELS[: len(predicted)],
            "has_twin": np.arange(len(predicted)) < twins,
        }
        for place, label in enumerate(NAMES):
            table[f"probability_{label}"] = probabilities[:, place]
        pd.DataFrame(table).to_parquet(folder.predictions)
        for epoch in range(1, epochs + 1):
            values = {
                "epoch": epoch,
                "updates": 9 * epoch,
                "images_seen": train * epoch,
                "train_seconds": seconds * epoch / epochs,
                "seconds": 1.1 * seconds * epoch / epochs,
            }
            append_epoch(folder, values)
        return folder

    return make
