"""What leaves this machine in a shipped checkpoint or a printed command: no local paths."""

import pytest

from fer_core.runs.config import RunConfig
from fer_core.runs.shipping import portable_setting, portable_source, without_path


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


def test_so_are_a_file_of_views_and_checkpoints() -> None:
    config = RunConfig(views="/home/someone/views.npz", start_from="/home/someone/runs/small")
    told = without_path(config)
    assert told.views == portable_setting("views", config.views) == "data/views.npz"
    assert told.start_from == portable_setting("start_from", config.start_from) == "runs/small"
    assert portable_setting("views", "") == without_path(RunConfig()).views == ""
