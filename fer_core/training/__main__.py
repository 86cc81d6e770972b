"""The child process: `python -m fer_core.training RUN_FOLDER`; with --queue the worker."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_core.paths import RunFolder
from fer_core.runs.record import run_lock, stored_progress


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fer_core.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="a run's folder, or with --queue the runs folder")
    parser.add_argument(
        "--queue", metavar="DEVICE", help="work off the folder's runs that wait for cpu or cuda"
    )
    arguments = parser.parse_args()
    if arguments.queue:
        from fer_core.training.job import work_off_queue

        work_off_queue(arguments.folder, arguments.queue)
        return 0
    from fer_core.training.run import execute_run

    folder = RunFolder(arguments.folder)
    if not folder.config.is_file():  # deleted while this process was starting; a lock is a file too
        return 0
    with run_lock(folder).acquire(timeout=30):
        before = stored_progress(folder)
        # stopped, or finished by another process, while this one was starting
        if before is not None and before.state in ("stopped", "finished"):
            return 0
        progress = execute_run(folder)
    return 0 if progress.state in ("finished", "stopped") else 1


if __name__ == "__main__":
    raise SystemExit(main())
