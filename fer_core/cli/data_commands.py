"""audit, predict, alignment-study: what reads a set or pictures."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from fer_core.cli.arguments import (
    DATA_HELP,
    add_checkpoint,
    add_page,
    angle,
    output_folder,
    whole_number,
)
from fer_core.cli.output import Command, frame_rows, progress_bar, read_data, show_result


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    found = command(
        "audit",
        audit,
        "count a data set's images, classes, twins and unreadable rows",
    )
    found.add_argument("data", help=DATA_HELP)

    found = command("predict", predict, "find the faces in pictures and label their expressions")
    add_checkpoint(found)
    found.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="a picture file in a usual format"
    )
    found.add_argument(
        "--whole-picture",
        action="store_true",
        help="take each picture as one face, look for none in it",
    )
    found.add_argument(
        "--min-face",
        type=whole_number(1),
        metavar="PIXELS",
        help="skip faces smaller than this, which is much faster on a large photo",
    )
    found.add_argument(
        "--marked",
        type=output_folder,
        metavar="DIR",
        help="also write the pictures with boxes and labels",
    )
    found.add_argument(
        "--explain",
        type=output_folder,
        metavar="DIR",
        help="also write each face, coloured by what its label rests on (parts covered in turn)",
    )

    found = command("alignment-study", alignment_study, "compare the ways of aligning found faces")
    add_checkpoint(found)
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument(
        "--count", type=whole_number(1), default=450, help="faces of the validation part"
    )
    found.add_argument(
        "--turned",
        type=angle,
        nargs="+",
        default=[0.0],
        metavar="DEGREES",
        help="turn each face by up to this; several values give a column each (0)",
    )
    add_page(found)


def audit(chosen: argparse.Namespace) -> int:
    from fer_core.cli.audit_text import audit_text
    from fer_core.data.audit import audit_faces
    from fer_core.data.faces import DataError
    from fer_core.data.split import SplitPlan, split_faces

    faces = read_data(chosen.data)
    split = None
    try:
        split = split_faces(faces, SplitPlan()) if faces.labelled else None
    except DataError as error:  # such a set is worth an audit all the more
        print(f"no split yet: {error}", file=sys.stderr)
    found = audit_faces(faces, split)
    return show_result(chosen, found.to_dict(), audit_text(found))


def predict(chosen: argparse.Namespace) -> int:
    from PIL import Image

    from fer_core.inference.detect import FaceDetector
    from fer_core.inference.draw import draw_explanation, draw_predictions
    from fer_core.inference.photo import read_photo
    from fer_core.inference.predictor import Predictor
    from fer_core.runs.checkpoint import load_checkpoint

    predictor = Predictor(load_checkpoint(chosen.checkpoint), FaceDetector())
    results, failed = [], 0
    used: set[Path] = set()
    for path in chosen.images:
        entry: dict[str, Any] = {"image": str(path), "faces": [], "error": None}
        try:
            photo = read_photo(path)
            faces = predictor.predict(photo, chosen.whole_picture, chosen.min_face)
            entry["faces"] = [face.to_dict() for face in faces]
            for number, face in enumerate(faces if chosen.explain else (), start=1):
                drawn = Image.fromarray(draw_explanation(face.face, predictor.explain(face)))
                chosen.explain.mkdir(parents=True, exist_ok=True)
                kept = _unused(chosen.explain, f"{path.stem}-face-{number}", "explained", used)
                drawn.save(kept)
                entry["faces"][number - 1]["explained"] = str(kept)
            if chosen.marked:
                chosen.marked.mkdir(parents=True, exist_ok=True)
                marked = Image.fromarray(draw_predictions(photo, faces))
                marked.save(_unused(chosen.marked, path.stem, "marked", used))
        except (OSError, ValueError, RuntimeError) as error:  # the last is torch's
            entry["error"] = str(error)
            failed += 1
        results.append(entry)
    lines = []
    for entry in results:
        faces = entry["faces"]
        labels = ", ".join(map(_spoken, faces))
        lines.append(f"{entry['image']}: {entry['error'] or labels or 'no face found'}")
    show_result(chosen, results, "\n".join(lines))
    return 2 if failed else 0


def _spoken(face: dict[str, Any]) -> str:
    label = f"{face['label']} {face['confidence']:.0%}"
    return f"unsure ({label})" if face["unsure"] else label


def _unused(folder: Path, stem: str, what: str, used: set[Path]) -> Path:
    """STEM-WHAT.png, numbered where this call wrote one of that name from another folder."""
    path, number = folder / f"{stem}-{what}.png", 2
    while path in used:
        path, number = folder / f"{stem}-{number}-{what}.png", number + 1
    used.add(path)
    return path


def alignment_study(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.alignments import alignment_document
    from fer_core.comparison.marks import check_marks, marks, write_results
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.inference.alignment_study import compare_alignments
    from fer_core.inference.detect import FaceDetector
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.runs.shipping import portable_checkpoint, portable_source
    from fer_core.training.evaluation import part_of, run_config
    from fer_core.training.scoring import commit, machine_name

    check_marks(chosen.readme, *marks("alignment"))
    faces, checkpoint = read_data(chosen.data), load_checkpoint(chosen.checkpoint)
    rows, *_ = part_of(faces, run_config(checkpoint), checkpoint.class_names, "validation")
    part, detector = faces.subset(rows), FaceDetector()
    studies = {
        roll: compare_alignments(
            checkpoint,
            part,
            detector,
            count=chosen.count,
            roll_degrees=roll,
            progress=progress_bar(f"turned by {roll:g} degrees" if roll else "aligning"),
        )
        for roll in dict.fromkeys(chosen.turned)
    }
    call = ["alignment-study", portable_checkpoint(checkpoint.folder.resolve()), "--data"]
    call += [portable_source(chosen.data), "--count", f"{chosen.count}", "--turned"]
    call += [f"{roll:g}" for roll in studies]
    document = alignment_document(studies)
    part_text = (
        f"{to_markdown(document)}\nMade by `python -m fer_core {shlex.join(call)}`, seed 0, commit "
        f"{commit() or 'unknown'}, {machine_name()}."
    )
    page = (
        "# Aligning found faces\n\nFaces of the validation part, pasted on made-up grounds at 64, "
        "96, 160 and 240 pixels, found, aligned and classified: the mean over a cut and its mirror "
        "image, in the last row over two cuts. All ways on the same found faces, and these as the "
        f"set has them.\n\n{part_text}\n"
    )
    written = write_results("alignment", page, part_text, chosen.out, chosen.readme)
    tables = {f"{roll:g}": frame_rows(table) for roll, table in studies.items()}
    return show_result(chosen, tables, f"{page}\nwritten to {written}")
