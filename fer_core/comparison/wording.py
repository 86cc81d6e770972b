"""How figures are written, for the page and the command line alike: shares, differences, p-values.

A difference always carries its sign, with a true minus; a figure that rounds to zero has none.
"""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.comparison.significance import LEVEL

#: (low, high) of a figure, as fractions.
Interval = Sequence[float]


def percent(share: float) -> str:
    """A fraction as "68.4 %"."""
    return f"{100 * share:.1f} %"


def whole_percent(share: float) -> str:
    """A fraction as "68 %", which no line break tears apart.

    Never a rounded "0 %" or "100 %" for something in between.
    """
    if 0 < share < 0.01:
        return "<1\N{NO-BREAK SPACE}%"
    if 0.99 < share < 1:
        return ">99\N{NO-BREAK SPACE}%"
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def percent_range(interval: Interval) -> str:
    """(low, high) as fractions → "66.9 to 69.9 %"."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def interval_figures(interval: Interval) -> str:
    """(low, high) as fractions → "66.9–69.9", for a table whose head has the unit."""
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"


def f1_range(interval: Interval) -> str:
    """(low, high) of an F1, or of what of it is lost → "0.669 to 0.699", "−0.012 to 0.030"."""
    return f"{interval[0]:.3f} to {interval[1]:.3f}".replace("-", "−")


def signed(value: float, decimals: int) -> str:
    """ "+1.2", "−0.4", "0.0"."""
    text = f"{value:+.{decimals}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def signed_points(share: float) -> str:
    """A difference of two fractions in percentage points, without the word: "+4.2"."""
    return signed(100 * share, 1)


def points(share: float) -> str:
    """A difference of two fractions as "+4.2 points"."""
    return f"{signed_points(share)} points"


def points_range(interval: Interval) -> str:
    """(low, high) of a difference of fractions → "+2.9 to +5.5"."""
    return f"{signed_points(interval[0])} to {signed_points(interval[1])}"


def change_range(interval: Interval) -> str:
    """(low, high) of a difference of F1 → "+0.029 to +0.055"."""
    return f"{signed(interval[0], 3)} to {signed(interval[1], 3)}"


def p_figure(p_value: float) -> str:
    """ "0.006", "< 0.0001"; never rounded across the level of significance."""
    if p_value < 0.0001:
        return "< 0.0001"
    digits = 3 if p_value < 0.1 else 2
    text = f"{p_value:.{digits}f}" if p_value >= 0.001 else f"{p_value:.4f}"
    digits = 5
    while (float(text) < LEVEL) != (p_value < LEVEL):
        text, digits = f"{p_value:.{digits}f}", digits + 1
    return text


def p_text(p_value: float) -> str:
    """ "p = 0.006", "p < 0.0001"."""
    figure = p_figure(p_value)
    return f"p {figure}" if figure.startswith("<") else f"p = {figure}"


def counted(count: int, one: str, more: str = "") -> str:
    """ "1 image", "2,000 images"."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
