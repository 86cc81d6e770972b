"""The real FER2013, decoded once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.data.faces import Faces
from fer_core.data.readers import read_faces


@pytest.fixture(scope="session")
def fer2013(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """All 35,887 rows in the original order, from the parquet file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return read_faces(shared_folder / "data" / "fer2013.parquet")
