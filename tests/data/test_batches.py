"""Batches: every image once per epoch, the same for the same seed, balanced when asked."""

import numpy as np
import pytest
import torch

from fer_core.data.balance import balanced_order, class_weights
from fer_core.data.batches import (
    FaceTensor,
    plain_batches,
    scoring_batch,
    steps_per_epoch,
    training_batches,
)
from fer_core.data.faces import Faces
from fer_core.data.policies import POLICIES
from fer_core.data.preprocess import Preprocessing

_CPU = torch.device("cpu")


def _part(faces: Faces) -> FaceTensor:
    return FaceTensor.of(faces, np.arange(len(faces)), _CPU)


@pytest.mark.parametrize(("batch_size", "steps"), [(16, 5), (23, 3), (69, 1), (70, 1), (100, 1)])
def test_every_image_once_but_never_a_batch_of_one(
    tiny_faces: Faces, batch_size: int, steps: int
) -> None:
    batches = list(
        training_batches(_part(tiny_faces), Preprocessing(), POLICIES["none"], batch_size, 0, 0)
    )
    assert len(batches) == steps == steps_per_epoch(70, batch_size)
    assert sum(len(batch.labels) for batch in batches) == 70 - (70 % batch_size == 1)


def test_images_keep_their_labels_through_the_shuffle(tiny_faces: Faces) -> None:
    for batch in training_batches(_part(tiny_faces), Preprocessing(), POLICIES["none"], 16, 0, 0):
        bright = batch.images[:, 0, :, 20] > 0.5  # the square that tells the class
        assert torch.equal(bright.float().argmax(dim=1) // 6, batch.labels)


def test_epoch_and_seed_decide_the_order_and_the_draws(tiny_faces: Faces) -> None:
    def first(seed: int, epoch: int) -> torch.Tensor:
        policy = POLICIES["standard"]
        batches = training_batches(_part(tiny_faces), Preprocessing(), policy, 16, seed, epoch)
        return next(iter(batches)).images

    assert torch.equal(first(1, 2), first(1, 2))
    assert not torch.equal(first(1, 2), first(1, 3))
    assert not torch.equal(first(1, 2), first(2, 2))


def test_plain_batches_are_in_order_and_normalised(tiny_faces: Faces) -> None:
    batches = list(plain_batches(_part(tiny_faces), Preprocessing(), 32))
    assert [len(batch.labels) for batch in batches] == [32, 32, 6]
    expected = torch.from_numpy(tiny_faces.images).permute(0, 3, 1, 2) / 255 * 2 - 1
    assert torch.allclose(torch.cat([batch.images for batch in batches]), expected, atol=1e-6)


def test_balanced_order_evens_out_the_classes() -> None:
    labels = np.array([0] * 90 + [1] * 9 + [2])
    order = balanced_order(labels, np.random.default_rng(0))
    assert len(order) == 100
    assert np.bincount(labels[order]).min() >= 32


def test_class_weights_undo_the_imbalance() -> None:
    weights = class_weights(np.array([0, 0, 0, 1]), 3)
    assert weights[2] == 0
    assert 3 * weights[0] == pytest.approx(weights[1])
    assert (3 * weights[0] + weights[1]) / 4 == pytest.approx(1)


@pytest.mark.parametrize(("size", "images"), [(16, 512), (48, 512), (96, 128), (224, 23), (512, 8)])
def test_large_pictures_are_scored_in_smaller_batches(size: int, images: int) -> None:
    assert scoring_batch(size) == images
