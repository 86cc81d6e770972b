"""`RunConfig`: everything that decides a run, as one frozen dataclass of plain values.

A recipe, the form in the page and the command line all make this object; a run is repeated from it.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from dataclasses import dataclass, field
from typing import Any

from fer_core.data.faces import DataError
from fer_core.data.policies import AugmentPolicy
from fer_core.data.prepare import check_steps
from fer_core.labels import canonical_name
from fer_core.models import KERNEL_MODEL, ModelError, known_model
from fer_core.paths import RunFolder
from fer_core.runs.checks import ConfigError, checked, parsed, policy_of
from fer_core.runs.limits import PHASE_FIELDS


@dataclass(frozen=True)
class RunConfig:
    """Settings of one run.

    data: what to read (a path, "drawn", "hub:owner/name"). image_size in pixels, channels 1 or 3.
    split: "source" takes the source's own split and cuts what it lacks; "stratified" draws one.
    validation_share: of the images that are not test; test_share: of all images.
    classes_left_out: class names whose images are not used. class_map: class → the name that it
    gets, so that classes can be renamed and merged; "" leaves one out.
    train_share: stratified share of the training part that is used.
    preparation: steps over the training part before it is trained on, see data.prepare.
    scaling: how pixels are normalised.
    start_from: checkpoint folder whose weights, preprocessing and classes the run begins with.
    frozen_share: share of the network's layers, from the input on, that keep their weights.
    chunk_size: a larger batch goes through the network in parts of at most this many images, to
    save memory; the gradients are those of the whole batch, but batch normalisation sees a part.
    choose_by: what picks the best epoch; early_stopping_by and plateau_by: what those two watch,
    early_stopping_by="choose_by" the same. early_stopping_patience, gradient_clip, ema_decay,
    chunk_size, max_updates, max_seconds (of training, without validation and compiling; where there
    are no phases, the schedule keeps up with the clock): 0 turns them off.
    mixup_alpha, cutmix_alpha: images blended, or patched together (training.mixing), 0 turns one
    off; mix_probability: share of the batches that are mixed. views: a file of other views of the
    training images (data.views), "" for none; views_share: how often one takes an image's place.
    votes_share: of the target, what the
    FER+ taggers said; votes_read: a vote for the class that it names, or for the labels that images
    with such votes have in the training part. teachers: checkpoint folders; teacher_share: of the
    loss, what they say, at teacher_temperature; teacher_sees: the very batch that the learner sees,
    or each image as the set has it, once before the run. sharpness_radius: of sharpness-aware
    steps (training.sharpness), 0 for plain ones.
    compiled: whether torch.compile makes kernels of the network first, which takes a minute or so
    and pays on a GPU.
    phases: consecutive parts of the run, each a table of PHASE_FIELDS that differ in it; their
    epochs are scaled to add up to `epochs`.
    """

    recipe: str = "custom"
    data: str = "drawn"
    image_size: int = 48
    channels: int = 1
    split: str = "source"
    validation_share: float = 0.1
    test_share: float = 0.2
    split_seed: int = 42
    classes_left_out: tuple[str, ...] = ()
    class_map: dict[str, Any] = field(default_factory=dict)
    drop_duplicates: bool = False
    train_share: float = 1.0
    preparation: tuple[str, ...] = ()
    scaling: str = "minus_one_to_one"

    model: str = "expressnet"
    model_options: dict[str, Any] = field(default_factory=dict)
    start_from: str = ""
    frozen_share: float = 0.0

    epochs: int = 10
    batch_size: int = 128
    chunk_size: int = 0
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: str = "constant"
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    plateau_by: str = "validation_loss"
    loss: str = "cross_entropy"
    label_smoothing: float = 0.0
    class_weights: bool = False
    balanced_sampling: bool = False
    gradient_clip: float = 0.0
    ema_decay: float = 0.0
    mixup_alpha: float = 0.0
    cutmix_alpha: float = 0.0
    mix_probability: float = 1.0
    views: str = ""
    views_share: float = 0.5
    votes_share: float = 0.0
    votes_read: str = "names"
    teachers: tuple[str, ...] = ()
    teacher_share: float = 0.5
    teacher_temperature: float = 2.0
    teacher_sees: str = "batch"
    sharpness_radius: float = 0.0
    choose_by: str = "validation_accuracy"
    early_stopping_patience: int = 0
    early_stopping_by: str = "choose_by"
    max_updates: int = 0
    max_seconds: float = 0.0
    phases: tuple[dict[str, Any], ...] = ()
    augment: AugmentPolicy = field(default_factory=AugmentPolicy)

    seed: int = 0
    deterministic: bool = False
    device: str = "auto"
    precision: str = "auto"
    compiled: bool = False

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            object.__setattr__(self, item.name, checked(item.name, item.type, value))
        mapped = {canonical_name(name): new or "" for name, new in self.class_map.items()}
        object.__setattr__(self, "class_map", mapped)
        try:
            known_model(self.model, self.model_options)
            check_steps(self.preparation)
        except (ModelError, DataError) as error:
            raise ConfigError(f"{error}") from error
        if memory := [name for name in self.model_options if name.startswith("remembered")]:
            raise ConfigError(
                f"model_options.{memory[0]} is no setting of a run; train without it, then use "
                "python -m fer_core remember on the finished run"
            )
        if self.channels not in (1, 3):
            raise ConfigError(f"channels must be 1 (grey) or 3 (colour), got {self.channels}")
        if self.model == KERNEL_MODEL and (
            idle := [name for name in _BY_STEPS if getattr(self, name)]
        ):
            raise ConfigError(
                "a support vector machine is fitted to images and labels alone and cannot use "
                f"{' or '.join(idle)}; leave {'it' if len(idle) == 1 else 'them'} out"
            )
        if any(part.preparation for part in (self, *self.phase_configs())):
            if self.views:
                raise ConfigError(
                    "views needs the images as they are, since copies have no views; set "
                    'preparation to nothing or views=""'
                )
            if self.votes_share:
                raise ConfigError(
                    "votes_share needs the images as they are, since copies have no votes; set "
                    "preparation to nothing or votes_share=0"
                )
            if self.teachers and self.teacher_sees == "original":
                raise ConfigError(
                    "teacher_sees=original needs the images as they are, since copies have no "
                    "stored answer; set preparation to nothing or teacher_sees=batch"
                )
        if not self.data.strip():
            raise ConfigError("data must name a data set, got nothing; try 'drawn'")
        self.phase_configs()  # every phase is checked as a whole

    def phase_configs(self) -> tuple[RunConfig, ...]:
        """One configuration per phase, in order; without phases the run itself is the only one.

        The epochs of the phases are scaled so that they add up to `epochs`, each at least 1.
        """
        if not self.phases:
            return (self,)
        if self.epochs < len(self.phases):
            raise ConfigError(
                f"epochs must be at least {len(self.phases)}, one for each phase, got {self.epochs}"
            )
        found = [self._phase(place) for place in range(len(self.phases))]
        wanted = [config.epochs for config in found]
        shares = [max(1, round(self.epochs * part / sum(wanted))) for part in wanted]
        while (excess := sum(shares) - self.epochs) != 0:  # one at a time, so none falls to 0
            shares[shares.index(max(shares))] -= 1 if excess > 0 else -1
        return tuple(
            dataclasses.replace(config, epochs=share)
            for config, share in zip(found, shares, strict=True)
        )

    def _phase(self, place: int) -> RunConfig:
        changes = self.phases[place]
        unknown = set(changes) - set(PHASE_FIELDS)
        if unknown:
            raise ConfigError(
                f"phases: a phase cannot set {sorted(unknown)}; it may set "
                f"{', '.join(PHASE_FIELDS)}"
            )
        try:
            return dataclasses.replace(self, phases=(), **changes)
        except (ConfigError, TypeError) as error:
            raise ConfigError(f"phases: in phase {place + 1}, {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` reads them."""
        values = dataclasses.asdict(self)
        for name in (*_NAME_LISTS, "phases"):
            values[name] = list(values[name])
        return values

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        unknown = set(values) - {item.name for item in dataclasses.fields(cls)}
        if unknown:
            raise ConfigError(_unknown(*sorted(unknown)))
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:  # the latter: nested too deeply
            raise ConfigError(f"the configuration is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise ConfigError("the configuration must be a JSON object of field: value")
        return cls.from_dict(values)

    @classmethod
    def from_run(cls, folder: RunFolder) -> RunConfig:
        """The settings of a run. ConfigError, which names the file, where it cannot be used."""
        name = f"{folder.path.resolve().name}/{folder.config.name}"
        try:
            return cls.from_json(folder.config.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ConfigError(f"{name} is no UTF-8 text; mend it or leave the run out") from error
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from error

    def with_settings(self, settings: list[str]) -> RunConfig:
        """A copy with `field=value` texts applied, as the command line's --set gives them.

        `augment.flip_probability=0.5` reaches into the policy, `model_options.dropout=0.2` into
        the model's options; `augment=standard` takes a ready policy.
        """
        values = self.to_dict()
        for setting in settings:
            name, found, text = setting.partition("=")
            name, text = name.strip(), text.strip()
            if not found:
                raise ConfigError(f"a setting is field=value, got {setting!r}")
            group, _, inner = name.partition(".")
            if group not in values:
                raise ConfigError(_unknown(group))
            if inner:
                if group not in ("augment", "model_options", "class_map"):
                    raise ConfigError(f"{group} has no parts, got {name!r}")
                values[group] = {**values[group], inner: parsed(text)}
            elif group == "augment":  # a ready policy, whose parts a later setting may change
                values[group] = policy_of(text).to_dict()
            elif group in _NAME_LISTS:
                listed = parsed(text)  # as JSON, as config.json has it, or with commas between
                values[group] = (
                    listed
                    if isinstance(listed, list)
                    else [part.strip() for part in text.split(",") if part.strip()]
                )
            else:
                values[group] = text if isinstance(values[group], str) else parsed(text)
        return type(self).from_dict(values)


def _unknown(*names: str) -> str:
    """What to say of settings that are none: the nearest ones, all of them only where none is."""
    near = [other for name in names for other in difflib.get_close_matches(name, FIELDS, n=2)]
    what = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(FIELDS)}"
    return f"unknown setting {', '.join(map(repr, names))}; {what}"


#: What only a training by steps learns from.
_BY_STEPS = ("views", "votes_share", "teachers")
#: Fields that are lists of texts.
_NAME_LISTS = ("classes_left_out", "preparation", "teachers")
FIELDS = tuple(item.name for item in dataclasses.fields(RunConfig))
