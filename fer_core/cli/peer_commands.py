"""Command: the shipped models beside the package `fer` and published figures, on the same faces."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
from pathlib import Path

from fer_core.cli.arguments import DATA_HELP
from fer_core.cli.output import Command, progress_bar, read_data, show_result
from fer_core.paths import REPOSITORY, SHIPPED_CHECKPOINTS

_OUT = REPOSITORY / "results" / "peers.md"
_MARK = "peers"


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command("peers", peers, "the shipped models beside other systems, on the same faces")
    found.add_argument(
        "checkpoints", type=Path, nargs="*", metavar="CHECKPOINT", help="(all shipped ones)"
    )
    found.add_argument("--data", required=True, help=DATA_HELP)
    found.add_argument(
        "--fer", metavar="PYTHON", help="a Python that has the package `fer` (this one if it has)"
    )
    found.add_argument("--out", type=Path, default=_OUT, help="Markdown file")
    found.add_argument(
        "--readme", type=Path, metavar="FILE", help="renew the table in this file, too"
    )


def peers(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.marks import marks, put_marked
    from fer_core.comparison.peers.measure import fer_peer, own_peers, shared_faces
    from fer_core.comparison.peers.table import TITLE, peer_scores, peers_document
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.runs.checkpoint import load_checkpoint
    from fer_core.runs.record import write_text
    from fer_core.runs.shipping import portable_source
    from fer_core.training.scoring import commit, machine_name

    folders = chosen.checkpoints or sorted(
        path.parent for path in SHIPPED_CHECKPOINTS.glob("*/weights.safetensors")
    )
    checkpoints = sorted(map(load_checkpoint, folders), key=lambda one: one.gflops)
    size = checkpoints[0].preprocessing.image_size if checkpoints else None
    faces = shared_faces(read_data(chosen.data, size), checkpoints)
    found = [
        peer
        for checkpoint in checkpoints
        for peer in own_peers(checkpoint, faces, progress_bar(checkpoint.folder.name))
    ]
    python = chosen.fer or (sys.executable if importlib.util.find_spec("fer") else None)
    if python:
        found.append(fer_peer(python, faces))
    scores = peer_scores(found, faces)
    document = peers_document(scores, faces)
    words = ["python", "-m", "fer_core", "peers"]
    for place in (folder.resolve() for folder in chosen.checkpoints):
        words.append(f"{place.parent.name}/{place.name}")
    words += ["--data", portable_source(chosen.data), *(["--fer", "PYTHON"] if chosen.fer else [])]
    made_by = f"Made by `{shlex.join(words)}` at commit {commit()}, {machine_name()}."
    table = to_markdown(document).partition("\n")[2].strip()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(chosen.out, f"# {TITLE}\n\n{table}\n\n{made_by}\n")
    if chosen.readme and not put_marked(chosen.readme, *marks(_MARK), f"{table}\n\n{made_by}"):
        raise ValueError(
            f"{chosen.readme} has no part between the marks {' and '.join(marks(_MARK))}"
        )
    print(f"written to {chosen.out}", file=sys.stderr)
    return show_result(chosen, document.records(), to_markdown(document))
