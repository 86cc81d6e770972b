"""What leaves this machine in a shipped checkpoint or a printed command: no local paths."""

import pytest

from fer_core.runs.shipping import portable_source


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("/home/someone/fer2013.csv", "data/fer2013.csv"),
        ("drawn", "drawn"),
        ("drawn:70", "drawn:70"),
        ("hub:owner/name", "hub:owner/name"),
    ],
)
def test_where_data_lay_is_told_without_its_folder(data: str, told: str) -> None:
    assert portable_source(data) == told
