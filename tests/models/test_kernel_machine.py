"""A fitted support vector machine as a network says what scikit-learn says."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.svm import SVC

from fer_core.models import ModelError, build_model, describe_model
from fer_core.models.kernel_machine import KernelMachine

CHANNELS, SIZE = 2, 8


def _images(classes: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 (N, 2, 8, 8) in 0..1 whose class is a bright column, with noise enough to err."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = random.random((count, CHANNELS, SIZE, SIZE), dtype=np.float32)
    images[np.arange(count), :, :, labels] += 0.4
    return np.clip(images, 0, 1), labels


def _fitted(classes: int, components: int, whiten: bool) -> tuple[SVC, PCA | None]:
    images, labels = _images(classes, 140, seed=1)
    points, pca = images.reshape(len(images), -1), None
    if components:
        pca = PCA(components, whiten=whiten, random_state=0).fit(points)
        points = pca.transform(points)
    return SVC(break_ties=classes > 2).fit(points, labels), pca


@pytest.mark.parametrize(("components", "whiten"), [(0, False), (9, False), (9, True)])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_and_classes_are_scikit_learns(classes: int, components: int, whiten: bool) -> None:
    svc, pca = _fitted(classes, components, whiten)
    machine = KernelMachine.from_sklearn(svc, pca, channels=CHANNELS, image_size=SIZE, scale=2.5)
    images, _ = _images(classes, 300, seed=2)
    points = images.reshape(len(images), -1)
    points = points if pca is None else pca.transform(points)
    scores = machine(torch.from_numpy(images)).numpy()
    decisions = svc.decision_function(points)
    if classes == 2:
        decisions = np.stack([-decisions, decisions], axis=1)
    assert np.allclose(scores, 2.5 * decisions, atol=1e-4)
    assert np.array_equal(scores.argmax(axis=1), svc.predict(points))
    assert len(np.unique(scores.argmax(axis=1))) == classes


def test_it_is_filled_again_from_its_own_weights() -> None:
    svc, pca = _fitted(3, 9, True)
    machine = KernelMachine.from_sklearn(svc, pca, channels=CHANNELS, image_size=SIZE)
    options = {"support": len(svc.support_), "components": 9}
    again = build_model("svm", 3, CHANNELS, SIZE, options)
    again.load_state_dict(machine.state_dict())
    images = torch.from_numpy(_images(3, 20, seed=3)[0])
    assert torch.equal(again(images), machine(images))


def test_its_distances_are_exact_where_a_run_computes_in_half_precision() -> None:
    svc, _ = _fitted(3, 0, False)
    machine = KernelMachine.from_sklearn(svc, channels=CHANNELS, image_size=SIZE)
    images = torch.from_numpy(_images(3, 20, seed=3)[0])
    with torch.autocast("cpu", torch.bfloat16):
        scores = machine(images)
    assert torch.equal(scores, machine(images))


def test_its_numbers_are_counted_and_none_is_trained() -> None:
    facts = describe_model(build_model("svm", 7, 1, 48, {"support": 500}), "svm", 1, 48)
    assert facts.parameters == 500 * 2304 + 500 * 6 + 21 + 2
    assert facts.trainable == 0
    assert facts.gflops * 1e9 == 2 * (500 * 2304 + 500 * 6)
    small = describe_model(
        build_model("svm", 7, 1, 48, {"support": 500, "components": 20}), "svm", 1, 48
    )
    assert small.gflops * 1e9 == 2 * (20 * 2304 + 500 * 20 + 500 * 6)


def test_a_blank_machine_says_something_of_every_image() -> None:
    scores = build_model("svm", 7, 3, 32)(torch.rand(4, 3, 32, 32))
    assert scores.shape == (4, 7)
    assert torch.isfinite(scores).all()


@pytest.mark.parametrize(
    ("svc", "message"),
    [
        (SVC(kernel="linear"), "kernel 'rbf'.*got kernel 'linear'"),
        (SVC(), "classes 0, 1, .*without a gap.*got kernel 'rbf' and classes"),
    ],
)
def test_another_kernel_or_a_missing_class_is_refused(svc: SVC, message: str) -> None:
    images, labels = _images(3, 30, seed=1)
    svc.fit(images.reshape(30, -1), labels * 2)
    with pytest.raises(ModelError, match=message):
        KernelMachine.from_sklearn(svc, channels=CHANNELS, image_size=SIZE)


def test_other_pictures_than_it_was_fitted_on_are_refused() -> None:
    svc, pca = _fitted(3, 0, False)
    with pytest.raises(ModelError, match="fitted on 128 values per image, but 1 channels of 8 px"):
        KernelMachine.from_sklearn(svc, pca, channels=1, image_size=SIZE)
    with pytest.raises(ModelError, match="at least 1, got 0"):
        KernelMachine(3, 1, 8, support=0)
    with pytest.raises(ModelError, match="components must be 0 to 64"):
        KernelMachine(3, 1, 8, support=5, components=65)
