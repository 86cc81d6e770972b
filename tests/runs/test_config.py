"""RunConfig: refused at the border with what, got and repair; the same through JSON and --set."""

import pytest

from fer_core.data.policies import POLICIES
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.limits import BOUNDS, CHOICES
from fer_core.runs.recipes import RECIPES, find_recipe, repeat_command


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_json(name: str) -> None:
    config = RECIPES[name].config
    assert RunConfig.from_json(config.to_json()) == config
    assert config.recipe == name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 to 10000, got 0"),
        ({"epochs": float("inf")}, "epochs must be a whole number, got inf"),
        ({"epochs": 10**400}, "epochs must be 1 to 10000, got 1000"),
        ({"epochs": 2.5}, "epochs must be a whole number, got 2.5"),
        ({"batch_size": True}, "batch_size must be a number, got True"),
        ({"learning_rate": float("nan")}, "learning_rate must be"),
        ({"optimizer": "sophia"}, "optimizer must be one of sgd, adam, adamw, .*, got 'sophia'"),
        ({"model": "resnet99"}, "unknown model 'resnet99'; did you mean resnet18"),
        ({"channels": 2}, "channels must be 1"),
        ({"class_weights": "maybe"}, "class_weights must be yes or no"),
        ({"classes_left_out": "fear"}, "classes_left_out must be a list"),
        ({"augment": "wild"}, "augment must be one of none, light"),
        ({"augment": {"rotation_degrees": 500}}, "augment: rotation_degrees must be 0 to 180"),
        ({"data": "  "}, "data must name a data set"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig(**settings)


def test_choices_and_bounds_speak_of_real_fields() -> None:
    fields = set(RunConfig().to_dict())
    assert set(CHOICES) <= fields
    assert set(BOUNDS) <= fields


def test_settings_of_the_command_line_reach_every_kind_of_field() -> None:
    config = RunConfig().with_settings(
        [
            "epochs=3",
            "learning_rate=.5",
            "class_weights=yes",
            "classes_left_out=fear, disgust",
            "augment=light",
            "augment.rotation_degrees=12",
            "model_options.dropout=0.1",
            "data=123",
        ]
    )
    assert (config.epochs, config.learning_rate, config.class_weights) == (3, 0.5, True)
    assert config.classes_left_out == ("fear", "disgust")
    assert config.model_options == {"dropout": 0.1}
    assert config.data == "123"
    listed = RunConfig().with_settings(['classes_left_out=["fear", "disgust"]'])
    assert listed.classes_left_out == config.classes_left_out


def test_a_part_of_the_policy_can_be_set_alone() -> None:
    config = RunConfig(augment=POLICIES["light"]).with_settings(["augment.rotation_degrees=12"])
    assert config.augment.rotation_degrees == 12
    assert config.augment.flip_probability == POLICIES["light"].flip_probability


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "a setting is field=value"),
        ("xyzzy=3", "unknown setting 'xyzzy'; known: recipe, data, .*epochs"),
        ("learning_rat=3", r"unknown setting 'learning_rat'; did you mean learning_rate\?$"),
        ("epochs.x=3", "epochs has no parts"),
        ("epochs=many", "epochs must be a number, got 'many'"),
    ],
)
def test_a_setting_that_cannot_be_read_says_why(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig().with_settings([setting])


def test_an_unknown_field_or_broken_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown setting 'epoch'; did you mean epochs"):
        RunConfig.from_dict({"epoch": 3})
    with pytest.raises(ConfigError, match="not JSON"):
        RunConfig.from_json("{")
    with pytest.raises(ConfigError, match="unknown recipe 'slow'; known: quick"):
        find_recipe("slow")


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("expressnet", ["epochs=3", "augment.noise_std=0.1", "classes_left_out=fear"]),
        ("expressnet_base", ["model_options={}"]),
        ("expressnet_base", ["model=timm/resnet18", "model_options={}"]),
        ("two_phase", ["phases=[]", "epochs=2"]),
        ("class_targeted", ["preparation="]),
        ("expressnet", ["class_map.fear=sad", "ema_decay=0"]),
    ],
)
def test_the_repeat_command_makes_the_same_run(recipe: str, settings: list[str]) -> None:
    import shlex

    config = find_recipe(recipe).config.with_settings(["data=my data.csv", *settings])
    words = shlex.split(repeat_command(config))
    assert words[:4] == ["python", "-m", "fer_core", "train"]
    given = dict(zip(words[4::2], words[5::2], strict=True))
    told = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    again = find_recipe(given["--recipe"]).config.with_settings([f"data={given['--data']}", *told])
    assert again == config
    assert len(told) == len(settings)


@pytest.mark.parametrize(("epochs", "expected"), [(4, [1, 1, 1, 1]), (5, [2, 1, 1, 1])])
def test_no_phase_is_left_without_an_epoch(epochs: int, expected: list[int]) -> None:
    phases = tuple({"epochs": part} for part in (50, 50, 1, 1))
    found = RunConfig(phases=phases, epochs=epochs).phase_configs()
    assert sorted((part.epochs for part in found), reverse=True) == expected


def test_a_class_mapped_to_nothing_is_left_out_and_told() -> None:
    config = RunConfig().with_settings(["class_map.Disgust=null"])
    assert config.class_map == {"disgust": ""}
    assert "class_map.disgust=" in repeat_command(config)


@pytest.mark.parametrize("widths", ["[]", "[0]", "[100000]", "[" + "8," * 40 + "8]"])
def test_lists_of_widths_are_bounded(widths: str) -> None:
    with pytest.raises(ConfigError, match="must be a list of 1 to 16 whole numbers"):
        RunConfig().with_settings([f"model_options.widths={widths}"])
