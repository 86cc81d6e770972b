"""Arguments that several commands take, and what they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.paths import DEFAULT_RUNS

if TYPE_CHECKING:
    from fer_core.runs.config import RunConfig

DATA_HELP = "csv, zip, parquet, folder, 'drawn' or hub:owner/name"


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="a folder with weights.safetensors")


def add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runs", type=Path, default=DEFAULT_RUNS, metavar="DIR", help="the runs folder (runs/)"
    )


def add_settings(parser: argparse.ArgumentParser, about: str | None = None) -> None:
    """--recipe, --data and --set, as `chosen_config` reads them."""
    parser.add_argument("--recipe", default="custom", help="a name from `recipes`")
    parser.add_argument("--data", help=f"{DATA_HELP} (default: the recipe's own)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings", help=about
    )


def chosen_config(chosen: argparse.Namespace) -> RunConfig:
    """The recipe with the data and the changes that were given."""
    import dataclasses

    from fer_core.runs.config import RunConfig
    from fer_core.runs.recipes import find_recipe

    base = RunConfig() if chosen.recipe == "custom" else find_recipe(chosen.recipe).config
    if chosen.data:
        base = dataclasses.replace(base, data=chosen.data)
    return base.with_settings(chosen.settings)


def chosen_place(run: Path | None) -> tuple[Path, str | None]:
    """(runs folder, name) for --run DIR; without it the usual folder and no name yet."""
    return (run.resolve().parent, run.name) if run else (DEFAULT_RUNS, None)
