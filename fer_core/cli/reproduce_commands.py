"""reproduce: run the reference systems by name and write results/reference.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fer_core.cli.arguments import folder, output_page, text_file, whole_number
from fer_core.cli.output import Command, show_result
from fer_core.paths import REFERENCE_RESULTS, usual_runs
from fer_core.runs.record import Progress, RunError

if TYPE_CHECKING:
    from fer_core.comparison.references.rows import ReferenceRow
    from fer_core.runs.references import Reference


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    found = command(
        "reproduce", reproduce, "run the reference systems and write results/reference.md"
    )
    found.add_argument("names", nargs="*", metavar="NAME", help="references (default: all of them)")
    found.add_argument("--data", required=True, help="FER2013 as csv, parquet, folder or zip")
    found.add_argument(
        "--runs",
        type=folder,
        default=usual_runs() / "reference",
        help="where the runs are written (runs/reference/, in $FER_RUNS)",
    )
    found.add_argument("--out", type=output_page, default=REFERENCE_RESULTS)
    found.add_argument(
        "--readme", type=text_file, help="Markdown file whose marked table is replaced as well"
    )
    found.add_argument(
        "--whole",
        action="store_true",
        help="in full also without a GPU, instead of the part that fits one",
    )
    found.add_argument(
        "--jobs",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="N runs at a time, each in a process of its own",
    )
    found.add_argument(
        "--table-only", action="store_true", help="run nothing, only write the table anew"
    )


def reproduce(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.marks import check_marks
    from fer_core.comparison.references.rows import read_row
    from fer_core.comparison.references.table import (
        BEGIN,
        END,
        put_table,
        read_reference_rows,
        reference_document,
        write_reference_table,
    )
    from fer_core.runs import references
    from fer_core.runs.shipping import portable_source
    from fer_core.training.devices import choose_device
    from fer_core.training.reproduce import reference_folder, reproduce_beside
    from fer_core.training.reproduce import reproduce as run_reference

    check_marks(chosen.readme, BEGIN, END)
    whole = chosen.whole or choose_device("auto").type == "cuda"
    wanted = references.find_references(chosen.names)
    command = f"python -m fer_core reproduce --data {portable_source(chosen.data)}"

    def current() -> list[ReferenceRow]:
        """What was not run here, or without a figure, keeps the figure that the table has."""
        kept = read_reference_rows(chosen.out)
        return [
            _better(read_row(item, reference_folder(item, chosen.runs)), kept.get(name))
            for name, item in references.REFERENCES.items()
        ]

    def write() -> None:
        rows = current()
        write_reference_table(rows, chosen.out, command)
        if chosen.readme and not put_table(chosen.readme, rows):
            raise RunError(f"{chosen.readme} has no marks of the reference table; add them")

    def ended() -> Iterator[tuple[Reference, Progress]]:
        if chosen.jobs > 1:
            yield from reproduce_beside(wanted, chosen.data, chosen.runs, whole, chosen.jobs)
            return
        for reference in wanted:
            print(f"{reference.system}: {reference.name}", file=sys.stderr)
            show = _show(reference.name)
            yield reference, run_reference(reference, chosen.data, chosen.runs, whole, show)

    failed, written = 0, chosen.table_only
    for reference, progress in [] if chosen.table_only else ended():
        if progress.state != "finished":
            failed += 1
            print(f"{reference.name} {progress.state}: {progress.reason}", file=sys.stderr)
        if read_row(reference, reference_folder(reference, chosen.runs)).value is not None:
            write()
            written = True
    if chosen.table_only:
        write()
    rows = [row for row in current() if row.reference in wanted]
    table = reference_document(rows)
    text = "\n".join(f"{row[1]}: published {row[3]}, ours {row[4]}, {row[6]}" for row in table.rows)
    end = f"written to {chosen.out}" if written else f"{chosen.out} stays as it was"
    show_result(chosen, table.records(), f"{text}\n{end}")
    return 1 if failed else 0


def _better(row: ReferenceRow, kept: ReferenceRow | None) -> ReferenceRow:
    """The row of a run, or the one that the table has where the run came to less."""
    if kept is None or row.state == "not run":
        return kept or row
    less = row.value is None and kept.value is not None
    unfinished = kept.state == "finished" and row.state != "finished"
    return kept if less or unfinished else row


def _show(name: str) -> Callable[[Progress], None]:
    """A line per finished epoch on standard error."""
    last = 0

    def on_progress(progress: Progress) -> None:
        nonlocal last
        if progress.epoch > last:
            last = progress.epoch
            print(
                f"  {name}: epoch {last} of {progress.epochs}, "
                f"{progress.images_per_second:,.0f} images/s",
                file=sys.stderr,
            )

    return on_progress
