"""Commands: competition files: predict unlabelled rows, rank prediction files."""

from __future__ import annotations

from fer_core.cli.output import Command


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
