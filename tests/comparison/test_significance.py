"""Paired and unpaired tests against the textbook formulas; matching of two runs' images."""

from __future__ import annotations

from collections.abc import Callable
from math import comb, erfc, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from fer_core.comparison.pairs import PairError, read_pair
from fer_core.comparison.significance import (
    holm,
    mcnemar,
    paired_bootstrap,
    unpaired_difference,
    unpaired_macro_f1,
)
from fer_core.paths import RunFolder
from fer_core.runs.record import write_json

NAMES = ("angry", "happy", "sad")
MakeFolder = Callable[..., Path]


def answers(
    n: int, right_a: float, right_b: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """labels and two runs' answers, each right for about this share of the images."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    sides = [
        np.where(random.random(n) < share, labels, (labels + random.integers(1, 3, n)) % 3)
        for share in (right_a, right_b)
    ]
    return labels, *sides


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 9), (10, 10), (140, 90)])
def test_mcnemar_is_the_exact_binomial_test(only_a: int, only_b: int) -> None:
    right_a = np.repeat([True, True, False, False], [50, only_a, only_b, 7])
    right_b = np.repeat([True, False, True, False], [50, only_a, only_b, 7])
    found = mcnemar(right_a, right_b)
    assert (found.both, found.only_a, found.only_b, found.neither) == (50, only_a, only_b, 7)
    assert found.n == 57 + only_a + only_b
    differing, smaller = only_a + only_b, min(only_a, only_b)
    tail = sum(comb(differing, k) for k in range(smaller + 1)) / 2**differing
    assert found.p_value == pytest.approx(min(1.0, 2 * tail), rel=1e-9)


def test_mcnemar_comes_close_to_the_corrected_chi_square_where_that_holds() -> None:
    right_a = np.repeat([True, False], [340, 260])
    right_b = ~right_a
    statistic = (abs(340 - 260) - 1) ** 2 / 600
    assert mcnemar(right_a, right_b).p_value == pytest.approx(erfc(sqrt(statistic / 2)), rel=0.02)


@pytest.mark.parametrize("lengths", [(3, 4), (0, 0)])
def test_answers_that_are_not_about_the_same_images_are_refused(lengths: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="one answer per image"):
        mcnemar(*(np.ones(length, dtype=bool) for length in lengths))


def test_the_bootstrap_draws_images_in_pairs() -> None:
    labels, first, second = answers(400, 0.7, 0.6)
    found = paired_bootstrap(labels, first, second, seed=3, rounds=4000)
    random, accuracy, f1 = np.random.default_rng(8), [], []
    for _ in range(1000):
        rows = random.integers(0, 400, 400)
        parts = labels[rows], first[rows], second[rows]
        accuracy.append((parts[1] == parts[0]).mean() - (parts[2] == parts[0]).mean())
        f1.append(
            f1_score(parts[0], parts[1], average="macro")
            - f1_score(parts[0], parts[2], average="macro")
        )
    for difference, plain in ((found.accuracy, accuracy), (found.macro_f1, f1)):
        low, high = np.percentile(plain, [2.5, 97.5])
        assert (difference.low, difference.high) == (
            pytest.approx(low, abs=0.012),
            pytest.approx(high, abs=0.012),
        )


def test_the_bootstrap_starts_from_scikit_learns_figures_and_repeats_with_its_seed() -> None:
    labels, first, second = answers(300, 0.7, 0.6, seed=4)
    second[second == 2] = 1  # a class that one side never names
    found = paired_bootstrap(labels, first, second, seed=5, rounds=500)
    assert found.accuracy.a == (first == labels).mean()
    assert found.accuracy.difference == pytest.approx(
        (first == labels).mean() - (second == labels).mean()
    )
    assert found.macro_f1.a == pytest.approx(f1_score(labels, first, average="macro"))
    assert found.macro_f1.b == pytest.approx(f1_score(labels, second, average="macro"))
    assert found == paired_bootstrap(labels, first, second, seed=5, rounds=500)
    assert found != paired_bootstrap(labels, first, second, seed=6, rounds=500)


def test_a_clear_difference_is_found_and_none_where_both_say_the_same() -> None:
    labels, first, second = answers(600, 0.8, 0.6)
    clear = paired_bootstrap(labels, first, second)
    assert clear.accuracy.low > 0
    assert clear.accuracy.p_value < 0.01
    assert clear.macro_f1.p_value < 0.01
    same = paired_bootstrap(labels, first, first)
    assert (same.accuracy.low, same.accuracy.high, same.accuracy.p_value) == (0, 0, 1)


def test_equal_runs_are_called_different_about_once_in_twenty() -> None:
    wrong = {"mcnemar": 0, "f1": 0}
    for seed in range(200):
        labels, first, second = answers(300, 0.65, 0.65, seed=seed)
        wrong["mcnemar"] += mcnemar(first == labels, second == labels).p_value < 0.05
        wrong["f1"] += paired_bootstrap(labels, first, second, rounds=500).macro_f1.p_value < 0.05
    assert wrong["mcnemar"] <= 16  # 10 expected; 17 or more come once in fifty such tests
    assert 1 <= wrong["f1"] <= 19


def test_newcombes_example() -> None:
    """Newcombe (1998), Table II, case (a), method 10: 56/70 against 48/80."""
    found = unpaired_difference(56, 70, 48, 80)
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high) == (
        pytest.approx(0.0524, abs=5e-5),
        pytest.approx(0.3339, abs=5e-5),
    )
    pooled = 104 / 150
    z = 0.2 / sqrt(pooled * (1 - pooled) * (1 / 70 + 1 / 80))
    assert found.p_value == pytest.approx(erfc(z / sqrt(2)))
    assert unpaired_difference(10, 10, 20, 20).p_value == 1
    with pytest.raises(ValueError, match="both sides need images"):
        unpaired_difference(0, 0, 1, 2)


def test_macro_f1_on_different_images_is_wider_than_in_pairs() -> None:
    labels, first, _ = answers(500, 0.7, 0.5)
    second = first.copy()
    second[:25] = (labels[:25] + 1) % 3
    paired = paired_bootstrap(labels, first, second).macro_f1
    apart = unpaired_macro_f1(confusion_matrix(labels, first), confusion_matrix(labels, second))
    assert apart.difference == pytest.approx(paired.difference)
    assert apart.high - apart.low > 1.5 * (paired.high - paired.low)
    assert apart.p_value > paired.p_value


def test_sides_of_different_images_are_drawn_apart() -> None:
    labels, first, _ = answers(500, 0.7, 0.5)
    matrix = confusion_matrix(labels, first)
    alike = unpaired_macro_f1(matrix, matrix)
    assert alike.low < -0.03
    assert alike.high > 0.03
    assert alike.p_value > 0.9


def test_a_p_value_of_so_many_rounds_is_never_zero() -> None:
    labels = np.arange(300) % 3
    wrong = (labels + 1) % 3
    clear = paired_bootstrap(labels, labels, wrong, rounds=99)
    assert clear.accuracy.p_value == clear.macro_f1.p_value == pytest.approx(2 / 100)


def test_macro_f1_averages_over_the_classes_that_occur_in_a_draw() -> None:
    """A class of number 2 or 5 that no image has changes nothing."""
    labels = np.array([0, 1] * 50)
    first, second = np.where(np.arange(100) < 80, labels, 1 - labels), labels.copy()
    second[::3] = 1 - second[::3]
    found = paired_bootstrap(labels, first, second)
    spread = [np.where(part == 1, 5, 0) for part in (labels, first, second)]
    assert paired_bootstrap(*spread) == found
    assert found.macro_f1.a == pytest.approx(f1_score(labels, first, average="macro"))


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.2, 1.2])


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A run folder with predictions for these images and what its data was."""

    def make(
        name: str,
        ids: np.ndarray,
        labels: np.ndarray,
        predicted: np.ndarray,
        names: tuple[str, ...] = NAMES,
        source: str = "faces.csv",
        part: str = "test",
    ) -> Path:
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        write_json(folder.data, {"source": source, "name": source, "fingerprint": source})
        table = {"id": ids, "index": np.arange(len(ids)), "split": part, "label": labels}
        for place, label in enumerate(names):
            table[f"probability_{label}"] = (predicted == place).astype(np.float32)
        table["has_twin"] = np.arange(len(ids)) % 10 == 0
        pd.DataFrame(table).to_parquet(folder.predictions)
        return folder.path

    return make


def test_images_are_matched_by_id_whatever_their_order(make_folder: MakeFolder) -> None:
    labels, first, second = answers(80, 0.8, 0.6)
    ids = np.array([f"row {number}" for number in range(80)])
    shuffled = np.random.default_rng(2).permutation(80)
    one = make_folder("one", ids, labels, first)
    two = make_folder("two", ids[shuffled], labels[shuffled], second[shuffled])
    pair = read_pair(one, two)
    assert (pair.n, pair.left_out) == (80, 0)
    assert (pair.correct_a & pair.correct_b).sum() == ((first == labels) & (second == labels)).sum()
    assert pair.correct_a.mean() == (first == labels).mean()
    assert mcnemar(pair.correct_a, pair.correct_b) == mcnemar(first == labels, second == labels)
    assert pair.without_twins().n == 80 - (8 + 8 - len(set(range(0, 80, 10)) & set(shuffled[::10])))


def test_only_shared_images_count_and_classes_are_matched_by_name(make_folder: MakeFolder) -> None:
    labels, first, second = answers(90, 0.8, 0.6)
    ids = np.array([f"row {number}" for number in range(90)])
    kept = labels != 0  # the second run left out "angry": its classes are numbered anew
    one = make_folder("one", ids, labels, first)
    second = np.maximum(second[kept], 1)
    two = make_folder("two", ids[kept], labels[kept] - 1, second - 1, NAMES[1:])
    pair = read_pair(one, two)
    assert pair.n == kept.sum()
    assert pair.left_out == (~kept).sum()
    assert pair.class_names == NAMES
    assert pair.correct_a.sum() == (first == labels)[kept].sum()
    assert pair.correct_b.sum() == (second == labels[kept]).sum()


def test_what_cannot_be_matched_is_refused_in_words(make_folder: MakeFolder) -> None:
    labels, first, _ = answers(80, 0.8, 0.6)
    ids = np.array([f"row {number}" for number in range(80)])
    one = make_folder("one", ids, labels, first)
    cases = {
        "different labels": make_folder("relabelled", ids, (labels + 1) % 3, first),
        "on the same images": make_folder("elsewhere", ids, labels, first, source="other.csv"),
        "no predictions for its test part": make_folder(
            "unscored", ids, labels, first, part="validation"
        ),
        "names an image twice": make_folder("doubled", ids[[0, *range(79)]], labels, first),
        "hold labels without a class": make_folder("unlabelled", ids, labels - 1, first),
    }
    for message, folder in cases.items():
        with pytest.raises(PairError, match=message):
            read_pair(one, folder)
    (one / "empty").mkdir()
    with pytest.raises(PairError, match="no stored predictions"):
        read_pair(one, one / "empty")
    RunFolder(one).predictions.write_text("damaged")
    with pytest.raises(PairError, match="cannot be read"):
        read_pair(one, one)


def test_a_face_without_an_id_is_one_that_nobody_shares(make_folder: MakeFolder) -> None:
    labels, first, _ = answers(80, 0.8, 0.6)
    ids = np.array([f"row {number}" for number in range(80)])
    one, two = (make_folder(name, ids, labels, first) for name in ("one", "two"))
    table = pd.read_parquet(RunFolder(two).predictions)
    table.loc[3, "id"] = None
    table.to_parquet(RunFolder(two).predictions)
    assert read_pair(one, two).n == 79


def test_one_set_in_another_place_is_the_same_set(make_folder: MakeFolder) -> None:
    labels, first, _ = answers(80, 0.8, 0.6)
    ids = np.array([f"row {number}" for number in range(80)])
    one = make_folder("one", ids, labels, first)
    moved = make_folder("moved", ids, labels, first, source="elsewhere/faces.csv")
    write_json(RunFolder(moved).data, {"source": "elsewhere/faces.csv", "fingerprint": "faces.csv"})
    assert read_pair(one, moved).n == 80


def test_too_few_shared_images_are_no_pair(make_folder: MakeFolder) -> None:
    labels, first, _ = answers(80, 0.8, 0.6)
    one = make_folder("one", np.array([f"row {n}" for n in range(80)]), labels, first)
    two = make_folder("two", np.array([f"row {n}" for n in range(41, 121)]), labels, first)
    with pytest.raises(PairError, match="share 39 test images of 80 and 80, too few"):
        read_pair(one, two)
    few = make_folder("few", np.array([f"row {n}" for n in range(35)]), labels[:35], first[:35])
    assert read_pair(one, few).n == 35, "nearly all of the smaller part, if not half of the larger"
