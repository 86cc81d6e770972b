"""The table of an alignment study: what each way of framing a found face is worth."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fer_core.comparison.sweeps.document import TableDocument
from fer_core.comparison.wording import percent
from fer_core.inference.align import MODES
from fer_core.inference.alignment_study import ALL_SIZES, AS_CUT, AS_READ

_TITLES = {
    AS_CUT: "the same faces as cut in the set",
    AS_READ: "the mean over the two cuts that a prediction reads",
    **MODES,
}


def alignment_document(studies: Mapping[float, pd.DataFrame]) -> TableDocument:
    """A row for each mode, that of a prediction in bold, a column for each study.

    studies: degrees by which faces were turned at most → what `compare_alignments` gave, all with
    the same modes.
    """
    pooled = {
        roll: table[table["size"] == ALL_SIZES].set_index("mode") for roll, table in studies.items()
    }
    heads, plain_heads = ["fit"], ["mode"]
    for roll, table in pooled.items():
        found = f"{int(table.found.iloc[0]):,} of {int(table.pasted.iloc[0]):,} found"
        heads.append(f"turned by up to {roll:g}°, {found}" if roll else f"as pasted, {found}")
        plain_heads += [f"found_{roll:g}", f"accuracy_{roll:g}"]
    scored = next(iter(pooled.values())).index
    modes = tuple(mode for mode in (AS_CUT, *MODES, AS_READ) if mode in scored)
    rows, plain_rows = [], []
    for mode in modes:
        seen = [table.loc[mode] for table in pooled.values()]
        rows.append((_TITLES[mode], *(percent(one.accuracy) if one.found else "–" for one in seen)))
        figures = [figure for one in seen for figure in (int(one.found), float(one.accuracy))]
        plain_rows.append((mode, *figures))
    return TableDocument(
        title="Ways of framing a found face",
        headers=tuple(heads),
        rows=tuple(rows),
        plain_headers=tuple(plain_heads),
        plain_rows=tuple(plain_rows),
        numbers=frozenset(range(1, len(heads))),
        bold=frozenset(place for place, mode in enumerate(modes) if mode == AS_READ),
    )
