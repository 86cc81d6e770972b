"""A sweep: a grid of runs that differ in chosen fields, planned and checked before any is made."""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from fer_core.models import ModelError, build_model
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import RunError, checked_name

MAX_RUNS = 200
MAX_SEEDS = 50
LONGEST_NAME = 30
_LONGEST_CELL = 48
_LONGEST_RUN = 80
#: Fields that a grid cannot be laid over, with what to use instead.
_NOT_VARIED = {
    "seed": "give the number of seeds instead",
    "recipe": "a sweep has one recipe; compare recipes under equal budgets",
}


class SweepError(RunError):
    """A sweep that cannot be planned, found or changed; the message says what to do."""


@dataclass(frozen=True)
class Cell:
    """One place of the grid, the same in all of its runs but for the seed.

    values: one text per field of the sweep, as `RunConfig.with_settings` takes it; None keeps what
    the sweep's base has.
    """

    name: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Sweep:
    """base: the settings that all runs share. fields: what differs, `augment.noise_std` included.

    seeds: each cell is run once with each. methods: for an ablation what each field is called,
    otherwise empty. made_at: Unix seconds.
    """

    name: str
    base: RunConfig
    fields: tuple[str, ...]
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]
    methods: tuple[str, ...] = ()
    made_at: float = 0.0

    @property
    def kind(self) -> str:
        return "ablation" if self.methods else "sweep"

    def config(self, cell: Cell, seed: int) -> RunConfig:
        """The settings of one run; ConfigError when they cannot be used together."""
        pairs = zip(self.fields, cell.values, strict=True)
        settings = [f"{field}={value}" for field, value in pairs if value is not None]
        return replace(self.base.with_settings(settings), seed=seed)

    def run_name(self, cell: Cell, seed: int) -> str:
        return f"{self.name}-{cell.name}-s{seed}"

    def run_names(self, cell: Cell) -> list[str]:
        """The names of a cell's runs, one per seed."""
        return [self.run_name(cell, seed) for seed in self.seeds]

    def runs(self) -> list[tuple[str, Cell, int]]:
        """(name, cell, seed) of every run, the first seed of all cells first."""
        return [
            (self.run_name(cell, seed), cell, seed) for seed in self.seeds for cell in self.cells
        ]

    def same_plan(self, other: Sweep) -> bool:
        """Whether both ask for the same runs under the same names."""
        return replace(self, made_at=0.0) == replace(other, made_at=0.0)


def split_values(text: str) -> tuple[str, ...]:
    """The values in a text: "1e-4, 3e-4" → two. Commas inside brackets or quotes do not separate.

    With a bar in the text only bars separate, so that a value may hold commas:
    "disgust | disgust,fear".
    """
    if "|" in text:
        return tuple(part.strip() for part in text.split("|"))
    values, depth, quoted, current = [], 0, False, ""
    for sign in text:
        quoted ^= sign == '"'
        if not quoted:
            depth += (sign in "[{(") - (sign in ")}]")
        if sign == "," and not quoted and depth <= 0:
            values.append(current.strip())
            current = ""
        else:
            current += sign
    values.append(current.strip())
    return tuple(value for value in values if value)


def field_title(field: str) -> str:
    """A field as a column's header: "augment.flip_probability" → "flip probability"."""
    return field.rpartition(".")[2].replace("_", " ")


