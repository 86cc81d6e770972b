"""The preview shows what the network will see."""

from dataclasses import replace

import numpy as np

from fer_core.data.policies import AugmentPolicy
from fer_core.runs.config import RunConfig
from fer_core.training.dataset import load_run_data
from fer_core.training.preview import preview_batch


def test_it_shows_the_runs_own_images_and_labels(tiny_config: RunConfig) -> None:
    data = load_run_data(tiny_config)
    train = data.faces.images[data.split.train]
    preview = preview_batch(tiny_config, count=16)
    assert preview.images.shape == (16, 48, 48, 1)
    assert preview.batch_size == 32
    for image, target in zip(preview.images, preview.targets, strict=True):
        (row,) = np.flatnonzero((train == image).all(axis=(1, 2, 3)))
        assert target.argmax() == data.faces.labels[data.split.train][row]
        assert target.max() == 1


def test_it_shows_what_augmentation_copies_and_mixing_do(tiny_config: RunConfig) -> None:
    data = load_run_data(tiny_config)
    originals = {image.tobytes() for image in data.faces.images[data.split.train]}
    turned = replace(tiny_config, augment=AugmentPolicy(rotation_degrees=20))
    assert not any(image.tobytes() in originals for image in preview_batch(turned).images)
    mirrored = preview_batch(replace(tiny_config, preparation=("mirror",)), count=32)
    kept = sum(image.tobytes() in originals for image in mirrored.images)
    assert 0 < kept < 32  # half of the set are mirror images now
    mixed = preview_batch(replace(tiny_config, mixup_alpha=5.0))
    assert (mixed.targets.max(axis=1) < 1).any()
    assert np.allclose(mixed.targets.sum(axis=1), 1)


def test_pixels_scaled_one_by_one_come_back_as_they_were(tiny_config: RunConfig) -> None:
    plain = preview_batch(tiny_config)
    scaled = preview_batch(replace(tiny_config, scaling="per_pixel"))
    assert np.abs(plain.images.astype(int) - scaled.images.astype(int)).max() <= 1
