"""Phases, budgets, parts of a batch, frozen layers, a start from a checkpoint."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fer_core.runs.config import ConfigError, RunConfig
from fer_core.training.averaging import Average
from fer_core.training.dataset import load_run_data
from fer_core.training.job import create_run
from fer_core.training.loop import Training
from fer_core.training.losses import training_loss
from fer_core.training.objective import Lesson, parts_of_batch
from fer_core.training.optimization import advance, build_optimizer, load_optimizer
from fer_core.training.run import execute_run

_CPU = torch.device("cpu")


def _training(config: RunConfig) -> Training:
    return Training(config, load_run_data(config), _CPU)


@pytest.fixture
def two_phases(tiny_config: RunConfig) -> RunConfig:
    return replace(
        tiny_config,
        epochs=4,
        phases=(
            {"epochs": 1, "learning_rate": 0.02, "batch_size": 64, "preparation": ["mirror"]},
            {"epochs": 1, "learning_rate": 0.001},
        ),
    )


def test_a_phase_has_its_own_data_rate_and_batches(two_phases: RunConfig) -> None:
    training = _training(two_phases)
    results = list(training.epochs())
    assert [result.phase for result in results] == [1, 1, 2, 2]
    assert [result.learning_rate for result in results] == [0.02, 0.02, 0.001, 0.001]
    assert [result.images_seen for result in results] == [252, 504, 630, 756]  # 126 and a mirror
    assert [result.updates for result in results] == [4, 8, 12, 16]
    assert training.preparations == {1: (("mirror", 252),)}


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_run_in_phases_resumes_to_the_curve_of_an_unbroken_one(
    two_phases: RunConfig, done: int
) -> None:
    whole = [result.train_loss for result in _training(two_phases).epochs()]
    broken, losses = _training(two_phases), []
    for result in broken.epochs():
        losses.append(result.train_loss)
        if result.epoch == done:
            break
    again = _training(two_phases)
    again.load_state_dict(broken.state_dict())
    losses += [result.train_loss for result in again.epochs()]
    assert losses == whole


def test_a_resumed_run_has_the_average_rate_and_draws_of_an_unbroken_one(
    tiny_config: RunConfig,
) -> None:
    config = replace(
        tiny_config,
        epochs=3,
        ema_decay=0.9,
        schedule="one_cycle",
        model_options={"widths": [4, 8, 8], "dropout": 0.5},
        augment="standard",
    )
    whole = _training(config)
    wanted = [(epoch.train_loss, epoch.validation_loss) for epoch in whole.epochs()]
    broken = _training(config)
    next(broken.epochs())
    again = _training(config)
    again.load_state_dict(broken.state_dict())
    assert [(epoch.train_loss, epoch.validation_loss) for epoch in again.epochs()] == wanted[1:]
    for name, value in whole.deployed.state_dict().items():
        assert torch.equal(value, again.deployed.state_dict()[name]), name
    assert whole.optimizer.param_groups[0]["lr"] == again.optimizer.param_groups[0]["lr"]


def test_every_epoch_has_chance_of_its_own(tiny_config: RunConfig) -> None:
    seeds: list[int] = []
    training = _training(replace(tiny_config, epochs=3, batch_size=512))
    list(training.epochs(lambda step, images: seeds.append(torch.initial_seed())))
    assert len(set(seeds)) == 3


def test_a_clipped_gradient_moves_the_weights_no_further(tiny_config: RunConfig) -> None:
    config = replace(
        tiny_config, optimizer="sgd", momentum=0.0, learning_rate=1.0, gradient_clip=0.01
    )
    training = _training(replace(config, max_updates=1))
    before = torch.cat([value.detach().flatten() for value in training.model.parameters()])
    list(training.epochs())
    after = torch.cat([value.detach().flatten() for value in training.model.parameters()])
    assert torch.linalg.vector_norm(after - before) == pytest.approx(0.01, rel=1e-2)


def test_an_average_follows_weights_and_statistics_and_soon_forgets_the_beginning() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    average = Average(model)
    expected = {name: value.clone() for name, value in model.state_dict().items()}
    for update in range(1, 5):
        with torch.no_grad():
            for value in model.parameters():
                value.add_(torch.randn_like(value))
        model(torch.randn(4, 1, 8, 8))  # moves the statistics
        average.take_in(0.25, update)
        decay = min(0.25, (1 + update) / (10 + update))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                value = decay * expected[name] + (1 - decay) * value
            expected[name] = value.clone()
    for name, value in average.network.state_dict().items():
        assert torch.allclose(value, expected[name], atol=1e-5), name
    assert average.network[1].num_batches_tracked == 4


def test_phases_share_the_epochs_as_they_say(tiny_config: RunConfig) -> None:
    config = replace(tiny_config, epochs=6, phases=({"epochs": 20}, {"epochs": 40}))
    assert [phase.epochs for phase in config.phase_configs()] == [2, 4]
    with pytest.raises(ConfigError, match="epochs must be at least 2"):
        replace(config, epochs=1)
    with pytest.raises(ConfigError, match="a phase cannot set \\['model'\\]"):
        replace(config, phases=({"model": "mlp"},))
    with pytest.raises(ConfigError, match="in phase 1, learning_rate must be"):
        replace(config, phases=({"learning_rate": 99},))


def test_a_budget_of_updates_ends_the_run_to_the_update(tiny_config: RunConfig) -> None:
    config = replace(tiny_config, epochs=50, max_updates=6, schedule="one_cycle")
    results = list(_training(config).epochs())
    assert results[-1].updates == 6  # four batches in an epoch of 126 images
    assert [result.images_seen for result in results] == [126, 126 + 64]
    training = _training(config)
    list(training.epochs())
    assert training.schedule.total_steps == 6  # the schedule fits the budget


def test_a_budget_of_seconds_ends_the_run(tiny_config: RunConfig) -> None:
    results = list(_training(replace(tiny_config, epochs=10_000, max_seconds=0.5)).epochs())
    assert results[-1].train_seconds >= 0.5
    assert sum(result.train_seconds < 0.5 for result in results) == len(results) - 1


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_a_run_that_the_clock_ends_comes_to_the_end_of_its_schedule(
    tiny_config: RunConfig, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) * 0.01)
    monkeypatch.setattr("fer_core.training.loop.time", clock)
    config = replace(tiny_config, epochs=10_000, max_seconds=2.0, schedule=schedule)
    training, rates = _training(config), []
    list(training.epochs(lambda step, images: rates.append(_rate(training))))
    assert max(rates) > 0.9 * config.learning_rate
    assert rates[-1] < 0.01 * config.learning_rate  # 40,000 updates were planned
    assert 20 < len(rates) < 400


def test_compiling_is_not_counted_and_leaves_the_schedule_its_rise(
    tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    clock = SimpleNamespace(perf_counter=lambda: now)
    monkeypatch.setattr("fer_core.training.loop.time", clock)

    def compiles(model: nn.Module, dynamic: bool) -> Callable[[torch.Tensor], torch.Tensor]:
        first = True

        def learner(images: torch.Tensor) -> torch.Tensor:
            nonlocal now, first
            now, first = now + (40.0 if first else 0.1), False
            return model(images)

        return learner

    monkeypatch.setattr(torch, "compile", compiles)
    # three whole batches of an epoch's 126 images take 0.1 s each; 100 updates fill ten seconds
    config = replace(
        tiny_config, epochs=10_000, max_seconds=10.0, schedule="one_cycle", compiled=True
    )
    training, rates = _training(config), []
    results = list(training.epochs(lambda step, images: rates.append(_rate(training))))
    assert results[0].train_seconds == pytest.approx(0.2)
    assert results[0].seconds > 40
    assert results[0].images_per_second == pytest.approx(126 / 0.2)
    assert training.train_seconds == pytest.approx(10)
    assert rates[0] < 0.2 * config.learning_rate
    assert max(rates[1:]) > 0.9 * config.learning_rate


def test_a_slow_start_and_fast_updates_stay_within_the_schedule(tiny_config: RunConfig) -> None:
    budget = {"max_updates": 600, "max_seconds": 60}
    config = replace(tiny_config, epochs=150, schedule="one_cycle", **budget)
    training = _training(config)
    training.enter_phase()
    seconds, rates = 2.0, []
    for update in range(1, 601):  # the first takes two seconds, the others 10.2 to the second
        training.optimizer.step()
        advance(training.schedule, config, training.steps, update, seconds / 60)
        rates.append(_rate(training))
        seconds += 1 / 10.2
    assert rates[-20] > rates[-1]  # no stretch at its end without learning
    assert rates[-1] < 0.01 * config.learning_rate


def _rate(training: Training) -> float:
    return training.optimizer.param_groups[0]["lr"]


def test_a_budget_of_seconds_that_is_not_used_up_leaves_the_schedule(
    tiny_config: RunConfig,
) -> None:
    config = replace(tiny_config, epochs=3, schedule="cosine")
    plain, long = (
        [result.learning_rate for result in _training(one).epochs()]
        for one in (config, replace(config, max_seconds=3600))
    )
    assert plain == long


def test_parts_of_a_batch_give_the_gradient_of_the_whole(tiny_config: RunConfig) -> None:
    plain = {"model": "mlp", "model_options": {}, "optimizer": "sgd", "learning_rate": 0.1}
    config = replace(tiny_config, **plain, batch_size=126, epochs=1)
    weights = []
    for size in (0, 50):
        training = _training(replace(config, chunk_size=size))
        for module in training.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        list(training.epochs())
        values = [value.detach().flatten() for value in training.model.parameters()]
        weights.append(torch.cat(values))
    assert torch.allclose(weights[0], weights[1], atol=1e-6)
    fresh = _training(config).model.parameters()
    assert not torch.allclose(torch.cat([value.flatten() for value in fresh]), weights[0])


@pytest.mark.parametrize("loss", ["cross_entropy", "one_hot_nll"])
@pytest.mark.parametrize("soft", [False, True])
def test_the_losses_of_parts_add_up_to_that_of_the_batch(
    tiny_config: RunConfig, loss: str, soft: bool
) -> None:
    config = replace(tiny_config, loss=loss, class_weights=True)
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(12, 7, generator=random)
    targets = torch.tensor([0] * 6 + [1, 2, 3, 4, 5, 6])  # the first part of common faces alone
    if soft:
        targets = torch.softmax(torch.randn(12, 7, generator=random), dim=1)
    weights = torch.tensor([0.2, 3.0, 1.0, 1.0, 5.0, 1.0, 1.0])
    training = _training(config)
    whole = Lesson(torch.zeros(12, 1, 48, 48), targets, None)
    expected = training_loss(config, scores, targets, weights)
    parts = [
        training.objective.loss(config, scores[a:b], whole.part(a, b), weights, whole)
        for a, b in ((0, 6), (6, 12))
    ]
    assert sum(parts) == pytest.approx(float(expected), rel=1e-5)


def test_the_losses_of_parts_add_up_with_a_teacher(tiny_config: RunConfig) -> None:
    training = _training(tiny_config)
    random = torch.Generator().manual_seed(0)
    scores, said = (torch.randn(12, 7, generator=random) for _ in range(2))
    training.objective.teachers = SimpleNamespace(
        share=0.7,
        loss=lambda own, answers: functional.kl_div(
            own.log_softmax(dim=1), answers, reduction="batchmean"
        ),
    )
    targets = torch.arange(12) % 7
    whole = Lesson(torch.zeros(12, 1, 48, 48), targets, said.softmax(dim=1))
    hard = functional.cross_entropy(scores, targets)
    soft = functional.kl_div(scores.log_softmax(dim=1), whole.answers, reduction="batchmean")
    parts = [
        training.objective.loss(tiny_config, scores[a:b], whole.part(a, b), None, whole)
        for a, b in ((0, 3), (3, 12))
    ]
    assert sum(parts) == pytest.approx(float(0.3 * hard + 0.7 * soft), rel=1e-5)


def test_parts_are_never_of_a_single_image() -> None:
    for images in range(2, 12):
        parts = list(parts_of_batch(images, 2))
        assert parts[0][0] == 0
        assert parts[-1][1] == images
        assert min(stop - start for start, stop in parts) >= 2


def test_frozen_layers_keep_their_weights(tiny_config: RunConfig) -> None:
    training = _training(replace(tiny_config, frozen_share=0.5))
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    frozen = {n for n, value in training.model.named_parameters() if not value.requires_grad}
    list(training.epochs())
    changed = {
        name
        for name, value in training.model.named_parameters()
        if not torch.equal(value, before[name])
    }
    assert frozen
    assert changed
    assert not frozen & changed


def test_a_run_begins_with_the_weights_of_a_checkpoint(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    first = create_run(replace(tiny_config, epochs=8), tmp_path / "runs", "first")
    execute_run(first)
    config = replace(
        tiny_config, start_from=str(first.path), learning_rate=1e-8, scaling="per_pixel", epochs=1
    )
    training = _training(config)
    assert training.data.preprocessing.mean == (0.5,)  # the checkpoint's, not the config's
    accuracy = next(iter(training.epochs())).validation_accuracy
    assert accuracy > 0.8
    with pytest.raises(ValueError, match="holds a expressnet_demo, the configuration names 'mlp'"):
        _training(replace(config, model="mlp", model_options={}))
    with pytest.raises(ValueError, match="do not fit expressnet_demo"):
        _training(replace(config, model_options={"widths": [4, 8, 16]}))
    with pytest.raises(ValueError, match=r"start_from: .* holds no weights"):
        _training(replace(config, start_from=str(tmp_path)))


def test_classes_are_merged_renamed_and_left_out(tiny_config: RunConfig) -> None:
    config = replace(tiny_config, class_map={"sad": "neutral", "fear": ""})
    data = load_run_data(config)
    assert data.faces.class_names == ("angry", "disgust", "happy", "surprise", "neutral")
    counts = data.describe()["counts"]["train"]
    assert counts == {"angry": 18, "disgust": 18, "happy": 18, "surprise": 18, "neutral": 36}
    with pytest.raises(ValueError, match=r"classes to map must be in the set, got \['pain'\]"):
        load_run_data(replace(config, class_map={"pain": "sad"}))


def test_a_share_of_the_training_part_keeps_the_shares_of_the_classes(
    tiny_config: RunConfig,
) -> None:
    whole, third = (
        load_run_data(replace(tiny_config, train_share=share)) for share in (1.0, 1 / 3)
    )
    assert np.isin(third.split.train, whole.split.train).all()
    assert np.bincount(third.faces.labels[third.split.train]).tolist() == [6] * 7
    assert np.array_equal(whole.split.test, third.split.test)
    seeded = load_run_data(replace(tiny_config, train_share=1 / 3, seed=5))
    assert np.array_equal(seeded.split.train, third.split.train)  # trials differ in their seed
    again = load_run_data(replace(tiny_config, train_share=1 / 3, split_seed=5))
    assert not np.array_equal(again.split.train, third.split.train)
    least = load_run_data(replace(tiny_config, train_share=0.001))
    assert np.bincount(least.faces.labels[least.split.train]).tolist() == [1] * 7


def test_decay_leaves_out_biases_and_scales(tiny_config: RunConfig) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    config = replace(tiny_config, optimizer="sgd", weight_decay=0.1)
    groups = build_optimizer(config, model).param_groups
    decays = {id(value): group["weight_decay"] for group in groups for value in group["params"]}
    found = {name: decays[id(value)] for name, value in model.named_parameters()}
    assert found == {"0.weight": 0.1, "0.bias": 0, "1.weight": 0, "1.bias": 0}


@pytest.mark.parametrize(
    "name", ["adamax", "adagrad", "asgd", "rmsprop", "rprop", "adamw", "sgd", "adam"]
)
def test_every_optimizer_makes_the_loss_smaller(tiny_config: RunConfig, name: str) -> None:
    rate = {"sgd": 0.05, "asgd": 0.05, "rprop": 1e-4}.get(name, 0.005)
    config = replace(tiny_config, epochs=5, optimizer=name, learning_rate=rate, batch_size=126)
    losses = [result.train_loss for result in _training(config).epochs()]
    assert losses[-1] < losses[0]


def test_a_state_from_another_device_is_taken_up_and_computed_as_here() -> None:
    def weights() -> list[torch.nn.Parameter]:
        return [torch.nn.Parameter(torch.ones(3))]

    fused = torch.optim.AdamW(weights(), 0.1, fused=True)  # as on a GPU
    fused.param_groups[0]["params"][0].grad = torch.ones(3)
    fused.step()
    plain = torch.optim.AdamW(weights(), 0.3)
    load_optimizer(plain, fused.state_dict())
    assert plain.param_groups[0]["lr"] == 0.1
    assert not plain.param_groups[0]["fused"]
    assert torch.equal(
        plain.state[plain.param_groups[0]["params"][0]]["exp_avg"], torch.full((3,), 0.1)
    )
