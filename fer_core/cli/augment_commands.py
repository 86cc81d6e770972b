"""label-changes: how often a model changes its label under each augmentation alone."""

from __future__ import annotations

import argparse

from fer_core.cli.arguments import add_checkpoint, seed, whole_number
from fer_core.cli.output import Command, progress_bar, read_data, show_result


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command(
        "label-changes",
        changes,
        "count how often a model changes its label under each augmentation alone",
    )
    add_checkpoint(found)
    found.add_argument("--data", required=True, help="a data set as for `audit`")
    found.add_argument("--policy", default="standard", help="a ready policy (standard)")
    found.add_argument(
        "--strength", action="append", default=[], metavar="NAME=VALUE",
        help="another strength, such as rotation_degrees=90 or erase_probability=1",
    )  # fmt: skip
    found.add_argument(
        "--count", type=whole_number(1), default=200, help="faces of validation and test (200)"
    )
    found.add_argument("--seed", type=seed, default=0)


def changes(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.domains.label_changes import (
        held_out_faces,
        label_changes,
        policy_from_words,
        single_operations,
    )
    from fer_core.data.faces import DataError
    from fer_core.data.split import SplitPlan
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.training.dataset import split_plan
    from fer_core.training.evaluation import as_its_run_saw, run_config

    policy = policy_from_words(chosen.policy, chosen.strength)
    judge = load_checkpoint(chosen.checkpoint)
    operations = single_operations(policy, judge.preprocessing.channels == 3)
    if not operations:
        raise DataError(
            "every strength that this network can see is 0; give one, such as --strength "
            "rotation_degrees=15"
        )
    size = judge.preprocessing.image_size
    faces = read_data(chosen.data, size)
    config = run_config(judge)
    plan = split_plan(config) if config else SplitPlan()
    # what a run left out changes the draw of its parts, and faces that it learned from must not
    # count as held out
    faces = as_its_run_saw(faces, config, judge.class_names) if config else faces
    indices = held_out_faces(faces, plan, chosen.count, chosen.seed)
    labels = [faces.class_names[label] for label in faces.labels[indices]]
    update, rows = progress_bar("measuring"), []
    for row in label_changes(judge, faces.images[indices], labels, operations, chosen.seed):
        rows.append(row)
        update(len(rows) - 1, len(operations))
    name = judge.folder.resolve().name
    lines = [f"{name} on {len(indices):,} faces of {faces.name}, seed {chosen.seed}"]
    for row in rows:
        low, high = row.interval
        right = f"{row.right / row.known:.1%} named rightly" if row.known else ""
        lines.append(
            f"{row.operation:<28}{row.share:7.1%} other label ({low:.1%} to {high:.1%})  {right}"
        )
    values = {
        "checkpoint": str(chosen.checkpoint),
        "data": faces.name,
        "seed": chosen.seed,
        "operations": [row.to_dict() for row in rows],
    }
    return show_result(chosen, values, "\n".join(lines))
