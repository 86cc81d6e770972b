"""What is learned beside plain labels: votes, mixed batches, teachers, sharpness-aware steps."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_core.data.batches import FaceTensor
from fer_core.data.faces import DataError
from fer_core.data.policies import AugmentPolicy
from fer_core.data.views import Views, write_views
from fer_core.data.votes import VOTES_FILE, Votes
from fer_core.paths import RunFolder
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import ConfigError, RunConfig
from fer_core.runs.record import read_record
from fer_core.training.dataset import load_run_data
from fer_core.training.epoch import Stopped
from fer_core.training.job import create_run
from fer_core.training.loop import Training
from fer_core.training.mixing import Mixing
from fer_core.training.preview import preview_batch
from fer_core.training.run import execute_run
from fer_core.training.sharpness import climb, descend
from fer_core.training.targets import likely_labels, vote_targets
from fer_core.training.teachers import Teachers

_CPU = torch.device("cpu")
_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)


def _training(config: RunConfig) -> Training:
    return Training(config, load_run_data(config), _CPU)


@pytest.fixture
def voted(tiny_config: RunConfig) -> RunConfig:
    """Row 0 has 6 votes for happy, 2 for angry, 2 for contempt; row 1 only for no face."""
    rows = ["Training,a,0,6,0,0,2,0,0,2,0,0", "Training,b,0,0,0,0,0,0,0,0,0,10"]
    rows += ["Training,c,10,0,0,0,0,0,0,0,0,0"] * 208
    file = Path(tiny_config.data).with_name(VOTES_FILE)
    file.write_text("\n".join([_HEADER, *rows]) + "\n")
    return replace(tiny_config, votes_share=0.25)


@pytest.fixture
def teacher(tiny_config: RunConfig, tmp_path: Path) -> RunFolder:
    """A finished run that others may learn from."""
    run = create_run(tiny_config, tmp_path / "runs", "teacher")
    execute_run(run)
    return run


def test_votes_take_their_share_of_the_target(voted: RunConfig) -> None:
    data = load_run_data(voted)
    names = data.faces.class_names
    targets = vote_targets(voted, data)
    assert targets.shape == (len(data.split.train), 7)
    assert targets.sum(axis=1) == pytest.approx(np.ones(len(targets)))
    first = dict(zip(names, targets[0], strict=True))  # labelled angry, contempt is no class here
    assert first["angry"] == pytest.approx(0.75 + 0.25 * 2 / 8)
    assert first["happy"] == pytest.approx(0.25 * 6 / 8)
    assert targets[1].tolist() == np.eye(7)[1].tolist()  # nobody saw a face: the label alone
    assert targets[2][names.index("neutral")] == pytest.approx(0.25)


def test_votes_of_merged_classes_count_together(voted: RunConfig) -> None:
    merged = replace(voted, class_map={"happy": "strong", "angry": "strong"})
    data = load_run_data(merged)
    targets = vote_targets(merged, data)
    assert targets[0][data.faces.class_names.index("strong")] == pytest.approx(1)


def test_the_preview_of_a_batch_says_what_the_votes_say(voted: RunConfig) -> None:
    said = preview_batch(replace(voted, votes_share=1.0)).targets
    neutral = load_run_data(voted).faces.class_names.index("neutral")
    assert len(said) == 32
    # all but two of the set have votes for neutral alone, whatever their label
    assert (said[:, neutral] == 1).sum() >= 30


def test_votes_are_what_the_network_learns(voted: RunConfig) -> None:
    training = _training(replace(voted, votes_share=1.0, epochs=12))
    list(training.epochs())
    faces, rows = training.data.faces, training.data.split.train[5:]
    pixels = training.data.preprocessing(torch.from_numpy(np.array(faces.images[rows])))
    with torch.inference_mode():
        said = training.deployed.eval()(pixels).argmax(dim=1)
    neutral = faces.class_names.index("neutral")
    assert (said == neutral).float().mean() > 0.9  # as voted, though only a seventh is so labelled


def test_votes_are_read_as_the_labels_that_go_with_them() -> None:
    """A hundred images voted neutral of which 75 are labelled sad; as many voted happy, all so."""
    counts = np.array([[10, 0, 0]] * 100 + [[0, 10, 0]] * 100 + [[0, 0, 0]])
    votes = Votes(counts, ("neutral", "happy", "unknown"))
    labels = np.array([3] * 75 + [2] * 25 + [1] * 100 + [0])
    said = likely_labels(votes, labels, classes=5)
    assert said.shape == (201, 5)
    assert said[0] == pytest.approx([0, 0, 0.25, 0.75, 0], abs=0.02)
    assert said[150] == pytest.approx([0, 1, 0, 0, 0], abs=0.02)
    assert said[:200].sum(axis=1) == pytest.approx(np.ones(200))
    assert not said[200].any()  # nobody voted
    assert not likely_labels(votes, np.zeros(201, dtype=int), classes=5).any()  # nothing to tell


def test_votes_read_as_labels_are_mixed_into_the_target(voted: RunConfig) -> None:
    data = load_run_data(voted)
    names = data.faces.class_names
    targets = vote_targets(replace(voted, votes_read="labels"), data)
    labels = np.eye(7)[data.faces.labels[data.split.train]]
    assert targets.sum(axis=1) == pytest.approx(np.ones(len(targets)))
    alike = (targets[2:] - 0.75 * labels[2:]) / 0.25  # all voted neutral: a seventh for each label
    assert alike == pytest.approx(np.full_like(alike, 1 / 7), abs=0.03)
    assert targets[2][names.index("neutral")] < 0.1 + labels[2][names.index("neutral")]


def test_missing_votes_and_copies_without_votes_are_told(tiny_config: RunConfig) -> None:
    with pytest.raises(DataError, match=r"votes_share 0.5 asks for FER\+ votes and .* has none"):
        _training(replace(tiny_config, votes_share=0.5)).enter_phase()
    with pytest.raises(ConfigError, match="votes_share needs the images as they are"):
        replace(tiny_config, votes_share=0.5, preparation=("mirror",))
    with pytest.raises(ConfigError, match="votes_share needs the images as they are"):
        replace(tiny_config, votes_share=0.5, phases=({"preparation": ["mirror"], "epochs": 1},))


def test_mixup_blends_images_and_targets_alike(tiny_config: RunConfig) -> None:
    torch.manual_seed(0)
    labels = torch.tensor([0, 1, 2, 3])
    images = labels.float().view(4, 1, 1, 1).expand(4, 1, 8, 8).contiguous()
    mixed, targets = Mixing(replace(tiny_config, mixup_alpha=1.0), 4)(images, labels)
    assert targets.sum(dim=1).tolist() == pytest.approx([1] * 4)
    assert ((targets > 0).sum(dim=1) == 2).all()
    expected = targets @ torch.arange(4.0)  # the mixed brightness is the mixed label
    assert torch.allclose(mixed[:, 0, 0, 0], expected, atol=1e-6)


def test_cutmix_patches_the_share_that_its_targets_say(tiny_config: RunConfig) -> None:
    torch.manual_seed(1)
    labels = torch.tensor([0, 1])
    images = labels.float().view(2, 1, 1, 1).expand(2, 1, 20, 20).contiguous()
    mixed, targets = Mixing(replace(tiny_config, cutmix_alpha=1.0), 2)(images, labels)
    assert 0 < float(targets[0, 1]) < 1
    assert mixed[0].mean().item() == pytest.approx(float(targets[0, 1]), abs=1e-6)
    assert set(mixed.unique().tolist()) == {0.0, 1.0}


def test_as_many_batches_are_mixed_as_asked(tiny_config: RunConfig) -> None:
    torch.manual_seed(2)
    images, labels = torch.zeros(2, 1, 4, 4), torch.tensor([0, 1])
    mixing = Mixing(replace(tiny_config, mixup_alpha=0.4, mix_probability=0.3), 2)
    mixed = sum(mixing(images, labels)[1].ndim == 2 for _ in range(1000))
    assert 240 < mixed < 360
    both = Mixing(replace(tiny_config, mixup_alpha=0.4, cutmix_alpha=1.0), 2)
    pair = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    seen = [both(pair, labels)[0].unique() for _ in range(400)]
    blended = sum(bool(((values > 0) & (values < 1)).any()) for values in seen)
    assert 140 < blended < 260  # the others are patched
    plain = Mixing(tiny_config, 2)(images, labels)
    assert plain[0] is images
    assert plain[1] is labels


@pytest.mark.parametrize(
    "changes",
    [
        {"mixup_alpha": 0.4, "cutmix_alpha": 1.0, "mix_probability": 0.5},
        {"sharpness_radius": 0.05},
        {"loss": "one_hot_nll", "mixup_alpha": 0.4, "class_weights": True},
    ],
)
def test_the_curve_is_the_same_twice_and_after_a_resume(
    tiny_config: RunConfig, changes: dict
) -> None:
    config = replace(tiny_config, epochs=3, **changes)
    whole = [result.train_loss for result in _training(config).epochs()]
    broken = _training(config)
    first = next(iter(broken.epochs()))
    again = _training(config)
    again.load_state_dict(broken.state_dict())
    assert [first.train_loss, *(result.train_loss for result in again.epochs())] == whole
    plain = replace(tiny_config, epochs=3)
    assert whole != [result.train_loss for result in _training(plain).epochs()]


def test_a_learner_takes_over_what_its_teacher_says(tiny_config: RunConfig, tmp_path: Path) -> None:
    teacher = create_run(replace(tiny_config, epochs=12), tmp_path / "runs", "teacher")
    execute_run(teacher)
    config = replace(tiny_config, teachers=(str(teacher.path),), teacher_share=1.0, epochs=20)
    training = _training(config)
    labels = training.data.faces.labels
    labels[training.data.split.train] = 0  # its own labels teach nothing: all lessons are answers
    results = list(training.epochs())
    assert results[-1].validation_accuracy > 0.8, results[-1]


def test_stored_answers_are_those_to_the_image_as_the_set_has_it(
    tiny_config: RunConfig, teacher: RunFolder
) -> None:
    config = replace(
        tiny_config,
        teachers=(str(teacher.path),),
        teacher_share=0.75,
        teacher_temperature=1.0,
        teacher_sees="original",
        augment=AugmentPolicy(brightness=1.0, noise_std=0.5),
    )
    training = _training(config)
    rows, faces = training.data.split.train, training.data.faces
    checkpoint = load_checkpoint(teacher.path)
    unit = torch.from_numpy(faces.images[rows]).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        said = checkpoint.model(unit * 2 - 1).softmax(dim=1)
        said_mirrored = checkpoint.model(unit.flip(-1) * 2 - 1).softmax(dim=1)
    expected = 0.75 * (said + said_mirrored).numpy() / 2
    expected += 0.25 * np.eye(7, dtype=np.float32)[faces.labels[rows]]
    np.testing.assert_allclose(training.targets, expected, atol=1e-5)
    assert training.objective.teachers is None  # nothing is asked a second time, batch by batch
    with pytest.raises(ConfigError, match="teacher_sees=original needs the images as they are"):
        replace(config, preparation=("mirror",))


def test_views_are_learned_with_the_targets_of_their_images(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    """A dark square on bright ground, where the set has bright squares: only views can teach it."""
    data = load_run_data(tiny_config)
    rows = data.split.train
    negative = Views(255 - data.faces.images[rows], rows)
    path = tmp_path / "views.npz"
    write_views(path, negative, data.faces)
    config = replace(tiny_config, epochs=16, views=str(path), views_share=0.5, votes_share=0.0)
    right = {}
    for name, one in (("with", config), ("without", replace(config, views=""))):
        training = _training(one)
        list(training.epochs())
        part = FaceTensor(negative.images, data.faces.labels[rows], _CPU)
        said = training.predict(part).argmax(axis=1)
        right[name] = (said == data.faces.labels[rows]).mean()
    assert right["with"] > 0.8 > 0.5 > right["without"], right


def test_views_need_the_images_as_they_are_and_one_of_the_training_part(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    data = load_run_data(tiny_config)
    path = tmp_path / "views.npz"
    rows = data.split.test[:3]
    write_views(path, Views(data.faces.images[rows], rows), data.faces)
    config = replace(tiny_config, views=str(path))
    with pytest.raises(DataError, match="has no view of a training image"):
        list(_training(config).epochs())
    with pytest.raises(ConfigError, match="views needs the images as they are"):
        replace(config, preparation=("mirror",))
    with pytest.raises(ConfigError, match="cannot use views or votes_share; leave them out"):
        replace(config, model="svm", model_options={}, votes_share=0.5)


def test_a_missing_file_of_views_is_told_before_the_teachers_answer(
    tiny_config: RunConfig, tmp_path: Path, teacher: RunFolder
) -> None:
    config = replace(
        tiny_config,
        views=str(tmp_path / "lost.npz"),
        teachers=(str(teacher.path),),
        teacher_sees="original",
    )
    data, told = load_run_data(config), []
    rows = data.split.train
    with pytest.raises(DataError, match=r"lost\.npz is no file of views"):
        Training(config, data, _CPU, lambda *at: told.append(at))
    assert told == []
    write_views(Path(config.views), Views(data.faces.images[rows], rows), data.faces)
    Training(config, data, _CPU, lambda *at: told.append(at)).enter_phase()
    assert told


def test_the_teachers_time_is_none_of_the_steps(
    tiny_config: RunConfig, tmp_path: Path, teacher: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a run would foretell its end by their minutes instead of its own speed."""
    answers = Teachers.stored_answers

    def slow(self: Teachers, *given: Any) -> np.ndarray:
        time.sleep(2)
        return answers(self, *given)

    monkeypatch.setattr(Teachers, "stored_answers", slow)
    config = replace(tiny_config, epochs=1, teachers=(str(teacher.path),), teacher_sees="original")
    shown: list[float] = []
    run = create_run(config, tmp_path / "runs", "taught")
    execute_run(run, lambda progress: shown.append(progress.images_per_second))
    images = len(load_run_data(config).split.train)
    assert max(shown) > images / 2  # images a second; less with the two seconds among them


