"""What several tests of comparisons share: a checkpoint, another set, a run fine-tuned on it."""

from __future__ import annotations

import pytest
from tuned_world import World, make_world

from fer_core.data.faces import Faces
from fer_core.data.readers import read_faces
from fer_core.runs.checkpoint import Checkpoint, load_checkpoint


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def start(world: World) -> Checkpoint:
    return load_checkpoint(world.start.path)


@pytest.fixture
def away(world: World, start: Checkpoint) -> Faces:
    return read_faces(world.away, image_size=start.preprocessing.image_size)
