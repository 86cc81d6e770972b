"""Tables as Markdown, CSV and LaTeX: every sign arrives, no column moves."""

from __future__ import annotations

from fer_core.comparison.sweeps.document import TableDocument, to_latex, to_markdown
from fer_core.comparison.sweeps.words import changed_settings, without_folders
from fer_core.runs.config import RunConfig


def document_of(*rows: tuple[str, ...]) -> TableDocument:
    headers = tuple(f"h{place}" for place in range(len(rows[0])))
    return TableDocument("A & B_c", headers, rows, headers, rows, bold=frozenset({0}))


def test_latex_escapes_every_sign_and_uses_booktabs() -> None:
    text = to_latex(document_of(("50 %", "a_b"), ("[8,16]", r"x\y{z} ~ ^ # $ & ± −1 <")))
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1
    assert r"\textbf{50 \%} & \textbf{a\_b} \\" in text
    assert r"{[}8,16{]}" in text
    assert (
        r"x\textbackslash{}y\{z\} \textasciitilde{} \textasciicircum{} \# \$ \& $\pm$ $-$1 "
        r"\textless{} \\"
    ) in text
    assert r"\caption{A \& B\_c}" in text


def test_markdown_keeps_its_columns_whatever_stands_in_a_cell() -> None:
    lines = to_markdown(document_of(("a|b", "c*d"), ("", "e"))).splitlines()
    assert lines[2].count("|") == lines[3].count("|") == 3
    assert lines[4].count("|") - lines[4].count(r"\|") == 3
    assert r"**a\|b**" in lines[4]


def test_folders_of_checkpoints_are_told_by_name_alone() -> None:
    assert without_folders("teachers", ["/home/me/runs/a", "runs/b"]) == "a, b"
    assert without_folders("start_from", "/home/me/runs/a") == "a"
    assert without_folders("views", "/home/me/data/views.npz") == "views.npz"
    assert without_folders("views", "") == ""
    assert without_folders("learning_rate", 0.1) == 0.1
    base = RunConfig(teachers=("/home/me/a",), start_from="/home/me/b")
    assert {"teachers=a", "start_from=b"} <= set(changed_settings(base))
