"""Arguments that several commands take, and what they stand for."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.paths import usual_runs
from fer_core.runs.limits import BOUNDS

if TYPE_CHECKING:
    from fer_core.runs.config import RunConfig

#: No option counts further: what does could not be computed with.
_MOST = 10**9
#: Files that hold a page of text.
_PAGES = (".md", ".markdown", ".txt")

DATA_HELP = "csv, zip, parquet, folder, 'drawn' or hub:owner/name"


def output_file(text: str) -> Path:
    """The type of an option that names the file to write: refused at once, not after the work."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(
            f"must name a file such as {path / 'out.md'}, got the folder {path}"
        )
    return _reachable(path)


def output_page(text: str) -> Path:
    """The type of an option that names the page to write or renew: Markdown, and no other file."""
    path = output_file(text)
    if path.suffix and path.suffix.lower() not in _PAGES:
        raise argparse.ArgumentTypeError(
            f"must name a page of text such as {path.with_suffix('.md')}, got {path}"
        )
    return text_file(text) if path.is_file() else path


def output_of(ending: str) -> Callable[[str], Path]:
    """The type of an option that names the file to write, which must end so."""

    def read(text: str) -> Path:
        path = output_file(text)
        if path.suffix.lower() != ending:
            raise argparse.ArgumentTypeError(
                f"must name a file such as {path.with_suffix(ending)}, got {path}"
            )
        return path

    return read


def folder(text: str) -> Path:
    """The type of an option that names a folder, there or not yet."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"must name a folder, {path} is a file")
    return path


def run_folder(text: str) -> Path:
    """The type of an argument that names a run by its folder."""
    path = folder(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"must name a run's folder such as {usual_runs() / 'NAME'}, {path} is not there"
        )
    return path


def output_folder(text: str) -> Path:
    """The type of an option that names the folder for what is written."""
    return _reachable(folder(text))


def _reachable(path: Path) -> Path:
    """The path, where all above it are folders or can become some, and it can be written."""
    for place in (path, *path.parents):
        if place.exists():
            break
    if place != path and not place.is_dir():
        raise argparse.ArgumentTypeError(f"must lie in a folder, {place} is a file")
    if not os.access(place, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot be written, {place} is closed to writing")
    return path


def text_file(text: str) -> Path:
    """The type of an option that names a file of text to be read or changed."""
    path = Path(text)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise argparse.ArgumentTypeError(f"must name a file, {path} {what}")
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise argparse.ArgumentTypeError(
            f"must name a file of text such as README.md, {path} is no UTF-8 text"
        ) from error
    return path


def program(text: str) -> str:
    """The type of an option that names a program: its path, or a name on the search path."""
    found = shutil.which(text)
    if found is None:
        what = "is no program" if Path(text).exists() else "is not there"
        raise argparse.ArgumentTypeError(f"must name a program, {text} {what}")
    return found


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an option that counts."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= (most or _MOST):
            open_end = most is None and value < least
            span = f"from {least} on" if open_end else f"from {least} to {most or _MOST}"
            raise argparse.ArgumentTypeError(f"must be a whole number {span}, got {text[:40]}")
        return value

    return read


#: The type of an option that seeds what is drawn by lot, as a run's configuration bounds it.
seed = whole_number(*map(int, BOUNDS["seed"]))
#: The type of an option that names the side of a network's pictures, as a run may have it.
image_side = whole_number(8, int(BOUNDS["image_size"][1]))


def angle(text: str) -> float:
    """The type of an option in degrees, 0 to 180."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 180:
        raise argparse.ArgumentTypeError(f"must be 0 to 180 degrees, got {text}")
    return value


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="a folder with weights.safetensors")


def add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runs",
        type=folder,
        default=usual_runs(),
        metavar="DIR",
        help="the runs folder (runs/, $FER_RUNS)",
    )


def add_page(parser: argparse.ArgumentParser) -> None:
    """--out and --readme, for `marks.write_results`."""
    parser.add_argument("--out", type=output_page, help="Markdown file (in results/)")
    parser.add_argument(
        "--readme", type=text_file, metavar="FILE", help="also renew the marked part of this file"
    )


def add_fer(parser: argparse.ArgumentParser) -> None:
    """--fer, as `fer_python` reads it."""
    parser.add_argument(
        "--fer",
        type=program,
        metavar="PYTHON",
        help="a Python that has the package `fer` (this one if it has)",
    )


def fer_python(chosen: argparse.Namespace) -> str | None:
    """The Python that has the package `fer`: the one that was named, or this one; else None."""
    return chosen.fer or (sys.executable if importlib.util.find_spec("fer") else None)


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
    if run is None:
        return usual_runs(), None
    if not run.name or run.resolve() == Path.cwd():
        raise ValueError(f"--run must name a folder of its own, got {str(run)!r}; try runs/mine")
    return run.resolve().parent, run.name
