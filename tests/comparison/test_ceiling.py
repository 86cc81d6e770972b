"""Every share of the ceiling, on votes that can be counted by hand."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core.comparison.ceiling import ceiling, ceiling_of, ceiling_of_run
from fer_core.data.faces import DataError
from fer_core.data.readers import read_faces
from fer_core.data.split import SplitPlan
from fer_core.data.votes import Votes
from fer_core.runs.config import RunConfig

OPTIONS = ("happy", "sad", "neutral", "unknown")
CLASSES = ("sad", "happy")


def votes(*rows: list[int]) -> Votes:
    return Votes(np.array(rows), OPTIONS)


def test_agreement_counts_expressions_only() -> None:
    found = ceiling(
        votes([10, 0, 0, 0], [0, 9, 1, 0], [1, 2, 7, 0], [0, 0, 0, 10]),
        np.array([1, 0, 0, 0]),
        CLASSES,
    )
    assert found.images == 4
    assert found.unanimous == 1 / 4  # who says unknown agrees with nobody
    assert found.at_least[9] == 2 / 4
    assert found.at_least[8] == 2 / 4
    assert found.at_least[7] == found.at_least[5] == 3 / 4
    assert found.mean_top_share == pytest.approx((1 + 0.9 + 0.7 + 0) / 4)
    assert found.band[:2] == (found.at_least[8], found.at_least[6])


def test_agreement_with_the_labels() -> None:
    found = ceiling(
        votes([6, 4, 0, 0], [5, 5, 0, 0], [1, 4, 5, 0], [0, 9, 0, 0]),
        np.array([1, 1, 0, 0]),  # happy, happy, sad, sad
        CLASSES,
    )
    assert found.majority_is_label == 2 / 4  # the first and the last
    assert found.plurality_is_label == (1 + 1 / 2 + 0 + 1) / 4  # the tie counts half
    assert found.tagger_is_label == pytest.approx((0.6 + 0.5 + 0.4 + 1) / 4)


def test_a_class_that_nobody_could_choose_is_never_right() -> None:
    found = ceiling(votes([0, 0, 0, 10]), np.array([0]), ("pain",))
    assert found.plurality_is_label == found.tagger_is_label == found.majority_is_label == 0


def test_faces_without_votes_or_label_are_left_out() -> None:
    found = ceiling(
        votes([0, 0, 0, 0], [10, 0, 0, 0], [0, 10, 0, 0]), np.array([1, -1, 0]), CLASSES
    )
    assert found.images == 1
    assert found.unanimous == 1
    with pytest.raises(DataError, match="no ceiling"):
        ceiling(votes([0, 0, 0, 0]), np.array([0]), CLASSES)
    with pytest.raises(DataError, match="same images"):
        ceiling(votes([0, 0, 0, 1]), np.array([0, 0]), CLASSES)


@pytest.fixture
def with_votes(tmp_path: Path) -> Path:
    """40 faces, happy and sad in turn. Of the test part all taggers agree with the label; of the
    others none does."""
    random = np.random.default_rng(0)
    usages = ["Training", "Training", "PublicTest", "PrivateTest"] * 10
    rows = []
    for row, usage in enumerate(usages):
        buffer = io.BytesIO()
        Image.fromarray(random.integers(0, 255, (48, 48), dtype=np.uint8)).save(buffer, "PNG")
        happy = row // 4 % 2 == 0
        agree = usage == "PrivateTest"
        rows.append(
            {
                "image": {"bytes": buffer.getvalue(), "path": None},
                "emotion": 3 if happy else 4,
                "usage": usage,
                "ferplus_happiness": 10 if agree and happy else 0,
                "ferplus_sadness": 10 if agree and not happy else 0,
                "ferplus_unknown": 0 if agree else 10,
            }
        )
    path = tmp_path / "small.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


def test_only_the_asked_part_counts(with_votes: Path) -> None:
    faces = read_faces(with_votes)
    test = ceiling_of(faces, SplitPlan(), "test")
    assert (test.images, test.unanimous, test.plurality_is_label) == (10, 1, 1)
    assert ceiling_of(faces, SplitPlan(), "validation").unanimous == 0
    assert ceiling_of(faces, SplitPlan(), "all").unanimous == 10 / 40


def test_a_runs_ceiling_is_on_its_own_test_images(with_votes: Path, tmp_path: Path) -> None:
    config = RunConfig(data=str(with_votes))
    assert ceiling_of_run(config, tmp_path / "none").images == 10
    drawn = RunConfig(data=str(with_votes), split="stratified", test_share=0.5, split_seed=3)
    assert ceiling_of_run(drawn, tmp_path / "none").images == 20
    shipped = RunConfig(data="data/small.parquet")  # as a shipped checkpoint says it
    assert ceiling_of_run(shipped, tmp_path).unanimous == 1
    merged = RunConfig(data=str(with_votes), class_map={"sad": "neutral"})
    assert ceiling_of_run(merged, tmp_path).plurality_is_label == 1


def test_a_runs_ceiling_is_known_though_what_it_started_from_is_gone(with_votes: Path) -> None:
    config = RunConfig(data=str(with_votes), start_from="runs/gone")
    classes = read_faces(with_votes).class_names
    found = ceiling_of_run(config, with_votes.parent, classes)
    assert found == ceiling_of_run(RunConfig(data=str(with_votes)), with_votes.parent)
    assert found.images == 10


def test_no_votes_no_ceiling(tiny_csv: Path, tmp_path: Path) -> None:
    assert ceiling_of(read_faces(tiny_csv), SplitPlan()) is None
    assert ceiling_of_run(RunConfig(data=str(tiny_csv)), tmp_path) is None
    assert ceiling_of_run(RunConfig(data="drawn"), tmp_path) is None
    assert ceiling_of_run(RunConfig(data="gone.parquet"), tmp_path) is None


def test_the_figures_of_fer2013(shared_folder: Path) -> None:
    """Counted apart from this module, with pandas alone."""
    source = shared_folder / "data" / "fer2013.parquet"
    columns = ["happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]
    wanted = ["usage", "ferplus_neutral", *(f"ferplus_{name}" for name in columns)]
    table = pd.read_parquet(source, columns=wanted)
    top = table[table["usage"] == "PrivateTest"].drop(columns="usage").max(axis=1)
    config = RunConfig(data=str(source))
    found = ceiling_of_run(config, shared_folder)
    assert found.images == 3589
    for count in (10, 9, 8, 6):
        assert found.at_least[count] == pytest.approx((top >= count).mean())
