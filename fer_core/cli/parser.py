"""All commands; each module of them adds its own with their arguments.

Each command is a thin layer over the function that the page calls. With --json the result goes to
standard output as one JSON object and nothing else does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from fer_core.cli import (
    augment_commands,
    budget_commands,
    checkpoint_commands,
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

    for more in (
        data_commands,
        training_commands,
        checkpoint_commands,
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
    return parser
