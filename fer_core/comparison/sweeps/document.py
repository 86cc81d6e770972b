"""A small table of texts as Markdown, CSV and LaTeX (booktabs), every format escaped properly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Format → ending of its file.
FORMATS = {"markdown": "md", "csv": "csv", "latex": "tex"}


@dataclass(frozen=True)
class TableDocument:
    """headers and rows are texts for people; plain_headers and plain_rows are the same figures one
    to a column, for programs. numbers: columns of figures, set to the right. bold: rows to stress.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    plain_headers: tuple[str, ...]
    plain_rows: tuple[tuple[object, ...], ...]
    numbers: frozenset[int] = frozenset()
    bold: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for headers, rows in (
            (self.headers, self.rows),
            (self.plain_headers, self.plain_rows),
        ):
            wrong = [len(row) for row in rows if len(row) != len(headers)]
            if wrong:
                raise ValueError(f"every row needs {len(headers)} cells, got {wrong[0]}")

    def records(self) -> list[dict[str, object]]:
        """The plain figures, one dict per row."""
        return [dict(zip(self.plain_headers, row, strict=True)) for row in self.plain_rows]


def render(document: TableDocument, kind: str) -> str:
    """The document as a text of that format, one of FORMATS."""
    writers: dict[str, Callable[[TableDocument], str]] = {
        "markdown": to_markdown,
        "csv": to_csv,
        "latex": to_latex,
    }
    if kind not in writers:
        raise ValueError(f"the format must be one of {', '.join(writers)}, got {kind!r}")
    return writers[kind](document)


def to_markdown(document: TableDocument) -> str:
    """A table as GitHub reads it, its columns lined up so that it reads well as text too."""
    lines = [list(document.headers)] + [list(row) for row in document.rows]
    cells = [[_markdown(cell) for cell in line] for line in lines]
    for row in document.bold:
        cells[row + 1] = [f"**{cell}**" if cell else "" for cell in cells[row + 1]]
    widths = [max(3, *(len(line[place]) for line in cells)) for place in range(len(cells[0]))]

    def line(parts: Sequence[str]) -> str:
        sides = [
            part.rjust(width) if place in document.numbers else part.ljust(width)
            for place, (part, width) in enumerate(zip(parts, widths, strict=True))
        ]
        return f"| {' | '.join(sides)} |"

    rule = [
        "-" * (width - 1) + ":" if place in document.numbers else "-" * width
        for place, width in enumerate(widths)
    ]
    text = [f"**{_markdown(document.title)}**", "", line(cells[0]), line(rule)]
    text += [line(row) for row in cells[1:]]
    text += [""] + [f"{_markdown(note)}\n" for note in document.notes]
    return "\n".join(text).rstrip("\n") + "\n"


def to_csv(document: TableDocument) -> str:
    """The plain figures, one to a column; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(document.plain_headers)
    writer.writerows(["" if cell is None else cell for cell in row] for row in document.plain_rows)
    return out.getvalue()


def to_latex(document: TableDocument) -> str:
    """A table environment with booktabs rules, to be included with \\input."""
    sides = "".join(
        "r" if place in document.numbers else "l" for place in range(len(document.headers))
    )
    rows = []
    for place, row in enumerate(document.rows):
        cells = [_latex(cell) for cell in row]
        if place in document.bold:
            cells = [f"\\textbf{{{cell}}}" if cell else "" for cell in cells]
        rows.append("    " + " & ".join(cells) + " \\\\")
    notes = [f"  {_latex(note)}" for note in document.notes]
    if notes:
        notes = ["  \\par\\smallskip\\begin{minipage}{\\linewidth}\\footnotesize", *notes]
        notes.append("  \\end{minipage}")
    label = re.sub(r"[^a-z0-9]+", "-", document.title.lower()).strip("-")
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            "\\begin{table}[htbp]",
            "  \\centering",
            f"  \\caption{{{_latex(document.title)}}}",
            f"  \\label{{tab:{label}}}",
            f"  \\begin{{tabular}}{{{sides}}}",
            "    \\toprule",
            "    " + " & ".join(_latex(header) for header in document.headers) + " \\\\",
            "    \\midrule",
            *rows,
            "    \\bottomrule",
            "  \\end{tabular}",
            *notes,
            "\\end{table}",
            "",
        ]
    )


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", text).replace("\n", " ")


#: Signs that LaTeX reads as commands, and those that plain LaTeX fonts lack.
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "[": "{[}",  # after a line's end a bracket would be read as its argument
    "]": "{]}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": r"$-$",
    "–": "--",
    "\N{NO-BREAK SPACE}": "~",
    "\n": " ",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)