def test_a_run_goes_on_with_the_file_of_views_that_it_began_with(
    tiny_config: RunConfig, tmp_path: Path
) -> None:
    data = load_run_data(tiny_config)
    path, rows = tmp_path / "views.npz", data.split.train
    write_views(path, Views(data.faces.images[rows], rows), data.faces)
    config = replace(tiny_config, views=str(path), epochs=1)
    run = create_run(config, tmp_path / "runs", "seen")
    execute_run(run)
    known = read_record(run)["data"]["views"]
    assert known == json.loads(run.data.read_text())["views"]
    assert known["count"] == len(rows)
    assert f"{len(rows):,} other views, fingerprint `{known['fingerprint']}`" in (
        run.card.read_text()
    )
    (run.path / "config.json").write_text(replace(config, epochs=2).to_json())
    write_views(path, Views(255 - data.faces.images[rows], rows), data.faces)
    assert "is not the file of views that this run began with" in execute_run(run).reason
    assert json.loads(run.data.read_text())["views"] == known
    write_views(path, Views(data.faces.images[rows], rows), data.faces)
    assert execute_run(run).state == "finished"


def test_a_run_can_be_stopped_while_its_teachers_answer(
    tiny_config: RunConfig, teacher: RunFolder
) -> None:
    config = replace(tiny_config, teachers=(str(teacher.path),), teacher_sees="original")
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        raise Stopped

    with pytest.raises(Stopped):
        Training(config, load_run_data(config), _CPU, stop).enter_phase()
    assert told == [(126, 126)]


