"""efficiency, ceiling: what accuracy costs, and how far people agree on the same faces."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from fer_core.cli.arguments import add_runs
from fer_core.cli.output import Command, frame_rows, progress_bar, read_data, show_result


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    costs = command(
        "efficiency",
        efficiency,
        "compare runs and shipped checkpoints by accuracy and cost, with the Pareto front",
    )
    add_runs(costs)
    costs.add_argument(
        "--cost",
        default="gflops",
        choices=("gflops", "parameters", "latency_ms", "batch_latency_ms"),
        help="what the front is drawn for (gflops)",
    )
    costs.add_argument(
        "--measure", action="store_true", help="measure latency on this machine first"
    )
    limit = command(
        "ceiling",
        ceiling,
        "how far ten FER+ taggers agree on a set's test faces, and with its labels",
    )
    limit.add_argument("--data", required=True, help="fer2013.parquet with ferplus_* columns, or a "
                       "fer2013.csv beside fer2013new.csv")  # fmt: skip
    limit.add_argument("--split", default="test", choices=("train", "validation", "test", "all"))


def efficiency(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.costs.efficiency import efficiency_table, on_front, scored_sets
    from fer_core.comparison.costs.latency import measure_latency
    from fer_core.runs.leaderboard import damaged_records

    for fault in damaged_records(chosen.runs):
        print(f"left out: {fault}", file=sys.stderr)
    groups = scored_sets(chosen.runs)
    if chosen.measure:
        folders = {name: path for group in groups for name, path in group.folders.items()}
        update = progress_bar("measuring")
        for number, _ in measure_latency(folders) if folders else ():
            update(number, number + 1)
    values, lines = [], []
    for group in groups:
        table = efficiency_table(group)
        table["front"] = on_front(table, chosen.cost)
        rows = frame_rows(table)
        values.append({"data": group.data, "images": group.images, "models": rows})
        lines.append(f"{group.title} (* on the front of {chosen.cost})")
        width = max((len(row["name"]) for row in rows), default=0)
        lines += [_model_line(row, width) for row in rows]
    return show_result(chosen, values, "\n".join(lines) or "no run has been scored yet")


def _model_line(row: dict[str, Any], width: int) -> str:
    """width: of the column of names."""
    from fer_core.comparison.wording import percent_range

    def number(key: str, form: str) -> str:
        return "–" if row[key] is None else format(row[key], form)

    return (
        f"{'*' if row['front'] else ' '} {row['name']:<{width}}{100 * row['accuracy']:7.2f} %"
        f" ({percent_range((row['low'], row['high']))})"
        f"{number('parameters', ',.0f'):>14} parameters{number('gflops', '.4f'):>10} GFLOPs"
        f"{number('efficiency', ',.1f'):>10} % per GFLOP"
        f"{number('efficiency_fvcore', ',.1f'):>10} as fvcore counts"
        f"{number('latency_ms', '.2f'):>9} ms alone{number('batch_latency_ms', '.2f'):>9} in 32"
    )


def ceiling(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.ceiling import ceiling_of
    from fer_core.data.faces import DataError
    from fer_core.data.split import SplitPlan

    faces = read_data(chosen.data)
    found = ceiling_of(faces, SplitPlan(), chosen.split)
    if found is None:
        raise DataError(
            f"{chosen.data} has no votes; give a parquet file with ferplus_* columns, or put "
            "FER+'s fer2013new.csv beside fer2013.csv"
        )
    lines = [
        f"{found.images:,} faces of {faces.name}, {chosen.split}",
        *(
            f"at least {count:>2} of ten taggers chose the same expression: {share:.2%}"
            for count, share in found.at_least.items()
        ),
        f"more than half chose the set's own label: {found.majority_is_label:.2%}",
        f"the label is the most chosen expression: {found.plurality_is_label:.2%}",
        f"one tagger drawn by lot chose the label: {found.tagger_is_label:.2%}",
        f"one tagger drawn by lot chose what most chose: {found.mean_top_share:.2%}",
    ]
    values = {"data": faces.name, "split": chosen.split, **found.to_dict()}
    return show_result(chosen, values, "\n".join(lines))
