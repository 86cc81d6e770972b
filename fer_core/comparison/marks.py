"""A part of a Markdown file that a command renews: what stands between two marks."""

from __future__ import annotations

import re
from pathlib import Path

from fer_core.paths import REPOSITORY
from fer_core.runs.record import write_text

_RESULTS = REPOSITORY / "results"


def marks(name: str) -> tuple[str, str]:
    """The comments before and after the part of that name."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def write_results(name: str, page: str, part: str, out: Path | None, readme: Path | None) -> Path:
    """Keep `page` as `out`, or as `results_page` says, and its `part` in a README where asked for.

    ValueError where the README has lost its marks by now (see `check_marks`); the page is kept.
    """
    path = out or results_page(name, page, renewed=readme is not None)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page)
    if readme and not put_marked(readme, *marks(name), part):
        raise ValueError(_unmarked(readme, *marks(name)))
    return path


def results_page(name: str, page: str, renewed: bool = False) -> Path:
    """results/NAME.md; NAME-2.md and so on where one of another command stands there.

    So a short try does not replace the page of a long study. page: what is to be kept, with its
    commands in it. renewed: whether the page is replaced all the same.
    """
    stem = name.replace("-", "_")
    path, number = _RESULTS / f"{stem}.md", 2
    while not renewed and path.is_file() and _commands(path.read_text("utf-8")) != _commands(page):
        path, number = _RESULTS / f"{stem}-{number}.md", number + 1
    return path


def _commands(page: str) -> set[str]:
    """Those by which a page's figures are made again."""
    return set(re.findall(r"python -m fer_core [^`\n]+", page))


def check_marks(readme: Path | None, begin: str, end: str) -> None:
    """Before the work whose result goes between the marks: ValueError where a named file lacks
    them."""
    if readme and _around(readme, begin, end) is None:
        raise ValueError(_unmarked(readme, begin, end))


def _unmarked(readme: Path, begin: str, end: str) -> str:
    return (
        f"{readme} has no part to renew; write the two lines {begin} and {end} where it should "
        "stand"
    )


def put_marked(path: Path, begin: str, end: str, part: str) -> bool:
    """Replace what stands between the first `begin` and the next `end` by `part`.

    Returns whether the file has the two marks; without them it is left as it is.
    """
    around = _around(path, begin, end)
    if around is None:
        return False
    before, after = around
    write_text(path, f"{before}{begin}\n{part.strip()}\n{end}{after}")
    return True


def _around(path: Path, begin: str, end: str) -> tuple[str, str] | None:
    """What stands before the first `begin` and after the next `end`; None without the two."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    return (before, after) if found and ended else None
