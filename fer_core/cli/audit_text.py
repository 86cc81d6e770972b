"""What `audit` says of a set to a person: a table by class and part, then what is wrong with it."""

from __future__ import annotations

from fer_core.data.audit import Audit
from fer_core.data.faces import ROWS_COUNTED


def audit_text(audit: Audit) -> str:
    """The facts of `Audit` in lines that fit a terminal."""
    height, width = audit.image_size
    kind = "grey" if audit.channels == 1 else "colour"
    lines = [f"{audit.name}: {audit.images:,} {kind} images of {width} × {height} pixels"]
    if audit.classes:
        lines += ["", *_table(audit)]
        if audit.counts_per_split:
            lines.append("the parts are those of a run with the default split")
        lines.append(f"imbalance ratio {audit.imbalance_ratio:.1f}")
    if audit.unlabelled:
        lines.append(f"without a label: {audit.unlabelled:,}")
    numbered = any("row " in where for where, _ in audit.unreadable_listed)
    counted = f" ({ROWS_COUNTED})" if numbered else ""
    lines += ["", *_twin_lines(audit)]
    lines.append(f"rows or files that cannot be read: {audit.unreadable:,}{counted}")
    lines += [f"  {where}: {reason}" for where, reason in audit.unreadable_listed]
    if audit.unreadable > len(audit.unreadable_listed):
        lines.append("  …")
    return "\n".join(lines)


def _table(audit: Audit) -> list[str]:
    """Images by class, in all and in each part of the split, with the class's share."""
    parts = audit.counts_per_split
    head = ["class", *parts, "all", "share"]
    rows = [
        [name, *(counts[name] for counts in parts.values()), count, audit.shares[name]]
        for name, count in audit.counts.items()
    ]
    sums = [sum(counts.values()) for counts in parts.values()]
    rows.append(["all", *sums, sum(audit.counts.values()), ""])
    texts = [head, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in texts]


def _cell(value: str | int | float) -> str:
    if isinstance(value, float):
        return f"{100 * value:.1f} %"
    return value if isinstance(value, str) else f"{value:,}"


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    """The name to the left, the figures to the right."""
    figures = (text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
    return [row[0].ljust(widths[0]), *figures]


def _twin_lines(audit: Audit) -> list[str]:
    lines = [
        f"pixel-identical to an earlier image: {audit.duplicate_images:,}, in "
        f"{audit.twin_groups:,} groups of twins",
        "  with the label and the set's own part of that image, too: "
        f"{audit.full_row_duplicates:,}",
    ]
    if audit.counts_per_split:
        across = audit.twins_across_splits
        named = ", ".join(f"{part} {count:,}" for part, count in across.items())
        lines.append(f"with a twin in training: {named}")
    return [*lines, f"groups of twins under different labels: {audit.conflicting_groups:,}"]
