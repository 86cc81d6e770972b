"""The app as a process of its own, for tests that look at it from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import torch

from fer_core.data.preprocess import Preprocessing
from fer_core.labels import FER2013_CLASSES
from fer_core.models import build_model
from fer_core.paths import REPOSITORY, RunFolder
from fer_core.runs.checkpoint import save_weights
from fer_core.runs.config import RunConfig

_STARTED_WITHIN = 180  # seconds; eight on two idle cores, but a test machine may be busy


class ServedApp:
    """`python app.py` in an empty folder.

    Its runs folder holds two checkpoints, "only happy" and "only sad", that always say the same.
    uploads: where the page keeps what a visitor uploads.
    """

    def __init__(self, folder: Path) -> None:
        self.runs, self.uploads = folder / "runs", folder / "uploads"
        self.output = folder / "output.txt"
        for label in ("happy", "sad"):
            write_checkpoint(self.runs / f"only {label}", label)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if name != "SPACE_ID"}
        environment |= {
            "FER_CACHE": str(folder / "cache"),
            "GRADIO_TEMP_DIR": str(self.uploads),
            "OMP_NUM_THREADS": "1",
        }
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(REPOSITORY / "app.py"), "--port", str(port)],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _STARTED_WITHIN
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"the app did not start:\n{self.output.read_text()}")
            time.sleep(0.3)

    def stored_files(self) -> set[Path]:
        """What visitors left in the folder of uploads; the page's own downloads are csv files."""
        found = (path for path in self.uploads.rglob("*") if path.is_file())
        return {path for path in found if path.suffix != ".csv"}

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


def write_checkpoint(folder: Path, label: str = "happy") -> Path:
    """A checkpoint folder with an untrained network that says `label` of everything."""
    folder.mkdir(parents=True, exist_ok=True)
    state = build_model("expressnet_demo", len(FER2013_CLASSES), 1, 48, None).state_dict()
    last_bias = [name for name in state if name.endswith("bias")][-1]
    state[last_bias] = torch.zeros(len(FER2013_CLASSES))
    state[last_bias][FER2013_CLASSES.index(label)] = 5.0
    (folder / "config.json").write_text(
        RunConfig(model="expressnet_demo", data="drawn:140").to_json()
    )
    save_weights(
        RunFolder(folder).weights,
        state,
        model_name="expressnet_demo",
        model_options={},
        preprocessing=Preprocessing(),
        class_names=FER2013_CLASSES,
    )
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