def read_vary(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Field → values from texts such as "learning_rate=1e-4,3e-4"."""
    vary: dict[str, tuple[str, ...]] = {}
    for text in texts:
        field, found, values = text.partition("=")
        field = field.strip()
        if not found or not field:
            raise SweepError(f"what to vary is field=value,value, got {text!r}")
        if field in vary:
            raise SweepError(f"{field} is given twice; put all of its values into one")
        vary[field] = split_values(values)
    return vary


def plan_sweep(
    name: str, base: RunConfig, vary: Mapping[str, Sequence[str]], seeds: int = 1
) -> Sweep:
    """Every combination of the values in `vary`, each checked as a whole `RunConfig`.

    Without a field the only cell is the base itself, which several seeds give a deviation.
    SweepError or ConfigError when the grid is too large, a value is wrong or two cells are equal.
    """
    for field, values in vary.items():
        if field in _NOT_VARIED:
            raise SweepError(f"{field} cannot be varied; {_NOT_VARIED[field]}")
        if not re.fullmatch(r"[\w.-]+", field):
            raise SweepError(f"{field!r} is no setting's name")
        if not values:
            raise SweepError(f"{field} has no values; try {field}=a,b")
    # a whole policy first, so that varied parts of it come after and count
    fields = tuple(sorted(vary, key=lambda field: "." in field))
    check_size(math.prod(len(vary[field]) for field in fields), seeds)
    grid = list(itertools.product(*(vary[field] for field in fields)))
    numbers = seeds_from(base, seeds)
    room = _LONGEST_RUN - len(f"{name}--s{numbers[-1]}")
    names = _cell_names(fields, grid, min(_LONGEST_CELL, room))
    cells = tuple(Cell(cell, values) for cell, values in zip(names, grid, strict=True))
    return checked_sweep(Sweep(name, base, fields, cells, numbers))


def check_size(cells: int, seeds: int) -> None:
    """SweepError when these are too many runs, or no number of seeds."""
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= MAX_SEEDS:
        raise SweepError(f"the number of seeds must be 1 to {MAX_SEEDS}, got {seeds!r}")
    if cells * seeds > MAX_RUNS:
        raise SweepError(
            f"this makes {cells * seeds:,} runs ({cells:,} cells × {seeds} seeds), and at most "
            f"{MAX_RUNS} fit into one sweep; take fewer values or seeds"
        )


def seeds_from(base: RunConfig, count: int) -> tuple[int, ...]:
    """`count` seeds, from the base's own on."""
    return tuple(range(base.seed, base.seed + count))


def checked_sweep(sweep: Sweep) -> Sweep:
    """The sweep, when its name and the settings of every cell can be used and all cells differ."""
    checked_name(sweep.name)
    if len(sweep.name) > LONGEST_NAME:
        raise SweepError(
            f"a sweep's name has at most {LONGEST_NAME} characters, because the names of its runs "
            f"begin with it; got {len(sweep.name)}"
        )
    _check_phases(sweep)
    seen: dict[str, Cell] = {}
    for cell in sweep.cells:
        checked_name(sweep.run_name(cell, sweep.seeds[-1]))
        config = sweep.config(cell, sweep.seeds[0])
        check_model(config)
        other = seen.setdefault(config.to_json(), cell)
        if other is not cell:
            raise SweepError(
                f"the cells {other.name} and {cell.name} are the same run; leave one value out"
            )
    sweep.config(sweep.cells[0], sweep.seeds[-1])
    return sweep


def _check_phases(sweep: Sweep) -> None:
    """SweepError for a field that every phase of the base sets for itself."""
    phases = sweep.base.phases
    for field in sweep.fields:
        group = field.partition(".")[0]
        if group != "epochs" and phases and all(group in phase for phase in phases):
            raise SweepError(
                f"{field} is set by each phase of the recipe, so varying it would change nothing; "
                "vary phases instead, or set phases=[] for all runs"
            )


def check_model(config: RunConfig) -> None:
    """ConfigError when the network cannot be built with these options."""
    options = json.dumps(config.model_options, sort_keys=True)
    reason = _model_problem(config.model, options, config.channels, config.image_size)
    if reason:
        raise ConfigError(reason)


@functools.lru_cache(maxsize=512)
def _model_problem(model: str, options: str, channels: int, image_size: int) -> str:
    """Why the network cannot be built, "" when it can; its weights take no memory and no time."""
    try:
        with torch.device("meta"):
            build_model(model, 7, channels, image_size, json.loads(options), fetch_weights=False)
    except ModelError as error:
        return str(error)
    return ""


def _cell_names(fields: Sequence[str], grid: Sequence[Sequence[str]], longest: int) -> list[str]:
    """A readable name for each cell; numbers where those would be too long or alike."""
    if not fields:
        return ["base"]
    names = ["-".join(map(_name_part, fields, values)) for values in grid]
    if max(map(len, names)) <= longest and len(set(names)) == len(names):
        return names
    width = len(str(len(grid)))
    return [f"cell{number:0{width}d}" for number in range(1, len(grid) + 1)]


def _name_part(field: str, value: str) -> str:
    """ "sgd" stands for itself, "0.5" needs its field: "flip_probability0.5"."""
    word = re.sub(r"[^A-Za-z0-9_.]+", "-", value).strip("-.")
    last = field.rpartition(".")[2]
    if re.fullmatch(r"[\d.e-]*|yes|no|true|false", word, re.IGNORECASE):
        return f"{last}-{word or 'none'}"
    return word
