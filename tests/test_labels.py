"""Class names: one spelling, FER2013's order first, and mapping between sets by name."""

import pytest

from fer_core.labels import FER2013_CLASSES, canonical_name, colour, map_classes, ordered_classes


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Anger", "angry"),
        (" HAPPINESS ", "happy"),
        ("Sad", "sad"),
        ("pain", "pain"),
        ("joy", "happy"),
    ],
)
def test_synonyms_become_one_spelling(written: str, canonical: str) -> None:
    assert canonical_name(written) == canonical


def test_known_classes_come_first_in_their_own_order() -> None:
    assert ordered_classes(["pain", "Neutral", "anger", "boredom", "angry"]) == (
        "angry",
        "neutral",
        "boredom",
        "pain",
    )


def test_classes_map_by_name_and_missing_ones_to_none() -> None:
    assert map_classes(("anger", "pain", "joy"), FER2013_CLASSES) == (0, None, 3)


def test_an_unknown_class_has_a_fixed_colour_of_its_own() -> None:
    assert colour("boredom") == colour("Boredom")
    assert colour("boredom") not in {colour(name) for name in FER2013_CLASSES}
