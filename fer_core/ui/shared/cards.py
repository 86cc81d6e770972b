"""Facts side by side as HTML cards: a number, what it counts, why it matters."""

from __future__ import annotations

from collections.abc import Iterable


def card(number: int, what: str, why: str, warn: bool = False) -> str:
    """One card; `what` and `why` are our own words, shown as they are. warn: a coloured edge."""
    kind = "card warn" if warn else "card"
    return f'<div class="{kind}"><b>{number:,}</b><span>{what}</span><p>{why}</p></div>'


def cards(shown: Iterable[str]) -> str:
    return f'<div class="cards">{"".join(shown)}</div>'
