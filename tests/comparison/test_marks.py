"""The part of a file between two marks is renewed, the rest of it left alone."""

from pathlib import Path

from fer_core.comparison.marks import marks, put_marked


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
