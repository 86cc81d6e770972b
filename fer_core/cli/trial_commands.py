"""Command: what each change to a run did, as a table in a Markdown file."""

from __future__ import annotations

import argparse

from fer_core.cli.arguments import output_page, run_folder
from fer_core.cli.output import Command, show_result


def add_commands(command: Command) -> None:
    """Add this module's command; command(name, run, help_text) makes one."""
    found = command("trials", trials, "table of what each change to a run did on validation")
    found.add_argument(
        "baseline", type=run_folder, help="folder of the run that the others differ from"
    )
    found.add_argument("trials", type=run_folder, nargs="*", help="folders of the others")
    found.add_argument("--title", default="One change at a time")
    found.add_argument("--mark", default="", help="name of the table in the file (default: title)")
    found.add_argument(
        "--out", type=output_page, help="Markdown file that gets or renews the table"
    )


def trials(chosen: argparse.Namespace) -> int:
    from fer_core.comparison.sweeps.document import to_markdown
    from fer_core.comparison.trials import put_trials, trial_document
    from fer_core.paths import RunFolder

    others = [RunFolder(path) for path in chosen.trials]
    document = trial_document(RunFolder(chosen.baseline), others, chosen.title)
    values = [dict(zip(document.plain_headers, row, strict=True)) for row in document.plain_rows]
    text = to_markdown(document)
    if chosen.out:
        put_trials(chosen.out, chosen.mark or chosen.title, document)
        text += f"\nwritten to {chosen.out}"
    return show_result(chosen, values, text)
