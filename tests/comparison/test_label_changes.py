"""Label changes under one augmentation alone: counted on a model whose answers are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from serving import write_checkpoint

from fer_core.cli import main
from fer_core.comparison.domains import label_changes as module
from fer_core.comparison.domains.label_changes import (
    TOGETHER,
    LabelChange,
    held_out_faces,
    label_changes,
    policy_from_words,
    single_operations,
)
from fer_core.data.faces import DataError, Faces
from fer_core.data.policies import LIMITS, POLICIES, AugmentPolicy
from fer_core.data.preprocess import Preprocessing
from fer_core.data.split import SplitPlan, split_faces
from fer_core.data.twins import has_twin_in
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import load_run_data


@dataclass
class SideJudge:
    """Says "happy" where the left half is brighter than the right, else "sad"."""

    preprocessing: Preprocessing = field(default_factory=lambda: Preprocessing(16))
    class_names: tuple[str, ...] = ("happy", "sad")

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        assert images.shape[1:] == (16, 16, 1)
        assert images.dtype == np.uint8
        left = images[:, :, :8].mean(axis=(1, 2, 3)) > images[:, :, 8:].mean(axis=(1, 2, 3))
        return np.stack([left, ~left], axis=1).astype(np.float32)


@pytest.fixture
def sides() -> tuple[np.ndarray, list[str]]:
    """Forty pictures of 32 pixels with a bright half; thirty carry the right label, ten pain."""
    images = np.full((40, 32, 32, 1), 60, dtype=np.uint8)
    images[:20, :, :16] = 180
    images[20:, :, 16:] = 180
    return images, ["happy"] * 10 + ["pain"] * 10 + ["sad"] * 20


def test_a_mirror_image_changes_every_label_and_brightness_none(
    sides: tuple[np.ndarray, list[str]],
) -> None:
    operations = single_operations(AugmentPolicy(flip_probability=0.1, brightness=0.1))
    plainly, mirror, light, together = label_changes(SideJudge(), *sides, operations, seed=0)
    assert (plainly.changed, plainly.known, plainly.right) == (0, 30, 30)
    assert plainly.commonest is None
    assert (mirror.operation, mirror.changed, mirror.share) == ("Mirror image", 40, 1.0)
    assert mirror.right == 0
    assert mirror.commonest == ("happy", "sad", 20)
    assert mirror.interval[0] > 0.9
    assert (light.operation, light.changed) == ("Brightness ±10 %", 0)
    assert (together.operation, together.faces) == (TOGETHER, 40)
    assert 0 < together.changed < 15, "together, the chance of a mirror image is its own"


def test_the_same_seed_counts_the_same(sides: tuple[np.ndarray, list[str]]) -> None:
    operations = single_operations(AugmentPolicy(rotation_degrees=180))
    first, again, other = (
        [row.to_dict() for row in label_changes(SideJudge(), *sides, operations, seed)]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert 0.2 < first[1]["share"] < 0.8, (
        "half of all angles turn the bright half to the other side"
    )


def test_every_strength_that_is_on_is_measured_alone() -> None:
    everything = AugmentPolicy.from_dict({name: limit / 2 for name, limit in LIMITS.items()})
    operations = single_operations(everything)
    assert len(operations) == len(LIMITS) - 1 + 1  # the erased share has no row; all together one
    for title, policy in operations.items():
        on = {name for name, value in policy.to_dict().items()
              if value and name != "erase_fraction"}  # fmt: skip
        assert title == TOGETHER or len(on) == 1, title
    assert operations["Mirror image"].flip_probability == 1
    assert operations["Erasing up to 25 %"].erase_fraction == 0.25
    assert not any("Saturation" in title for title in single_operations(everything, colour=False))


def test_strengths_of_zero_are_left_out() -> None:
    assert single_operations(POLICIES["none"]) == {}
    one = single_operations(AugmentPolicy(rotation_degrees=7.5))
    assert list(one) == ["Rotation ±7.5°"], "a single operation needs no row for all together"
    assert single_operations(AugmentPolicy(erase_probability=1, erase_fraction=0)) == {}


def test_faces_come_from_validation_and_test(tiny_faces: Faces) -> None:
    plan = SplitPlan()
    split = split_faces(tiny_faces, plan)
    chosen = held_out_faces(tiny_faces, plan, 15, seed=0)
    assert len(set(chosen)) == 15
    assert set(chosen) <= set(split.validation) | set(split.test)
    assert list(chosen) == list(held_out_faces(tiny_faces, plan, 15, seed=0))
    assert list(chosen) != list(held_out_faces(tiny_faces, plan, 15, seed=1))
    assert len(held_out_faces(tiny_faces, plan, 500, seed=0)) == 70, "too few are held out"


def test_the_command_measures_no_face_that_the_run_learned_from(
    tiny_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes that a run left out change which faces a drawn split holds out."""
    config = RunConfig(
        data=str(tiny_csv),
        split="stratified",
        classes_left_out=("disgust", "fear"),
        drop_duplicates=True,
    )
    judge = write_checkpoint(tmp_path / "judge")
    RunFolder(judge).config.write_text(config.to_json())
    measured = []

    def noted(
        judge: object, images: np.ndarray, labels: list[str], operations: object, seed: int
    ) -> Iterator[LabelChange]:
        measured.append((images, labels))
        return iter(())

    monkeypatch.setattr(module, "label_changes", noted)
    assert main(["label-changes", str(judge), "--data", str(tiny_csv), "--count", "30"]) == 0
    images, labels = measured[0]
    assert len(labels) == 30
    assert not {"disgust", "fear"} & set(labels)
    data = load_run_data(config)
    assert not data.with_twin(data.split.test).any()
    assert not has_twin_in(images, data.faces.images[data.split.train]).any()


def test_the_command_leaves_out_what_a_grey_network_cannot_see(
    tiny_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["label-changes", str(write_checkpoint(tmp_path / "judge")), "--data", str(tiny_csv)]
    words += ["--policy", "none", "--count", "5", "--strength", "saturation=0.5"]
    assert main(words) == 2
    assert "every strength that this network can see is 0" in capsys.readouterr().err
    assert main([*words, "--strength", "rotation_degrees=15"]) == 0
    assert "Saturation" not in capsys.readouterr().out


def test_a_set_that_cannot_be_split_is_measured_all_the_same() -> None:
    images = np.zeros((3, 8, 8, 1), dtype=np.uint8)
    faces = Faces(images, np.array([0, 1, -1]), np.array(["a", "b", "c"]), ("happy", "sad"))
    assert held_out_faces(faces, SplitPlan(), 9, 0).tolist() == [0, 1]
    nothing = Faces(images, np.full(3, -1), np.array(["a", "b", "c"]), ("happy",))
    with pytest.raises(DataError, match="no labelled face"):
        held_out_faces(nothing, SplitPlan(), 9, 0)


def test_a_policy_in_words() -> None:
    policy = policy_from_words("light", ["rotation_degrees=90", "blur_pixels = 1"])
    assert (policy.flip_probability, policy.rotation_degrees, policy.blur_pixels) == (0.5, 90, 1)


@pytest.mark.parametrize(
    ("name", "strength", "message"),
    [
        ("wild", [], "the policy must be one of none, light, standard, strong, got 'wild'"),
        ("light", ["sparkle=1"], "unknown augmentation"),
        ("light", ["rotation_degrees"], "a strength is NAME=NUMBER"),
        ("light", ["rotation_degrees=900"], "rotation_degrees must be 0 to 180"),
    ],
)
def test_words_that_name_no_policy_are_refused(
    name: str, strength: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        policy_from_words(name, strength)
