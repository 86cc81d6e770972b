"""One run from its folder: read the config, train, score, and write everything into the folder.

This is the child process's work, and the command line's; it knows no page and no queue.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from fer_core.freed_memory import keep_freed_memory
from fer_core.models import KERNEL_MODEL, describe_model
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import save_weights
from fer_core.runs.config import RunConfig
from fer_core.runs.inherited import inherited_words
from fer_core.runs.record import (
    Progress,
    append_epoch,
    keep_epochs,
    read_epochs,
    stored_progress,
    write_json,
    write_progress,
)
from fer_core.training.dataset import RunData, load_run_data
from fer_core.training.devices import choose_device, device_name
from fer_core.training.epoch import EpochResult, OnStep, Stopped
from fer_core.training.inherited import inherited_images
from fer_core.training.kernel_fit import KernelTraining
from fer_core.training.last_state import read_state, write_state
from fer_core.training.loop import Training
from fer_core.training.scoring import score_run

#: How often progress.json is replaced while a run trains.
_HEARTBEAT_SECONDS = 1.0

#: Weights of a layer that go into its histogram at most.
_HISTOGRAM_WEIGHTS = 20_000
#: Between two sets of histograms at least; on a GPU an epoch may take less than one of them does.
_HISTOGRAM_SECONDS = 5.0

log = logging.getLogger("fer_core.training")


class ProgressWriter:
    """Keeps progress.json fresh, at most once a heartbeat unless something changed."""

    def __init__(
        self, folder: RunFolder, progress: Progress, show: Callable[[Progress], None]
    ) -> None:
        self.folder, self.progress, self.show = folder, progress, show
        self.written = 0.0
        self.update(force=True)

    def update(self, force: bool = False, **changes: object) -> None:
        self.progress = replace(self.progress, **changes)
        if force or time.monotonic() - self.written >= _HEARTBEAT_SECONDS:
            write_progress(self.folder, self.progress)
            self.written = time.monotonic()
            self.show(self.progress)


def execute_run(
    folder: RunFolder, show: Callable[[Progress], None] = lambda progress: None
) -> Progress:
    """Do the run in `folder`, from its start or from its last finished epoch; returns how it ended.

    The caller holds the run's lock. What goes wrong becomes the state "failed" with the reason in
    plain words, and a traceback in the log.
    """
    config = RunConfig.from_run(folder)
    before = stored_progress(folder)
    writer = ProgressWriter(
        folder,
        Progress(
            state="running",
            reason="reading the data",
            epochs=config.epochs,
            device=before.device if before else "",
            started=time.time(),
            queued_at=before.queued_at if before else time.time(),
        ),
        show,
    )
    handler = logging.FileHandler(folder.log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        _train_and_score(folder, config, writer)
    except Stopped:
        log.info("stopped; the best weights so far are kept")
        writer.update(force=True, state="stopped", reason="stopped by hand", seconds_left=None)
    except torch.cuda.OutOfMemoryError:
        reason = (
            f"the GPU's memory is too small for batches of {config.batch_size}; "
            f"try batch_size={max(2, config.batch_size // 2)}"
        )
        _fail(writer, reason)
    except MemoryError:
        _fail(writer, "this machine's memory is too small; try a smaller image_size or batch_size")
    except Exception as error:  # the one place where a child's every error becomes a state
        _fail(writer, str(error) or type(error).__name__)
    finally:
        log.removeHandler(handler)
        handler.close()
        folder.stop_request.unlink(missing_ok=True)
    return writer.progress


def _fail(writer: ProgressWriter, reason: str) -> None:
    log.exception("failed: %s", reason)
    writer.update(force=True, state="failed", reason=reason, seconds_left=None)


def _train_and_score(folder: RunFolder, config: RunConfig, writer: ProgressWriter) -> None:
    def stop_asked() -> bool:
        return folder.stop_request.exists()

    def telling(what: str) -> OnStep:
        def on_images(done: int, total: int) -> None:
            if stop_asked():
                raise Stopped
            writer.update(reason=f"{what}, {done:,} of {total:,}")

        return on_images

    keep_freed_memory()
    device = choose_device(config.device)
    seed_everything(config)
    data = load_run_data(config, telling("reading the data"))
    data = replace(data, inherited=inherited_images(config, data.split))
    if not folder.data.is_file():  # what is there has been compared with, and says more
        write_json(folder.data, data.describe())
    training = begin_training(config, data, device, telling("the teachers answer"))
    if config.preparation or config.phases:
        writer.update(force=True, reason="preparing the training images")
    _resume(folder, training, stop_asked)
    write_json(folder.data, data.describe(training.preparations, training.views))
    if isinstance(training, KernelTraining):
        writer.update(force=True, reason=training.NO_CURVE)
    log.info(
        "%s: %s training, %s validation, %s test images; on %s",
        data.faces.name,
        *(f"{len(part):,}" for part in (data.split.train, data.split.validation, data.split.test)),
        device_name(device),
    )
    if data.inherited:
        log.warning("%s", inherited_words(data.describe()))
    writer.update(force=True, device=device_name(device), epoch=training.epoch)
    if isinstance(training, Training):  # teachers answer here: no time of the steps' rate
        training.enter_phase(stop_asked)
    begin = time.monotonic()
    seen_before = training.images_seen

    def on_step(step: int, images: int) -> None:
        elapsed = time.monotonic() - begin  # validation included, as a person waits for it too
        if not images:  # a fit that cannot say how far it is
            writer.update()
            return
        rate = (training.images_seen - seen_before + images) / elapsed
        writer.update(
            force=bool(writer.progress.reason),
            reason="",
            step=step,
            steps=training.steps,
            images_per_second=rate,
            seconds_left=_seconds_left(config, training, images, rate),
        )

    drawn = float("-inf")  # when the board last got histograms, which take longer than an epoch may
    with SummaryWriter(folder.tensorboard, purge_step=training.epoch + 1) as board:
        for result in training.epochs(on_step, stop_asked):
            _keep_epoch(folder, config, data, training, result)
            if training.preparations:
                write_json(folder.data, data.describe(training.preparations, training.views))
            draws = time.monotonic() - drawn >= _HISTOGRAM_SECONDS
            _show_on_board(board, result, training.deployed if draws else None)
            drawn = time.monotonic() if draws else drawn
            writer.update(force=True, epoch=result.epoch, step=0)
            log.info(
                "epoch %d: train loss %.4f, accuracy %.4f; validation loss %.4f, accuracy %.4f%s",
                result.epoch,
                result.train_loss,
                result.train_accuracy,
                result.validation_loss,
                result.validation_accuracy,
                " (best so far)" if result.improved else "",
            )
    writer.update(force=True, reason="scoring the best epoch")
    seconds = sum(epoch["seconds"] for epoch in read_epochs(folder))
    facts = describe_model(
        training.deployed, config.model, data.preprocessing.channels, data.preprocessing.image_size
    )
    log.info("%s: %s parameters, %.4f GFLOPs", config.model, f"{facts.parameters:,}", facts.gflops)
    score_run(folder, config, data, training, facts, device_name(device), seconds)
    log.info("finished; the best epoch is %d", training.best_epoch)
    writer.update(force=True, state="finished", reason="", seconds_left=0.0)


def begin_training(
    config: RunConfig, data: RunData, device: torch.device, on_teacher: OnStep
) -> Training | KernelTraining:
    """What trains the config's model: epochs of gradient steps, or one fit."""
    if config.model == KERNEL_MODEL:
        return KernelTraining(config, data, device)
    return Training(config, data, device, on_teacher)


