"""Speed of training: the figures are of real steps, and the usual way sees the same images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fer_core.cli import main
from fer_core.comparison.costs.race import CODES, NUMBERS, race
from fer_core.comparison.costs.training_speed import (
    pil_transforms,
    speed_settings,
    step_rate,
    usual_rate,
    warm_training,
)
from fer_core.data.policies import AugmentPolicy
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import read_record
from fer_core.training.dataset import load_run_data
from fer_core.training.job import create_run
from fer_core.training.loop import Training
from fer_core.training.run import execute_run

_CPU = torch.device("cpu")


def test_a_race_ends_where_its_run_reaches_the_target(tiny_config: RunConfig) -> None:
    config = replace(tiny_config, epochs=12)
    data = load_run_data(config)
    curve = [result.validation_accuracy for result in Training(config, data, _CPU).epochs()]
    target = max(curve)
    warm = warm_training(config, data, _CPU)
    found = race(warm, (0.0, target, 1.1))
    assert found.seconds[0.0] is not None
    assert found.seconds[target] >= found.seconds[0.0] > 0
    assert found.seconds[1.1] is None
    assert found.epochs == 12
    assert found.accuracy == curve[-1], "warming up leaves no trace"
    step_rate(warm.training, steps=40)  # past the end of its schedule
    short = race(warm, (target,))
    assert short.epochs == 1 + next(i for i, value in enumerate(curve) if value >= target)
    assert short.accuracy >= target


def test_a_race_ends_with_the_memory_that_the_run_would_get(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    config = tiny_config.with_settings(["split=stratified", "validation_share=0.4", "epochs=1"])
    found = race(warm_training(config, load_run_data(config), _CPU), (1.1,))
    assert found.remembered > 0
    folder = create_run(config, tmp_path, "run")
    execute_run(folder)
    assert read_record(folder)["validation"]["accuracy"] == pytest.approx(found.accuracy)
    size = ["--codes", str(CODES), "--numbers", str(NUMBERS)]
    assert main(["remember", str(folder.path), "--data", config.data, *size]) == 0
    mindful = read_record(folder)["validation"]["accuracy"]
    assert found.remembering == pytest.approx(mindful)
    assert mindful != found.accuracy
    short = replace(config, schedule="one_cycle", max_updates=3)  # fewer than warming up takes
    assert race(warm_training(short, load_run_data(short), _CPU), (1.1,)).epochs == 1
    without = replace(config, model="mlp", model_options={})
    assert race(warm_training(without, load_run_data(without), _CPU), (1.1,)).remembering is None


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_both_ways_of_feeding_are_timed(tiny_config: RunConfig, schedule: str) -> None:
    config = replace(
        tiny_config, schedule=schedule, augment=AugmentPolicy(flip_probability=0.5, brightness=0.1)
    )
    data = load_run_data(config)
    ours = step_rate(warm_training(config, data, _CPU).training, steps=6)
    theirs = usual_rate(config, data, _CPU, steps=6, workers=0)
    assert ours.images_per_second > 0
    assert 0 <= ours.outside < 1
    assert theirs.images_per_second > 0


def test_pil_transforms_do_what_the_policy_says() -> None:
    pre = Preprocessing(48, 1, (0.5,), (0.5,))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 48), dtype=np.uint8))
    plain = pil_transforms(AugmentPolicy(), pre)(picture)
    expected = pre(torch.from_numpy(np.array(picture))[None, :, :, None])[0]
    assert torch.allclose(plain, expected, atol=1e-6)
    mirrored = pil_transforms(AugmentPolicy(flip_probability=1.0), pre)(picture)
    assert torch.allclose(mirrored, expected.flip(-1), atol=1e-6)
    strong = AugmentPolicy(rotation_degrees=20, shift_fraction=0.1, zoom_fraction=0.2, contrast=0.3)
    assert not torch.allclose(pil_transforms(strong, pre)(picture), expected, atol=0.1)
    with pytest.raises(ConfigError, match="no PIL transform is set beside noise_std, crop_frac"):
        pil_transforms(AugmentPolicy(noise_std=0.1, crop_fraction=0.2), pre)


def test_sets_that_torchvision_has_not_are_refused(tiny_config: RunConfig) -> None:
    config = replace(tiny_config, image_size=32)
    with pytest.raises(ConfigError, match="torchvision's FER2013 is 48 px and grey"):
        usual_rate(config, load_run_data(config), _CPU, workers=0)


def test_only_compiling_differs_between_the_settings(tiny_config: RunConfig) -> None:
    plain, compiled = speed_settings(tiny_config).values()
    assert compiled == replace(plain, compiled=True)
    assert not plain.compiled
    assert speed_settings(compiled) == {"compiled": compiled}
