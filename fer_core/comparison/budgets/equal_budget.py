"""Contenders under one budget: the same epochs, the same updates, or the same training seconds.

A `BudgetPlan` is checked before any run is made and kept as JSON beside its runs; everything else
about it is read from the run folders.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fer_core.comparison.sweeps.words import without_folders
from fer_core.data.batches import steps_per_epoch
from fer_core.models import KERNEL_MODEL
from fer_core.paths import budgets_folder
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.limits import BOUNDS
from fer_core.runs.recipes import find_recipe
from fer_core.runs.record import RunError, checked_name, read_json, write_json
from fer_core.runs.shipping import portable_setting
from fer_core.training.dataset import load_run_data

KINDS = ("epochs", "updates", "seconds")
MOST_CONTENDERS = 6
LONGEST_NAME = 30
_LONGEST_SLUG = 45
_MOST_EPOCHS = int(BOUNDS["epochs"][1])
#: Kind → (lowest, highest) amount.
AMOUNTS = {"epochs": (1, _MOST_EPOCHS), "updates": (2, 10_000_000), "seconds": (1, 1_000_000)}
#: Schedules whose shape depends on how long the run is.
_SHAPED = ("one_cycle", "cosine")


class BudgetError(RunError):
    """A comparison that cannot be planned, found or started; the message says what to do."""


@dataclass(frozen=True)
class Common:
    """What all contenders share; fields and their defaults as in `RunConfig`."""

    data: str = RunConfig.data
    split: str = RunConfig.split
    validation_share: float = RunConfig.validation_share
    test_share: float = RunConfig.test_share
    split_seed: int = RunConfig.split_seed
    seed: int = RunConfig.seed
    train_share: float = RunConfig.train_share


@dataclass(frozen=True)
class Contender:
    """A recipe and what is changed in it: settings are `field=value` texts."""

    recipe: str
    settings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return shlex.join([self.recipe, *self.settings])

    @property
    def shown(self) -> str:
        """The title for everyone's eyes: of checkpoints, which are folders, only the names."""
        return self._told(without_folders)

    @property
    def portable(self) -> str:
        """The title without the folders of this computer, as a command for another one."""
        return self._told(portable_setting)

    def _told(self, words: Callable[[str, str], str]) -> str:
        pairs = (text.partition("=") for text in self.settings)
        named = [f"{name}{sign}{words(name.strip(), value)}" for name, sign, value in pairs]
        return shlex.join([self.recipe, *named])

    @property
    def slug(self) -> str:
        """The shown title as a part of a folder's name."""
        return re.sub(r"[^A-Za-z0-9._]+", "-", self.shown).strip("-._")[:_LONGEST_SLUG]


@dataclass(frozen=True)
class BudgetPlan:
    """amount: epochs, updates, or seconds of training (validation not counted), by `kind`."""

    name: str
    kind: str
    amount: float
    contenders: tuple[Contender, ...]
    common: Common = Common()
    #: Names of the runs of a comparison that was started; of a new one they follow from the titles.
    run_names: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        checked_name(self.name)
        if len(self.name) > LONGEST_NAME:
            raise BudgetError(f"a comparison's name has at most {LONGEST_NAME} characters")
        if self.kind not in KINDS:
            raise BudgetError(f"the budget must be one of {', '.join(KINDS)}, got {self.kind!r}")
        _check_amount(self.kind, self.amount)
        if not 2 <= len(self.contenders) <= MOST_CONTENDERS:
            raise BudgetError(
                f"a comparison needs 2 to {MOST_CONTENDERS} contenders, got {len(self.contenders)}"
            )
        configs = [self._plain_config(contender) for contender in self.contenders]
        for place, config in enumerate(configs):
            if config in configs[:place]:
                raise BudgetError(
                    f"contender {place + 1} ({self.contenders[place].title}) is the same as an "
                    "earlier one; change one of its settings, such as augment=none"
                )

    @property
    def runs(self) -> dict[str, Contender]:
        """Run name → contender, in their order."""
        if len(set(self.run_names)) == len(self.contenders):
            return dict(zip(self.run_names, self.contenders, strict=True))
        found: dict[str, Contender] = {}
        for contender in self.contenders:
            stem = f"{self.name}-{contender.slug}"
            name, number = stem, 2
            while name in found:
                name, number = f"{stem}-{number}", number + 1
            found[name] = contender
        return found

    @property
    def titles(self) -> dict[str, str]:
        """Run name → what its contender is called on the page, each title once."""
        found: dict[str, str] = {}
        for name, contender in self.runs.items():
            title, number = contender.shown, 2
            while title in found.values():
                title, number = f"{contender.shown} ({number})", number + 1
            found[name] = title
        return found

    def config(
        self,
        contender: Contender,
        steps: Callable[[RunConfig], int],
        speed: Callable[[RunConfig], float],
    ) -> RunConfig:
        """The whole configuration of a contender's run.

        steps(config): its updates per epoch. speed(config): updates per second on this machine;
        asked only where a schedule must be fitted to a budget of seconds.
        """
        config = self._plain_config(contender)
        if self.kind == "epochs":
            return replace(config, epochs=int(self.amount))
        if self.kind == "updates":
            wanted = int(self.amount)
            return replace(config, max_updates=wanted, epochs=_enough_epochs(wanted, config, steps))
        config = replace(config, max_seconds=float(self.amount))
        if any(text.partition("=")[0].strip() == "epochs" for text in contender.settings):
            return config
        if config.schedule not in _SHAPED:
            return replace(config, epochs=_MOST_EPOCHS)
        wanted = max(2, round(self.amount * speed(config)))
        return replace(config, max_updates=wanted, epochs=_enough_epochs(wanted, config, steps))

    def _plain_config(self, contender: Contender) -> RunConfig:
        """Recipe, what all share, and the contender's own settings, still without the budget."""
        own = {text.partition("=")[0].strip() for text in contender.settings}
        given = {"max_updates", "max_seconds", *asdict(self.common)}
        given |= set() if self.kind == "seconds" else {"epochs"}
        if own & given:
            raise BudgetError(
                f"{contender.title}: {', '.join(sorted(own & given))} is the same for all "
                "contenders and is set once for the comparison; take it out here"
            )
        base = replace(find_recipe(contender.recipe).config, **asdict(self.common))
        try:
            config = base.with_settings(list(contender.settings))
        except ConfigError as error:
            raise BudgetError(f"{contender.title}: {error}") from error
        _check_trainable(contender, config, self.kind, self.amount)
        return config

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        del values["run_names"]
        values["contenders"] = [item.title for item in self.contenders]
        return {**values, "runs": list(self.runs)}


