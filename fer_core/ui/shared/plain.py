"""Text from outside (names of files, classes and runs, error messages) within Markdown."""

from __future__ import annotations

import re

_COMMANDS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def plain(text: object) -> str:
    """The text with every sign escaped that Markdown would read as a command."""
    return _COMMANDS.sub(r"\\\1", str(text))
