"""How fast a run trains: images a second, and the share of the time that is not the network's.

The set lies on the device and is augmented there; beside it stands the usual way, torchvision's
FER2013 data set with PIL transforms and worker processes, feeding the same network and optimizer.
"""

from __future__ import annotations

import copy
import csv
import dataclasses
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FER2013

from fer_core.data.batches import training_batch
from fer_core.data.policies import AugmentPolicy
from fer_core.data.preprocess import Preprocessing
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.training.dataset import RunData
from fer_core.training.loop import Training

#: Of the usual way: processes that read and augment.
WORKERS = 8


@dataclass(frozen=True)
class Rate:
    """images_per_second of whole steps; outside: share of a step that is not the network's own
    forward, backward and update; NaN where it was not measured."""

    images_per_second: float
    outside: float = float("nan")


@dataclass(frozen=True)
class WarmTraining:
    """training: after an epoch and its validation, in which kernels were compiled and chosen for
    every size of batch; begin: its state before; making: seconds that all of that took."""

    training: Training
    begin: dict[str, Any]
    making: float


def warm_training(config: RunConfig, data: RunData, device: torch.device) -> WarmTraining:
    """Made once for all that is measured with it: compiling takes longer than the measurements."""
    started = time.perf_counter()
    training = Training(config, data, device)
    training.enter_phase()
    begin = copy.deepcopy(training.state_dict())
    next(training.epochs())
    wait_for(device)
    return WarmTraining(training, begin, time.perf_counter() - started)


def step_rate(training: Training, steps: int = 100) -> Rate:
    """Images a second over `steps` steps as they come, the smaller last batches among them; and
    the share of a whole batch's step that is outside the network."""
    device = training.device
    seconds, images = _timed(device, lambda: run_steps(training, steps))
    config, pre = training.phase, training.data.preprocessing
    positions, rows = next(training.draw(0).batches(config.batch_size))
    generator = torch.Generator(device).manual_seed(config.seed)
    part, policy = training.train_part, config.augment
    batch = training_batch(part, positions, rows, pre, policy, generator)
    again = training.gradients.repeated(training.objective.lesson(batch.images, batch.targets))

    def whole(count: int) -> int:
        for _ in range(count):
            training.step(positions, rows)
        return count

    def network(count: int) -> int:
        for _ in range(count):
            again()
            training.update()
        return count

    network(10)
    (all_of_it, _), (own, _) = (_timed(device, partial(part, steps)) for part in (whole, network))
    return Rate(images / seconds, max(0.0, 1 - own / all_of_it))


def usual_rate(
    config: RunConfig,
    data: RunData,
    device: torch.device,
    steps: int = 100,
    workers: int = WORKERS,
) -> Rate:
    """The same network and optimizer, fed by torchvision's data set, PIL transforms and workers.

    ConfigError for a set that is not 48 pixels and grey: torchvision's has no other.
    """
    faces = data.faces
    if faces.images.shape[1:] != (48, 48, 1) or config.channels != 1 or config.image_size != 48:
        raise ConfigError(
            f"torchvision's FER2013 is 48 px and grey, got {faces.images.shape[1:]}; "
            "compare on FER2013"
        )
    training = Training(config, data, device)
    training.enter_phase()
    with tempfile.TemporaryDirectory() as root:
        _write_csv(Path(root), data)
        loader = DataLoader(
            _Torchvision(root, "train", pil_transforms(config.augment, data.preprocessing)),
            batch_size=config.batch_size,
            shuffle=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",
            drop_last=True,
        )

        def again() -> Iterator[Any]:
            while True:
                yield from loader

        batches = again()

        def run(count: int) -> int:
            images = 0
            for pictures, labels in islice(batches, count):
                pictures = pictures.to(device, non_blocking=True)
                labels = labels.to(device, non_blocking=True)
                training.learn(training.objective.lesson(pictures, labels))
                images += len(labels)
            return images

        run(max(10, len(loader)))  # an epoch, in which the workers start and fill their queues
        seconds, images = _timed(device, lambda: run(steps))
    return Rate(images / seconds)


_WITHOUT_TRANSFORM = (
    "autocontrast_probability",
    "equalise_probability",
    "noise_std",
    "saturation",
    "crop_fraction",
    "surroundings_probability",
)


def pil_transforms(policy: AugmentPolicy, preprocessing: Preprocessing) -> transforms.Compose:
    """torchvision's transforms nearest to a policy, on PIL images.

    ConfigError for an operation that has none.
    """
    named = [name for name in _WITHOUT_TRANSFORM if getattr(policy, name)]
    if named:
        raise ConfigError(f"no PIL transform is set beside {', '.join(named)}; turn it off")
    zoom, shift = policy.zoom_fraction, policy.shift_fraction
    steps: list[Any] = [transforms.RandomHorizontalFlip(policy.flip_probability)]
    if policy.rotation_degrees or shift or zoom or policy.shear_degrees:
        steps.append(
            transforms.RandomAffine(
                policy.rotation_degrees,
                translate=(shift, shift),
                scale=(1 - zoom, 1 + zoom),
                shear=policy.shear_degrees or None,
                interpolation=transforms.InterpolationMode.BILINEAR,
            )
        )
    if policy.brightness or policy.contrast:
        steps.append(transforms.ColorJitter(policy.brightness, policy.contrast))
    if policy.blur_pixels:
        steps.append(transforms.GaussianBlur(5, (1e-3, policy.blur_pixels)))
    mean, std = preprocessing.mean, preprocessing.std
    steps += [transforms.ToTensor(), transforms.Normalize(mean, std)]
    if policy.erase_probability:
        scale = (0.02, max(0.02, policy.erase_fraction))
        steps.append(transforms.RandomErasing(policy.erase_probability, scale=scale))
    return transforms.Compose(steps)


class _Torchvision(FER2013):
    """torchvision's own, without the check that the file is the competition's byte by byte."""

    _RESOURCES: ClassVar[dict[str, tuple[str, None]]] = {
        key: (name, None) for key, (name, _) in FER2013._RESOURCES.items()
    }


def _write_csv(root: Path, data: RunData) -> None:
    (root / "fer2013").mkdir()
    with (root / "fer2013" / "fer2013.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for row in data.split.train:
            pixels = " ".join(map(str, data.faces.images[row].ravel().tolist()))
            writer.writerow([int(data.faces.labels[row]), pixels, "Training"])


def run_steps(training: Training, count: int) -> int:
    """So many whole steps, of one epoch after another; returns the images in them."""
    size = training.phase.batch_size
    drawn = (batch for epoch in itertools.count() for batch in training.draw(epoch).batches(size))
    images = 0
    for positions, rows in islice(drawn, count):
        training.step(positions, rows)
        images += len(positions)
    return images


def _timed(device: torch.device, work: Callable[[], int]) -> tuple[float, int]:
    """Seconds and what the work returned, with nothing left running on the device."""
    wait_for(device)
    begin = time.perf_counter()
    done = work()
    wait_for(device)
    return time.perf_counter() - begin, done


def wait_for(device: torch.device) -> None:
    """Until nothing that was asked of it is left to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def speed_settings(config: RunConfig) -> dict[str, RunConfig]:
    """The run as it is and compiled, by name; one that asks for compiling only that way."""
    compiled = {"compiled": dataclasses.replace(config, compiled=True)}
    return compiled if config.compiled else {"as it is": config, **compiled}
