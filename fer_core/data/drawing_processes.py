"""Drawn faces made by several processes: on all cores, and while a page stays free to answer.

Drawing is Python's own work and would stop every other thread of the process. The drawing processes
give way to whatever else runs (`nice`). Each face depends on its number alone, so that it does not
matter who draws it.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np

from fer_core.data import synthetic
from fer_core.paths import python_path

#: So many more cores gain little; a limit on what a container may use is not seen by counting.
_MOST_PROCESSES = 4
#: Fewer faces are drawn here before another process has even started.
_WORTH_IT = 600
_LOOK_EVERY = 0.1  # s


def draw_images(
    path: Path,
    count: int,
    image_size: int,
    channels: int,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
    drawer: ModuleType = synthetic,
) -> np.ndarray:
    """Faces drawn by a module's `draw_row`, uint8 (count, S, S, C), kept in the .npy file `path`.

    progress: called with (drawn, count) now and then, and may raise. processes: how many, by
    default as suits the machine. Where none can be started or one fails, the rest is drawn here.
    """
    # written out at first, so that a full disk is an error here and not a crash while drawing
    with path.open("wb") as file:
        np.save(file, np.zeros((count, image_size, image_size, channels), dtype=np.uint8))
    images = np.load(path, mmap_mode="r+")
    if processes is None:
        processes = min(os.cpu_count() or 1, _MOST_PROCESSES) if count >= _WORTH_IT else 0
    others = processes > 0
    drawn = _drawn_by_others(drawer, path, count, processes, progress) if others else set()
    for row in range(count):
        if row not in drawn:
            drawer.draw_row(images, row)
            if progress and (row % 100 == 99 or row == count - 1):
                progress(row + 1, count)
    images.flush()
    return images


def _drawn_by_others(
    drawer: ModuleType,
    path: Path,
    count: int,
    processes: int,
    progress: Callable[[int, int], None] | None,
) -> set[int]:
    """The rows that processes have drawn; all of them, where none of the processes fails."""
    counts = path.with_name("done.npy")  # how many rows each process has drawn
    np.save(counts, np.zeros(processes, dtype=np.int64))
    done = np.load(counts, mmap_mode="r")
    environment = {**os.environ, "PYTHONPATH": python_path()}
    started: list[subprocess.Popen[bytes]] = []
    try:
        with suppress(OSError):  # where no further process is allowed
            for number in range(processes):
                asking = str(os.getpid())
                share = [drawer.__name__, asking, str(path), str(number), str(processes)]
                call = [sys.executable, "-m", __name__, *share]
                started.append(
                    subprocess.Popen(
                        call,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        start_new_session=True,  # an interrupt is answered here, by ending them
                    )
                )
        while any(process.poll() is None for process in started):
            if progress:
                progress(int(done.sum()), count)
            time.sleep(_LOOK_EVERY)
        if progress:
            progress(int(done.sum()), count)
    finally:
        for process in started:
            process.kill()
            process.wait()
        rows = [range(number, count, processes)[:drawn] for number, drawn in enumerate(done)]
        del done
        counts.unlink()
    return {row for own in rows for row in own}


def _draw_share(drawer: str, asking: int, path: Path, number: int, processes: int) -> None:
    """Every so many-th row of the images in `path`, beginning with `number`. drawer: a module.

    Ends when the process `asking` does, its parent, even before this one was ready.
    """
    if os.name != "posix":  # there a virtual environment's python is started by another in between
        asking = os.getppid()
    if hasattr(os, "nice"):
        os.nice(10)
    draw_row = importlib.import_module(drawer).draw_row
    images = np.load(path, mmap_mode="r+")
    done = np.load(path.with_name("done.npy"), mmap_mode="r+")
    for row in range(number, len(images), processes):
        if os.getppid() != asking:
            return
        draw_row(images, row)
        done[number] += 1
    images.flush()


if __name__ == "__main__":
    module, parent, file, *numbers = sys.argv[1:]
    _draw_share(module, int(parent), Path(file), *map(int, numbers))
