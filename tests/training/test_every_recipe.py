"""Every recipe, on a few faces: it runs, a broken-off run goes on to the curve of a whole one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.views import Views, write_views
from fer_core.paths import RunFolder
from fer_core.runs.config import RunConfig
from fer_core.runs.recipes import RECIPES
from fer_core.runs.record import Progress, read_epochs, read_progress, read_record
from fer_core.training.dataset import load_run_data
from fer_core.training.job import create_run
from fer_core.training.run import execute_run

_EPOCHS = [name for name, recipe in RECIPES.items() if recipe.config.model != "svm"]


class Killed(BaseException):
    """Ends a run where it stands, as the end of its process would: nothing more is written."""


@pytest.fixture
def shrunk(tiny_config: RunConfig) -> dict[str, RunConfig]:
    """Recipe → the same on 14 training images for two epochs, without ImageNet weights."""
    lines = Path(tiny_config.data).read_text().splitlines()
    few = Path(tiny_config.data).with_name("few.csv")
    few.write_text("\n".join(lines[:71]) + "\n")  # 42 train, 14 validate, 14 test
    options = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    votes = [
        ",".join("8" if place == int(line[0]) else "1" for place in range(7))
        for line in lines[1:71]
    ]  # for recipes that learn from FER+ votes, too
    few.with_name("fer2013new.csv").write_text("\n".join([",".join(options), *votes]) + "\n")
    made = {}
    for name, recipe in RECIPES.items():
        config = recipe.config
        pretrained = config.model.startswith("vgg19") or config.model == "resnet18"
        options = {**config.model_options, "pretrained": False} if pretrained else {}
        if config.model == "svm":
            options = {**config.model_options, "components": 4}
        made[name] = replace(
            config,
            data=str(few),
            model_options=options,
            epochs=2 if config.model != "svm" else 1,
            image_size=min(config.image_size, 32 if pretrained or config.channels == 3 else 48),
            batch_size=min(config.batch_size, 8),
            train_share=1 / 3,
            validation_share=0.34,
            device="cpu",
        )
        if config.phases:
            phases = tuple({**phase, "batch_size": 64} for phase in config.phases)
            made[name] = replace(made[name], phases=phases)
        if config.model == "custom_cnn":
            made[name] = replace(made[name], image_size=48)
        if config.views:
            faces = load_run_data(replace(made[name], views="")).faces
            views = few.with_name(f"{name}.npz")
            write_views(views, Views(255 - faces.images, np.arange(len(faces))), faces)
            made[name] = replace(made[name], views=str(views))
    return made


@pytest.mark.parametrize("name", _EPOCHS)
def test_a_broken_off_run_goes_on_to_the_curve_of_a_whole_one(
    shrunk: dict[str, RunConfig], tmp_path: Path, name: str
) -> None:
    whole = create_run(shrunk[name], tmp_path / "runs", "whole")
    assert execute_run(whole).state == "finished", read_progress(whole).reason
    stopped = create_run(shrunk[name], tmp_path / "runs", "stopped")
    killed = create_run(shrunk[name], tmp_path / "runs", "killed")

    def stop(progress: Progress) -> None:
        if progress.epoch == 1:
            stopped.stop_request.touch()

    def kill(progress: Progress) -> None:
        if progress.epoch == 1:
            raise Killed

    assert execute_run(stopped, stop).state == "stopped"
    with pytest.raises(Killed):
        execute_run(killed, kill)
    assert read_progress(killed).state == "interrupted"
    for broken in (stopped, killed):
        assert len(read_epochs(broken)) == 1
        assert execute_run(broken).state == "finished"
        assert _curve(broken) == _curve(whole)
        assert read_record(broken)["validation"] == read_record(whole)["validation"]


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
