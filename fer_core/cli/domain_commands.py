"""Commands: a checkpoint on another set, before and after fine-tuning on a slice of it."""

from __future__ import annotations

from fer_core.cli.output import Command


def add_commands(command: Command) -> None:
    """Add this module's commands; command(name, run, help_text) makes one."""
