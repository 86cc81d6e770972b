"""How long networks take on this machine: all of them in turn, so that a busy moment hits all.

Enters: one forward pass per model as a function. Leaves: medians and quartiles, round by round.
Results are kept in the cache folder, for the weights file and the number of threads.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from fer_core.paths import RunFolder, cache_folder
from fer_core.runs.checkpoint import CheckpointError, load_checkpoint
from fer_core.runs.record import read_json, write_json

BATCH = 32
#: Rounds of which none is shown: the first passes build and fill caches.
WARM_UP = 2
#: Fewest rounds that make a median, and how many are run when there is time.
LEAST_ROUNDS, MOST_ROUNDS = 5, 40
#: After this many seconds no further round begins.
SECONDS = 25.0

#: forward(images) runs one pass over a batch of that many images.
Forward = Callable[[int], object]
#: (lower quartile, median, upper quartile)
Spread = tuple[float, float, float]
_lock = threading.Lock()


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one model: `one` for a single image, `batch` per image in a batch of 32.

    Both as (lower quartile, median, upper quartile) over `rounds` passes with `threads` threads.
    """

    one: Spread
    batch: Spread
    rounds: int
    threads: int

    @classmethod
    def unknown(cls) -> Latency:
        nothing = (math.nan, math.nan, math.nan)
        return cls(nothing, nothing, 0, 0)


def latency_rounds(
    passes: Mapping[str, Forward],
    rounds: int = MOST_ROUNDS,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[dict[str, Latency]]:
    """Time every model once per round, and yield what all rounds so far say.

    Each round starts with another model, so that none always follows the same one. The first
    `WARM_UP` rounds are thrown away. Ends after `rounds`, or when `seconds` are over and at least
    `LEAST_ROUNDS` are done. The numbers are of wall-clock time, on whatever else the machine does.
    """
    names = list(passes)
    one: dict[str, list[float]] = {name: [] for name in names}
    batch: dict[str, list[float]] = {name: [] for name in names}
    begun = clock()
    for number in range(-WARM_UP, rounds):
        if number >= LEAST_ROUNDS and clock() - begun > seconds:
            return
        turn = number % max(1, len(names))
        for name in names[turn:] + names[:turn]:
            alone = _timed(passes[name], 1, clock)
            together = _timed(passes[name], BATCH, clock) / BATCH
            if number >= 0:
                one[name].append(alone)
                batch[name].append(together)
        if number >= 0:
            threads = torch.get_num_threads()
            yield {
                name: Latency(_spread(one[name]), _spread(batch[name]), number + 1, threads)
                for name in names
            }


def _timed(forward: Forward, images: int, clock: Callable[[], float]) -> float:
    """Milliseconds of one pass."""
    begun = clock()
    forward(images)
    return 1000 * (clock() - begun)


def _spread(values: list[float]) -> Spread:
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)


def forward_of(folder: Path) -> Forward:
    """The forward pass of a checkpoint's network on the CPU. CheckpointError without weights."""
    checkpoint = load_checkpoint(folder)
    shape = checkpoint.preprocessing
    size = (shape.channels, shape.image_size, shape.image_size)
    inputs = {images: torch.randn(images, *size) for images in (1, BATCH)}

    def forward(images: int) -> object:
        with torch.inference_mode():
            return checkpoint.model(inputs[images])

    return forward


def measure_latency(
    folders: Mapping[str, Path], rounds: int = MOST_ROUNDS, seconds: float = SECONDS
) -> Iterator[tuple[int, dict[str, Latency]]]:
    """Measure checkpoints by name, interleaved; yields (rounds done, latencies so far).

    After `LEAST_ROUNDS` every round's result is kept, so a stopped measurement loses nothing.
    Models whose weights cannot be used are left out. CheckpointError when none is left, or while
    another measurement runs: two at a time would slow each other.
    """
    if not _lock.acquire(blocking=False):
        raise CheckpointError("latency is being measured already; wait until that has ended")
    try:
        passes, reasons = {}, []
        for name, folder in folders.items():
            try:
                passes[name] = forward_of(folder)
            except CheckpointError as error:
                reasons.append(str(error))
        if not passes:
            raise CheckpointError(reasons[0] if reasons else "there is no model to measure")
        for number, found in enumerate(latency_rounds(passes, rounds, seconds), 1):
            if number >= LEAST_ROUNDS:
                _store({RunFolder(folders[name]).weights: one for name, one in found.items()})
            yield number, found
    finally:
        _lock.release()


def stored_latency(weights: Path) -> Latency | None:
    """What was measured for this state of a weights file with this many threads, if anything."""
    values = (read_json(latency_file()) or {}).get(_key(weights) or "")
    try:
        return Latency(
            tuple(map(float, values["one"])),  # type: ignore[index]
            tuple(map(float, values["batch"])),  # type: ignore[index]
            int(values["rounds"]),  # type: ignore[index]
            int(values["threads"]),  # type: ignore[index]
        )
    except (KeyError, TypeError, ValueError):
        return None


def latency_file() -> Path:
    """Where measured latencies are kept."""
    return cache_folder() / "latency.json"


def _store(found: Mapping[Path, Latency]) -> None:
    kept = read_json(latency_file()) or {}
    new = {_key(weights): asdict(latency) for weights, latency in found.items()}
    kept.update({key: values for key, values in new.items() if key is not None})
    write_json(latency_file(), json.loads(json.dumps(kept)))


def _key(weights: Path) -> str | None:
    """Changes with the file and the threads; None when there is no such file."""
    try:
        facts = weights.stat()
    except OSError:
        return None
    return f"{weights.resolve()}:{facts.st_mtime_ns}:{facts.st_size}:{torch.get_num_threads()}"
