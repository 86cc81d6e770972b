"""Every recipe, on a few faces: it runs, a broken-off run goes on to the curve of a whole one."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.runs.record import Progress, read_epochs, read_progress, read_record
from fer_core.training.job import create_run
from fer_core.training.run import execute_run

_EPOCHS = [name for name, recipe in RECIPES.items() if recipe.config.model != "svm"]


class Killed(BaseException):
    """Ends a run where it stands, as the end of its process would: nothing more is written."""


@pytest.fixture
def shrunk(tiny_config: RunConfig) -> dict[str, RunConfig]:
    """Recipe → the same on 42 training images for two epochs, without ImageNet weights."""
    made = {}
    for name, recipe in RECIPES.items():
        config = recipe.config
        pretrained = config.model.startswith("vgg19") or config.model == "resnet18"
        options = {**config.model_options, "pretrained": False} if pretrained else {}
        if config.model == "svm":
            options = {**config.model_options, "components": 4}
        made[name] = replace(
            config,
            data=tiny_config.data,
            model_options=options,
            epochs=2 if config.model != "svm" else 1,
            image_size=min(config.image_size, 32 if pretrained or config.channels == 3 else 48),
            batch_size=min(config.batch_size, 16),
            train_share=1 / 3,
            device="cpu",
        )
        if config.phases:
            phases = tuple({**phase, "batch_size": 32} for phase in config.phases)
            made[name] = replace(made[name], phases=phases)
        if config.model == "custom_cnn":
            made[name] = replace(made[name], image_size=48)
    return made


@pytest.mark.parametrize("broken_by", ["stop", "kill"])
@pytest.mark.parametrize("name", _EPOCHS)
def test_a_broken_off_run_goes_on_to_the_curve_of_a_whole_one(
    shrunk: dict[str, RunConfig], tmp_path: Path, name: str, broken_by: str
) -> None:
    whole = create_run(shrunk[name], tmp_path / "runs", "whole")
    assert execute_run(whole).state == "finished", read_progress(whole).reason
    broken = create_run(shrunk[name], tmp_path / "runs", "broken")

    def after_the_first_epoch(progress: Progress) -> None:
        if progress.epoch == 1 and broken_by == "stop":
            broken.stop_request.touch()
        elif progress.epoch == 1:
            raise Killed

    if broken_by == "stop":
        assert execute_run(broken, after_the_first_epoch).state == "stopped"
    else:
        with pytest.raises(Killed):
            execute_run(broken, after_the_first_epoch)
        assert read_progress(broken).state == "interrupted"
    assert len(read_epochs(broken)) == 1
    assert execute_run(broken).state == "finished"
    curves = [_curve(run) for run in (whole, broken)]
    assert curves[0] == curves[1]
    assert read_record(whole)["validation"] == read_record(broken)["validation"]


def _curve(run: RunFolder) -> list[tuple[float, ...]]:
    return [
        (epoch["train_loss"], epoch["validation_loss"], epoch["updates"], epoch["phase"])
        for epoch in read_epochs(run)
    ]


@pytest.mark.parametrize("name", sorted(set(RECIPES) - set(_EPOCHS)))
def test_a_machine_without_epochs_begins_anew_after_a_kill(
    shrunk: dict[str, RunConfig], tmp_path: Path, name: str
) -> None:
    run = create_run(shrunk[name], tmp_path / "runs", "machine")

    def during_the_fit(progress: Progress) -> None:
        if "no curve to watch" in progress.reason:
            raise Killed

    with pytest.raises(Killed):
        execute_run(run, during_the_fit)
    assert read_progress(run).state == "interrupted"
    assert execute_run(run).state == "finished", read_progress(run).reason
    assert len(read_epochs(run)) == 1
