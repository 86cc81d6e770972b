"""The part of a file between two marks is renewed, the rest of it left alone."""

from pathlib import Path

import pytest

from fer_core.comparison import marks as module
from fer_core.comparison.marks import marks, put_marked, results_page, write_results


def test_only_what_stands_between_the_marks_changes(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    begin, end = marks("speed")
    path.write_text(f"before\n{begin}\nold\n{end}\nafter {begin}\n")
    assert put_marked(path, begin, end, "new \\1\n\n")
    assert path.read_text() == f"before\n{begin}\nnew \\1\n{end}\nafter {begin}\n"


def test_a_file_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    begin, end = marks("speed")
    assert not put_marked(path, begin, end, "new")
    assert not path.exists()
    path.write_text(f"{end} {begin}")
    assert not put_marked(path, begin, end, "new")
    assert path.read_text() == f"{end} {begin}"


def test_a_short_try_does_not_replace_another_commands_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RESULTS", tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("{}\n{}\n".format(*marks("near-twins")))

    def page(count: int, figure: str) -> str:
        return f"{figure}\nMade by `python -m fer_core near-twins --count {count}`, today."

    def write(*what: object, readme: Path | None = None) -> str:
        return write_results("near-twins", page(*what), "part", None, readme).name

    assert write(450, "long") == "near_twins.md"
    assert write(8, "short") == "near_twins-2.md"
    assert write(9, "short") == "near_twins-3.md"
    assert write(8, "again") == "near_twins-2.md"
    assert write(450, "newer") == "near_twins.md"
    assert (tmp_path / "near_twins.md").read_text() == page(450, "newer")
    assert (tmp_path / "near_twins-2.md").read_text() == page(8, "again")
    assert write(8, "published", readme=readme) == "near_twins.md"
    assert "part" in readme.read_text()
    assert results_page("near-twins", "without a command").name == "near_twins-4.md"
