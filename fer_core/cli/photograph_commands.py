"""Commands on faces in small, turned, dark, blurred photographs: how a checkpoint fares on them,
and what a run may learn from them."""

from __future__ import annotations

import argparse
import shlex
import sys

import numpy as np

from fer_core.cli.arguments import (
    DATA_HELP,
    add_checkpoint,
    output_file,
    output_page,
    seed,
    whole_number,
)
from fer_core.cli.output import Command, progress_bar, read_data, show_result


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command(
        "photo-study", photo_study, "score a checkpoint on faces pasted into spoilt photographs"
    )
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument("--part", choices=("validation", "test"), default="validation")
    found.add_argument(
        "--count", type=whole_number(1), default=150, help="faces drawn from the part (150)"
    )
    found.add_argument(
        "--sizes", type=whole_number(8), nargs="+", metavar="PIXELS", help="sides of the faces"
    )
    found.add_argument(
        "--enlarged",
        type=whole_number(1, 8),
        default=1,
        metavar="TIMES",
        help="photographs 1 to 8 times as wide and high as 640 x 480, with faces of --sizes (1)",
    )
    found.add_argument("--seed", type=seed, default=0)
    found.add_argument(
        "--mtcnn", action="store_true", help="also count what MTCNN finds at its default settings"
    )
    found.add_argument(
        "--out", type=output_page, help="Markdown file (in results/; with --enlarged another one)"
    )
    found = command(
        "views", make_views, "find training faces in made-up photographs, to train on them as well"
    )
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument(
        "--size", type=whole_number(8), help="bring the images to this side in pixels first"
    )
    found.add_argument(
        "--times", type=whole_number(1, 100), default=1, help="photographs of each face (1)"
    )
    found.add_argument("--seed", type=seed, default=0)
    found.add_argument(
        "--out", type=output_file, required=True, help="file for train --set views=FILE"
    )


def photo_study(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.marks import write_results
    from fer_core.comparison.photographs.conditions import SIZES
    from fer_core.comparison.photographs.report import photographs_document, photographs_page
    from fer_core.comparison.photographs.study import study_photographs
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.inference.detect import FaceDetector, packaged_mtcnn
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.runs.shipping import portable_checkpoint, portable_source
    from fer_core.training.evaluation import part_of, run_config
    from fer_core.training.scoring import commit, machine_name

    faces, checkpoint = read_data(chosen.data), load_checkpoint(chosen.checkpoint)
    rows, *_ = part_of(faces, run_config(checkpoint), checkpoint.class_names, chosen.part)
    part = faces.subset(rows)
    usual = None
    if chosen.mtcnn:
        detector = packaged_mtcnn()

        def usual(image: np.ndarray) -> np.ndarray:
            boxes = detector.detect(image)[0]
            return np.zeros((0, 4)) if boxes is None else np.asarray(boxes, dtype=np.float64)

    outcomes = study_photographs(
        checkpoint,
        part,
        FaceDetector(),
        usual,
        sizes=chosen.sizes or SIZES,
        count=chosen.count,
        seed=chosen.seed,
        enlarged=chosen.enlarged,
        progress=progress_bar("photographs"),
    )
    options = ["--part", chosen.part, "--count", f"{chosen.count}", "--seed", f"{chosen.seed}"]
    options += ["--sizes", *map(str, chosen.sizes)] if chosen.sizes else []
    options += ["--enlarged", f"{chosen.enlarged}"] if chosen.enlarged > 1 else []
    options += ["--mtcnn"] if chosen.mtcnn else []
    data, asked = portable_source(chosen.data), portable_checkpoint(checkpoint.folder.resolve())
    call = ["python", "-m", "fer_core", "photo-study", asked]
    made_by = (
        f"Written by `{shlex.join([*call, '--data', data, *options])}` on "
        f"{outcomes[0].pasted:,} faces of the {chosen.part} part of {faces.name}, commit "
        f"{commit() or 'unknown'}, {machine_name()}."
    )
    name = "photographs" if chosen.enlarged == 1 else "photographs_far"
    page = photographs_page(outcomes, made_by, chosen.enlarged)
    out = write_results(name, page, "", chosen.out, None)
    document = photographs_document(outcomes)
    print(f"written to {out}", file=sys.stderr)
    return show_result(chosen, document.records(), to_markdown(document))


def make_views(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.photographs.views import found_views
    from fer_core.data.views import write_views
    from fer_core.inference.detect import FaceDetector

    faces = read_data(chosen.data, chosen.size)
    own = faces.labels >= 0
    if faces.source_split is not None:
        own &= faces.source_split == "train"
    rows = np.flatnonzero(own)
    bar = progress_bar("photographs")
    views = found_views(faces, rows, FaceDetector(), chosen.times, chosen.seed, bar)
    write_views(chosen.out, views, faces)
    asked = chosen.times * len(rows)
    print(f"written to {chosen.out}", file=sys.stderr)
    text = f"{len(views):,} of {asked:,} faces found; train with --set views={chosen.out}"
    return show_result(chosen, {"asked": asked, "found": len(views)}, text)