def seed_everything(config: RunConfig) -> None:
    """One seed for Python, NumPy and torch; with `deterministic` only kernels that repeat."""
    random.seed(config.seed)
    np.random.seed(config.seed)  # noqa: NPY002 - for libraries that draw from the global state
    torch.manual_seed(config.seed)
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS may differ
    torch.use_deterministic_algorithms(config.deterministic, warn_only=True)


def _seconds_left(
    config: RunConfig, training: Training | KernelTraining, images: int, rate: float
) -> float:
    """By the images still to come, and by the budgets where they end sooner."""
    left = [(training.images_to_go() - images) / rate]
    if config.max_seconds:
        left.append(config.max_seconds - training.train_seconds - images / rate)
    if config.max_updates:
        left.append((config.max_updates - training.updates) * config.batch_size / rate)
    return max(0.0, min(left))


def _resume(
    folder: RunFolder, training: Training | KernelTraining, should_stop: Callable[[], bool]
) -> None:
    """Take up the last finished epoch when there is one, and drop lines that came after it."""
    if folder.last.is_file():
        state = read_state(folder, training.device)
        training.load_state_dict(state, should_stop)
        log.info("going on after epoch %d", training.epoch)
    if folder.epochs.is_file():
        keep_epochs(folder, training.epoch)


def _keep_epoch(
    folder: RunFolder,
    config: RunConfig,
    data: RunData,
    training: Training | KernelTraining,
    result: EpochResult,
) -> None:
    """Weights when they are the best, then the line, then the state to resume from.

    In this order whatever dies between two writes costs at most this epoch.
    """
    if result.improved:
        save_weights(
            folder.weights,
            training.deployed.state_dict(),
            model_name=config.model,
            model_options=training.model_options,
            preprocessing=data.preprocessing,
            class_names=data.faces.class_names,
        )
    append_epoch(folder, result.to_dict())
    write_state(folder, training.state_dict())


def _show_on_board(board: SummaryWriter, result: EpochResult, model: nn.Module | None) -> None:
    """Scalars of the epoch, and a histogram of the weights of every layer of a model (of a large
    one a sample)."""
    pairs = {
        "loss/train": result.train_loss,
        "loss/validation": result.validation_loss,
        "accuracy/train": result.train_accuracy,
        "accuracy/validation": result.validation_accuracy,
        "macro_f1/validation": result.validation_macro_f1,
        "learning_rate": result.learning_rate,
    }
    for name, value in pairs.items():
        board.add_scalar(name, value, result.epoch)
    for name, weights in model.named_parameters() if model is not None else ():
        if weights.requires_grad and weights.ndim > 1:
            flat = weights.detach().flatten()
            sample = flat[:: max(1, len(flat) // _HISTOGRAM_WEIGHTS)]
            board.add_histogram(f"weights/{name}", sample.float().cpu().numpy(), result.epoch)
    board.flush()
