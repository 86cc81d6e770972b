"""The commands and their arguments.

Each command is a thin layer over the function that the page calls. With --json the result goes to
standard output as one JSON object and nothing else does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fer_core.cli import (
    augment_commands,
    budget_commands,
    competition_commands,
    data_commands,
    domain_commands,
    efficiency_commands,
    export_commands,
    peer_commands,
    photograph_commands,
    reproduce_commands,
    speed_commands,
    sweep_commands,
    training_commands,
    trial_commands,
)
from fer_core.cli.arguments import (
    DATA_HELP,
    add_checkpoint,
    add_settings,
    angle,
    image_side,
    output_folder,
    output_page,
    text_file,
    whole_number,
)

#: Refusals that are the user's to mend; anything else is a fault of ours and keeps its traceback.
_REFUSALS = (ValueError, OSError, RuntimeError)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    try:
        chosen = parser.parse_args(arguments)  # looks at the paths that are named
        return chosen.execute(chosen)
    except KeyboardInterrupt as interrupted:
        print(f"\n{interrupted}" if str(interrupted) else "stopped", file=sys.stderr)
        return 130
    except _REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fer_core",
        description="Facial-expression recognition: the page's functions as commands.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text)
        found.set_defaults(execute=run)
        found.add_argument("--json", action="store_true", help="print the result as JSON")
        return found

    audit = command(
        "audit",
        data_commands.audit,
        "count a data set's images, classes, twins and unreadable rows",
    )
    audit.add_argument("data", help=DATA_HELP)

    train = command("train", training_commands.train, "train a recipe and score it")
    add_settings(train, "a change of the recipe; repeatable")
    train.add_argument(
        "--run", type=Path, metavar="DIR", help="the run's folder (default: runs/NAME)"
    )

    resume = command(
        "resume", training_commands.resume, "go on with a run after its last finished epoch"
    )
    resume.add_argument("folder", type=Path, metavar="RUN", help="the run's folder")

    evaluate = command(
        "evaluate", data_commands.evaluate, "score a checkpoint on one split of a data set"
    )
    add_checkpoint(evaluate)
    evaluate.add_argument("--data", required=True, help=DATA_HELP)
    evaluate.add_argument(
        "--mirrored", action="store_true", help="score the mean over each image and its mirror"
    )
    evaluate.add_argument(
        "--split",
        default="test",
        choices=("train", "validation", "test", "all"),
        help="the part that is scored (default test; on FER2013 that is PrivateTest)",
    )

    predict = command(
        "predict", data_commands.predict, "find the faces in pictures and label their expressions"
    )
    add_checkpoint(predict)
    predict.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="a picture file in a usual format"
    )
    predict.add_argument(
        "--whole-picture", action="store_true", help="take each picture as one face; find none"
    )
    predict.add_argument(
        "--min-face",
        type=whole_number(1),
        metavar="PIXELS",
        help="look for no smaller faces (in a large photo large ones alone are found much sooner)",
    )
    predict.add_argument(
        "--marked",
        type=output_folder,
        metavar="DIR",
        help="also write the pictures with boxes and labels",
    )
    predict.add_argument(
        "--explain",
        type=output_folder,
        metavar="DIR",
        help="also write each face, coloured by what its label rests on (parts covered in turn)",
    )

    study = command(
        "alignment-study", data_commands.alignment_study, "compare the ways of aligning found faces"
    )
    add_checkpoint(study)
    study.add_argument("--data", required=True, help=DATA_HELP)
    study.add_argument(
        "--count", type=whole_number(1), default=450, help="faces of the validation part"
    )
    study.add_argument(
        "--turned",
        type=angle,
        nargs="+",
        default=[0.0],
        metavar="DEGREES",
        help="turn each by up to this; a column of the table for each (0)",
    )
    study.add_argument("--out", type=output_page, help="Markdown file (in results/)")
    study.add_argument(
        "--readme", type=text_file, metavar="FILE", help="renew the table in it, too"
    )

    ship = command(
        "ship", training_commands.ship, "copy a finished run to checkpoints/, free of local paths"
    )
    ship.add_argument("folder", type=Path, metavar="RUN")
    ship.add_argument("name", help="the checkpoint's name")
    ship.add_argument(
        "--replace", action="store_true", help="in the place of a checkpoint that has the name"
    )
    ship.add_argument(
        "--note", type=text_file, help="Markdown file to add to the card: origin, rights"
    )

    calibrated = command(
        "calibrate",
        training_commands.calibrate,
        "fit a checkpoint's temperature on its validation part and score it again",
    )
    calibrated.add_argument("checkpoint", type=Path)
    calibrated.add_argument("--data", required=True, help=DATA_HELP)
    calibrated.add_argument(
        "--half", action="store_true", help="keep the weights in half precision from now on"
    )
    calibrated.add_argument(
        "--note", type=text_file, help="Markdown file that the card shall end with"
    )

    remembering = command(
        "remember",
        training_commands.remember,
        "give a checkpoint a memory of its training faces, and score it again",
    )
    remembering.add_argument("checkpoint", type=Path)
    remembering.add_argument("--data", required=True, help=DATA_HELP)
    remembering.add_argument(
        "--half", action="store_true", help="keep weights and memory in half precision"
    )
    remembering.add_argument(
        "--codes", type=int, default=16, help="bytes kept of each face (default 16)"
    )
    remembering.add_argument(
        "--numbers",
        type=int,
        default=64,
        help="numbers that describe a face, a multiple of --codes (default 64)",
    )
    remembering.add_argument(
        "--views",
        type=Path,
        metavar="FILE",
        help="remember the faces by these views of them, too; as a teacher it then goes without",
    )
    remembering.add_argument(
        "--note", type=text_file, help="Markdown file that the card shall end with"
    )

    for more in (
        reproduce_commands,
        sweep_commands,
        budget_commands,
        efficiency_commands,
        speed_commands,
        peer_commands,
        export_commands,
        photograph_commands,
        domain_commands,
        competition_commands,
        augment_commands,
        trial_commands,
    ):
        more.add_commands(command)

    networks = command(
        "models", training_commands.models, "list the networks with their size and cost"
    )
    networks.add_argument(
        "names", nargs="*", metavar="MODEL", help="only these; timm/NAME for timm"
    )
    networks.add_argument("--search", metavar="TEXT", help="list own and timm names that hold TEXT")
    networks.add_argument(
        "--channels",
        type=int,
        choices=(1, 3),
        default=1,
        help="of the images, on which size and cost depend: 1 grey (default), 3 colour",
    )
    networks.add_argument(
        "--image-size",
        type=image_side,
        default=48,
        metavar="PIXELS",
        help="side of the images, on which they depend, too (default 48)",
    )
    command("recipes", training_commands.recipes, "list the recipes")
    return parser