def parse_contender(text: str) -> Contender:
    """ "quick augment=none epochs=20" → a contender; quotes keep a value with blanks together."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BudgetError(f"contender {text!r} has an open quote; close it") from error
    if not words:
        raise BudgetError("a contender is a recipe and field=value changes, got nothing")
    for word in words[1:]:
        if "=" not in word:
            raise BudgetError(f"in contender {text!r}, {word!r} is no field=value")
    return Contender(words[0], tuple(words[1:]))


def make_plan(
    name: str, kind: str, amount: float, contenders: Sequence[Contender], common: Common
) -> BudgetPlan:
    """A plan, with every refusal as a BudgetError; blanks in the name become '-'."""
    try:
        return BudgetPlan("-".join(name.split()), kind, amount, tuple(contenders), common)
    except BudgetError:
        raise
    except (RunError, ConfigError) as error:
        raise BudgetError(str(error)) from error


def save_plan(plan: BudgetPlan, runs_folder: Path) -> None:
    folder = budgets_folder(runs_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BudgetError(f"the folder {folder} cannot be made: {error}") from error
    write_json(plan_file(runs_folder, plan.name), plan.to_dict())


def plan_file(runs_folder: Path, name: str) -> Path:
    return budgets_folder(runs_folder) / f"{checked_name(name)}.json"


def read_plan(runs_folder: Path, name: str) -> BudgetPlan:
    """A stored comparison. BudgetError when there is none of that name or it cannot be read."""
    values = read_json(plan_file(runs_folder, name))
    if values is None:
        raise BudgetError(f"there is no comparison named {name!r}; choose one from the list")
    try:
        return BudgetPlan(
            name,
            values["kind"],
            values["amount"],
            tuple(parse_contender(str(text)) for text in values["contenders"]),
            Common(**values["common"]),
            tuple(checked_name(run) for run in values.get("runs", ())),
        )
    except (KeyError, TypeError, AttributeError, RunError, ConfigError) as error:
        raise BudgetError(f"the comparison {name} cannot be read: {error}") from error


def list_plans(runs_folder: Path) -> list[str]:
    """Names of the stored comparisons, newest first."""
    folder = budgets_folder(runs_folder)
    files = list(folder.glob("[!.]*.json")) if folder.is_dir() else []
    return [path.stem for path in sorted(files, key=lambda path: -path.stat().st_mtime)]


def count_steps(config: RunConfig) -> int:
    """Updates per epoch, from the data itself."""
    return steps_per_epoch(len(load_run_data(config).split.train), config.batch_size)


def _enough_epochs(updates: int, config: RunConfig, steps: Callable[[RunConfig], int]) -> int:
    """Epochs that hold so many updates; a preparation changes the epoch's length, so then plenty:
    the loop ends at the update, and fits its schedule to it."""
    if config.preparation:
        return min(_MOST_EPOCHS, updates)
    epochs = math.ceil(updates / max(1, steps(config)))
    if epochs > _MOST_EPOCHS:
        raise BudgetError(f"{updates:,} updates are {epochs:,} epochs, at most {_MOST_EPOCHS:,}")
    return epochs


def _check_amount(kind: str, amount: Any) -> None:
    low, high = AMOUNTS[kind]
    whole = kind == "seconds" or (isinstance(amount, int | float) and amount == amount // 1)
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not whole:
        what = "number" if kind == "seconds" else "whole number"
        raise BudgetError(f"the {kind} must be a {what}, got {amount!r}")
    if not low <= amount <= high:
        raise BudgetError(f"the {kind} must be {low:,} to {high:,}, got {amount}")


def _check_trainable(contender: Contender, config: RunConfig, kind: str, amount: float) -> None:
    if config.model == KERNEL_MODEL:
        raise BudgetError(
            f"{contender.title} is fitted once and has no epochs, updates or time limit; train it "
            "in the Train tab and choose the finished run for the comparison"
        )
    if config.phases and kind != "epochs":
        raise BudgetError(
            f"{contender.title} trains in phases that end after epochs; compare it under the same "
            "epochs"
        )
    if config.phases and amount < len(config.phases):
        raise BudgetError(
            f"{contender.title} has {len(config.phases)} phases and needs as many epochs, "
            f"got {amount:g}"
        )
