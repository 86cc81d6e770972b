"""submit, competition: a file of predictions, and several of them against the hidden labels."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.cli.arguments import add_checkpoint, output_of
from fer_core.cli.output import Command, accuracy_text, progress_bar, read_data, show_result

if TYPE_CHECKING:
    from fer_core.comparison.competition.ranking import Entrant


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    submission = command(
        "submit", submit, "predict unlabelled faces and write a CSV with the columns id and emotion"
    )
    add_checkpoint(submission)
    submission.add_argument(
        "--data", required=True, help="test.csv (pixels only), or any set that can be read"
    )
    submission.add_argument(
        "--out", type=output_of(".csv"), default=Path("submission.csv"), metavar="FILE"
    )
    submission.add_argument("--names", action="store_true", help="add a column with class names")
    submission.add_argument(
        "--probabilities", action="store_true", help="add a column for each class"
    )
    board = command(
        "competition", competition, "rank files of predictions against the hidden labels"
    )
    board.add_argument("solution", help="a CSV with id and emotion, or a labelled set (see --part)")
    board.add_argument("files", nargs="+", type=Path, metavar="FILE")
    board.add_argument(
        "--part",
        default="all",
        choices=("all", "validation", "test", "held_out"),
        help="of a labelled set: all rows under their own numbers, or a part of its split "
        "(held_out: validation and test) numbered from 0",
    )
    board.add_argument(
        "--gflops",
        action="append",
        default=[],
        metavar="FILE=NUMBER",
        help="GFLOPs of one forward pass behind a file, for the efficiency ranking",
    )


def submit(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.competition.submission import predict_faces, submission_table
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.runs.record import write_text

    checkpoint = load_checkpoint(chosen.checkpoint)
    size = checkpoint.preprocessing.image_size
    faces = read_data(chosen.data, size)
    update = progress_bar("predicting")
    found = None
    for done, result in predict_faces(checkpoint, faces):
        update(done, len(faces))
        found = result
    assert found is not None  # the last batch brings it
    table = submission_table(found, chosen.names, chosen.probabilities)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(chosen.out, table.to_csv(index=False, lineterminator="\n"))
    counts = {name: int((found.labels == i).sum()) for i, name in enumerate(found.class_names)}
    values = {
        "file": str(chosen.out),
        "rows": len(found),
        "unreadable": len(faces.unreadable),
        "predicted": counts,
    }
    text = f"{chosen.out}: {len(found):,} rows; " + ", ".join(
        f"{name} {count:,}" for name, count in counts.items()
    )
    if faces.unreadable:
        text += f"\nrows that could not be read and are not in the file: {len(faces.unreadable):,}"
    return show_result(chosen, values, text)


def competition(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.competition.ranking import run_competition

    files = {path.name: path.read_bytes() for path in chosen.files}
    if len(files) < len(chosen.files):
        raise ValueError("two of the files have one name; rename one of them")
    ranked = run_competition(files, _solution(chosen), _costs(chosen.gflops, set(files)))
    rows = [asdict(entrant) for entrant in ranked]
    show_result(chosen, rows, "\n".join(map(_line, ranked)))
    return 1 if all(entrant.fault for entrant in ranked) else 0


def _solution(chosen: argparse.Namespace):
    from fer_core.comparison.competition.ranking import read_solution, solution_of_faces
    from fer_core.data.csv_files import csv_usefulness

    path = Path(chosen.solution)
    is_csv = path.suffix.lower() == ".csv" and path.is_file()
    if is_csv and not csv_usefulness(lambda: path.open("rb")):  # no pixels: labels alone
        return read_solution(path.name, path.read_bytes())
    faces = read_data(chosen.solution)
    return solution_of_faces(faces, chosen.part)


def _costs(settings: list[str], names: set[str]) -> dict[str, float]:
    """{"a.csv": 0.33} from "a.csv=0.33", or from "a=0.33" where one file alone is called a."""
    costs = {}
    for setting in settings:
        name, _, number = setting.rpartition("=")
        known = [name] if name in names else [one for one in names if Path(one).stem == name]
        if len(known) > 1:
            raise ValueError(f"--gflops names one file, {name} may be {' or '.join(sorted(known))}")
        if not known:
            raise ValueError(
                f"--gflops names a file: {', '.join(sorted(names))}; got {setting!r}, "
                "try --gflops submission.csv=0.33"
            )
        try:
            costs[known[0]] = float(number)
        except ValueError:
            raise ValueError(f"--gflops takes FILE=NUMBER, got {setting!r}") from None
    return costs


def _line(entrant: Entrant) -> str:
    if entrant.fault:
        return f"  –  {entrant.name}: {entrant.fault}"
    scored = accuracy_text(entrant.accuracy, entrant.interval or (0.0, 1.0), entrant.macro_f1)
    text = f"{entrant.rank:>3}. {entrant.name}: {scored}"
    if entrant.efficiency is not None:
        text += (
            f", {entrant.efficiency:,.1f} % per GFLOP (place {entrant.efficiency_rank}), "
            f"overall place {entrant.overall_rank}"
        )
    return text
