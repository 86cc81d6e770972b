"""Commands: the shipped models beside the package `fer` on the same faces, and by likeness of these
to what was learned from."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.cli.arguments import DATA_HELP, add_fer, add_page, fer_python
from fer_core.cli.output import Command, progress_bar, read_data, show_result
from fer_core.paths import SHIPPED_CHECKPOINTS

if TYPE_CHECKING:
    from fer_core.comparison.peers.measure import Peer, SharedFaces
    from fer_core.comparison.sweeps.document import TableDocument
    from fer_core.data.faces import Faces
    from fer_core.runs.checkpoint import Checkpoint


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
    for name, run, about in (
        ("peers", peers, "the shipped models beside other systems, on the same faces"),
        (
            "near-twins",
            near_twins,
            "accuracy by likeness to the training faces: what is learned by heart",
        ),
    ):
        found = command(name, run, about)
        found.add_argument(
            "checkpoints", type=Path, nargs="*", metavar="CHECKPOINT", help="(all shipped ones)"
        )
        found.add_argument("--data", required=True, help=DATA_HELP)
        add_fer(found)
        if run is near_twins:
            found.add_argument("--part", choices=("validation", "test"), default="test")
        add_page(found)


def peers(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.marks import check_marks, marks
    from fer_core.comparison.peers.measure import own_peers, shared_faces
    from fer_core.comparison.peers.table import TITLE, peer_scores, peers_document

    check_marks(chosen.readme, *marks("peers"))
    checkpoints, source = _checkpoints_and_set(chosen)
    faces = shared_faces(source, checkpoints)
    found = [
        peer
        for checkpoint in checkpoints
        for peer in own_peers(checkpoint, faces, progress_bar(checkpoint.folder.name))
    ]
    found += _other_peers(chosen, faces)
    document = peers_document(peer_scores(found, faces), faces)
    return _write(chosen, "peers", TITLE, document)


def near_twins(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.likeness.measure import bands, resemblance
    from fer_core.comparison.likeness.table import TITLE, likeness_document
    from fer_core.comparison.marks import check_marks, marks
    from fer_core.comparison.peers.measure import own_peer, shared_faces

    check_marks(chosen.readme, *marks("near-twins"))
    checkpoints, source = _checkpoints_and_set(chosen)
    faces = shared_faces(source, checkpoints, chosen.part)
    alike = resemblance(source, checkpoints[0], chosen.part, progress_bar("comparing"))
    found = [
        own_peer(checkpoint, faces, progress_bar(checkpoint.folder.name))
        for checkpoint in checkpoints
    ]
    found += _other_peers(chosen, faces)
    names = [peer.name for peer in found]
    document = likeness_document(bands(alike, found, faces), names, chosen.part, faces.name)
    return _write(chosen, "near-twins", TITLE, document)


def _checkpoints_and_set(chosen: argparse.Namespace) -> tuple[list[Checkpoint], Faces]:
    """The named checkpoints, or all shipped ones, the lightest first, and the set for them."""
    from fer_core.runs.checkpoint import load_checkpoint

    folders = chosen.checkpoints or sorted(
        path.parent for path in SHIPPED_CHECKPOINTS.glob("*/weights.safetensors")
    )
    checkpoints = sorted(map(load_checkpoint, folders), key=lambda one: one.gflops)
    size = checkpoints[0].preprocessing.image_size if checkpoints else None
    return checkpoints, read_data(chosen.data, size)


def _other_peers(chosen: argparse.Namespace, faces: SharedFaces) -> list[Peer]:
    from fer_core.comparison.peers.measure import fer_peer

    python = fer_python(chosen)
    return [fer_peer(python, faces)] if python else []


def _write(chosen: argparse.Namespace, name: str, title: str, document: TableDocument) -> int:
    """The document into the command's file, and into the README where one is named."""
    from fer_core.comparison.marks import write_results
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.runs.shipping import portable_checkpoint, portable_source
    from fer_core.training.scoring import commit, machine_name

    words = ["python", "-m", "fer_core", name]
    words += [portable_checkpoint(folder.resolve()) for folder in chosen.checkpoints]
    words += ["--data", portable_source(chosen.data), *(["--fer", "PYTHON"] if chosen.fer else [])]
    if getattr(chosen, "part", "test") != "test":
        words += ["--part", chosen.part]
    place = f"at commit {commit() or 'unknown'}, {machine_name()}"
    made_by = f"Made by `{shlex.join(words)}` {place}."
    table = to_markdown(document).partition("\n")[2].strip()
    part = f"{table}\n\n{made_by}"
    path = write_results(name, f"# {title}\n\n{part}\n", part, chosen.out, chosen.readme)
    print(f"written to {path}", file=sys.stderr)
    return show_result(chosen, document.records(), to_markdown(document))
