"""The command line: everything the page does. See `python -m fer_core --help`."""

from fer_core.cli.parser import main

__all__ = ["main"]
