"""A part of a Markdown file that a command renews: what stands between two marks."""

from __future__ import annotations

from pathlib import Path

from fer_core.paths import REPOSITORY
from fer_core.runs.record import write_text


def marks(name: str) -> tuple[str, str]:
    """The comments before and after the part of that name."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def write_results(name: str, page: str, part: str, out: Path | None, readme: Path | None) -> Path:
    """Keep `page` as results/NAME.md, or as `out`, and its `part` in a README where asked for.

    ValueError where the README has no marks of that name; the page is kept all the same.
    """
    path = out or REPOSITORY / "results" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page)
    begin, end = marks(name)
    if readme and not put_marked(readme, begin, end, part):
        raise ValueError(f"{readme} has no part between the marks {begin} and {end}")
    return path


def put_marked(path: Path, begin: str, end: str, part: str) -> bool:
    """Replace what stands between the first `begin` and the next `end` by `part`.

    Returns whether the file has the two marks; without them it is left as it is.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        return False
    write_text(path, f"{before}{begin}\n{part.strip()}\n{end}{after}")
    return True