def test_the_lesson_is_the_divergence_at_the_temperature(
    tiny_config: RunConfig, teacher: RunFolder
) -> None:
    paths = (str(teacher.path),) * 2
    teachers = _training(
        replace(tiny_config, teachers=paths, teacher_temperature=3.0, scaling="zero_to_one")
    ).objective.teachers
    unit = torch.rand(5, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    answers = teachers.answers(unit)  # the run's input is 0 to 1, the teacher's -1 to 1
    model = teachers.checkpoints[0].model
    with torch.inference_mode():
        expected = (model(unit * 2 - 1) / 3).softmax(dim=1)
    assert torch.allclose(answers, expected, atol=1e-6)
    scores = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
    own = (scores / 3).softmax(dim=1)
    by_hand = 9 * (answers * (answers / own).log()).sum(dim=1).mean()
    assert float(teachers.loss(scores, answers)) == pytest.approx(float(by_hand), rel=1e-4)


def test_a_teacher_of_another_kind_is_refused(tiny_config: RunConfig, tmp_path: Path) -> None:
    teacher = create_run(replace(tiny_config, epochs=1), tmp_path / "runs", "teacher")
    execute_run(teacher)
    config = replace(tiny_config, teachers=(str(teacher.path),))
    with pytest.raises(ValueError, match="teachers: teacher sees 48 px"):
        _training(replace(config, image_size=32))
    with pytest.raises(ValueError, match="teachers: teacher knows angry"):
        _training(replace(config, classes_left_out=("fear",)))
    with pytest.raises(ValueError, match=r"holds no weights\.safetensors"):
        _training(replace(config, teachers=(str(tmp_path),)))


def test_climbing_goes_the_radius_along_the_gradient_and_back() -> None:
    weights = [torch.nn.Parameter(torch.tensor([3.0, 4.0])), torch.nn.Parameter(torch.zeros(1))]
    (weights[0] ** 2).sum().backward()  # gradient (6, 8), of length 10; the other has none
    moves = climb(weights, 0.5)
    assert weights[0].tolist() == pytest.approx([3.3, 4.4])
    assert weights[0].grad is None
    (weights[0] ** 2).sum().backward()
    descend(weights, moves)
    assert weights[0].tolist() == pytest.approx([3.0, 4.0])
    assert weights[0].grad.tolist() == pytest.approx([6.6, 8.8])  # taken at the top of the climb
