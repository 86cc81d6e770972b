"""The table of an alignment study has the pooled rows of every study, in the order of the modes."""

from pathlib import Path

import pandas as pd
import pytest

from fer_core.comparison.alignments import alignment_document
from fer_core.comparison.marks import marks, write_results
from fer_core.comparison.sweeps.document import to_markdown
from fer_core.inference.align import MODES
from fer_core.inference.alignment_study import ALL_SIZES, AS_CUT, AS_READ


def _study(shift: float) -> pd.DataFrame:
    rows = [
        {"size": size, "mode": mode, "pasted": pasted, "found": pasted - 3, "accuracy": accuracy}
        for size, pasted in ((64, 10), (ALL_SIZES, 20))
        for mode, accuracy in (
            (AS_CUT, 0.8 + shift),
            *((mode, 0.5 + place / 100 + shift) for place, mode in enumerate(MODES)),
            (AS_READ, 0.7 + shift),
        )
    ]
    return pd.DataFrame(rows)


def test_a_row_for_each_mode_and_a_column_for_each_study() -> None:
    document = alignment_document({0.0: _study(0), 20.0: _study(0.1)})
    assert document.headers == (
        "fit",
        "as pasted, 17 of 20 found",
        "turned by up to 20°, 17 of 20 found",
    )
    assert document.rows[0] == ("the same faces as cut in the set", "80.0 %", "90.0 %")
    assert [row["mode"] for row in document.records()] == [AS_CUT, *MODES, AS_READ]
    assert document.records()[1]["accuracy_20"] == pytest.approx(0.6)
    bold = [line for line in to_markdown(document).splitlines() if line.startswith("| **")]
    assert len(bold) == 1
    assert "**the mean over the two cuts that a prediction reads**" in bold[0]


def test_where_no_face_was_found_no_accuracy_is_told() -> None:
    table = _study(0).assign(found=0, accuracy=float("nan"))
    row = alignment_document({0.0: table}).rows[-1]
    assert row == ("the mean over the two cuts that a prediction reads", "–")


def test_results_are_kept_and_put_into_the_readme(tmp_path: Path) -> None:
    readme, out = tmp_path / "README.md", tmp_path / "deep" / "alignment.md"
    begin, end = marks("alignment")
    readme.write_text(f"a\n{begin}\nold\n{end}\nb\n")
    assert write_results("alignment", "page\n", "part", out, readme) == out
    assert out.read_text() == "page\n"
    assert readme.read_text() == f"a\n{begin}\npart\n{end}\nb\n"
    with pytest.raises(ValueError, match=r"has no part to renew; .* lines <!-- other --> and"):
        write_results("other", "page", "part", tmp_path / "other.md", readme)
    assert (tmp_path / "other.md").read_text() == "page"
