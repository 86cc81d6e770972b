"""The New domain tab: what may be opened, the mapping in words, starting and showing runs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import serving
from tuned_world import World

from fer_core.comparison.domains.domain import evaluate_domain
from fer_core.comparison.domains.tuning import TuningPlan
from fer_core.data.faces import DataError, Faces
from fer_core.runs.checkpoint import CheckpointError, load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.record import RunError, read_progress, write_json
from fer_core.ui.build import build_app
from fer_core.ui.experiments.domains import html as shown
from fer_core.ui.experiments.domains import page
from fer_core.ui.experiments.domains import tuning_page as tuning
from fer_core.ui.figures.domain import change_figure
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

HAPPY = "run:only happy"
SET = "drawn:70"


@pytest.fixture
def settings(tmp_path: Path) -> AppSettings:
    serving.write_checkpoint(tmp_path / "runs" / "only happy", "happy")
    return AppSettings(tmp_path / "data", tmp_path / "runs")


@pytest.fixture
def public(settings: AppSettings) -> AppSettings:
    return AppSettings(settings.data_folder, settings.runs_folder, public=True)


@pytest.fixture
def pair(settings: AppSettings) -> page.Pair:
    return page.open_pair(settings, HAPPY, SET)


def test_the_lists_offer_every_checkpoint_and_every_set(settings: AppSettings) -> None:
    assert HAPPY in [name for _, name in page.checkpoint_choices(settings)]
    plain = [source for _, source in page.set_choices(settings, DEFAULT_DATA_CHOICE)]
    assert plain[0] == "drawn"
    assert SET not in plain
    opened = page.set_choices(settings, {**DEFAULT_DATA_CHOICE, "source": SET})
    assert opened[-1] == ("70 drawn faces (built in)", SET)


def test_a_pair_proposes_a_mapping_and_says_how_images_are_seen(pair: page.Pair) -> None:
    assert pair.proposed["happy"] == "happy"
    assert sum(pair.counts.values()) == 70
    assert "70 labelled grey images" in pair.about
    assert "48 × 48 pixels in grey" in pair.about
    assert not pair.learned


def test_names_and_sources_are_looked_up(settings: AppSettings, public: AppSettings) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint named '\.\./only happy'"):
        page.open_pair(settings, "../only happy", SET)
    with pytest.raises(CheckpointError, match="train one in the Train tab"):
        page.open_pair(settings, None, SET)
    with pytest.raises(DataError, match="no file or folder '/nowhere'"):
        page.open_pair(settings, HAPPY, "/nowhere")
    with pytest.raises(DataError, match="This is a public page"):
        page.open_pair(public, HAPPY, "/etc/passwd")


def test_the_mappings_words_name_what_is_left_out(pair: page.Pair) -> None:
    values = ["" if label == "fear" else label for label in pair.counts]
    said = page.mapping_words(pair, page.mapping_of(pair, values))
    assert "60 of 70 labelled images count" in said
    assert "<b>fear</b> (10 images)" in said
    assert "No image stands for the checkpoint's fear" in said
    wrong = page.mapping_words(pair, page.mapping_of(pair, ["<script>", *values[1:]]))
    assert "&lt;script&gt;</b> is no class of the checkpoint" in wrong
    assert page.mapping_of(pair, values)["fear"] == ""
    assert page.mapping_of(pair, [])["fear"] == "fear"


def test_a_published_page_bounds_the_scoring(settings: AppSettings, public: AppSettings) -> None:
    assert [page.image_limit(settings, wanted) for wanted in (0, None, 50, 9000)] == [
        0,
        0,
        50,
        9000,
    ]
    limits = [page.image_limit(public, wanted) for wanted in (0, None, 50, 9000, -3)]
    assert limits == [500, 500, 50, 500, 500]


def test_the_scoring_ends_with_what_the_page_shows(settings: AppSettings, pair: page.Pair) -> None:
    values = ["" if label == "fear" else label for label in pair.counts]
    faces, steps = page.scoring(settings, pair, page.mapping_of(pair, values), 0)
    *before, last = steps
    assert [step.report for step in before] == [None]
    report = last.report
    assert report["accuracy"] == pytest.approx(1 / 6)  # it says happy of everything
    cards = shown.evaluation_cards(report)
    assert "16.7 %" in cards
    assert "fear (10 images)" in cards
    assert "own test images are not known" in cards
    table = shown.evaluation_table(report)
    assert table.count("<tr>") == 8
    assert "100.0 %" in table
    gallery = shown.mistakes_gallery(report, faces)
    assert gallery.count("<img") == 24
    assert "predicted happy" in gallery


def test_the_drop_is_shown_with_its_interval(
    settings: AppSettings, pair: page.Pair, tiny_faces: Faces
) -> None:
    folder = settings.runs_folder / "only happy"
    matrix = np.zeros((7, 7), dtype=int)
    np.fill_diagonal(matrix, 90)
    matrix[:, 0] += 10
    names = load_checkpoint(folder).class_names
    figures = {"precision": 0.5, "recall": 0.9, "f1": 0.6, "support": 100}
    rows = [{"class": name, **figures} for name in names]
    test = {"per_class": rows, "confusion": matrix.tolist()}
    write_json(folder / "record.json", {"data": {"name": "home"}, "test": test})
    report = evaluate_domain(load_checkpoint(folder), tiny_faces)
    cards = shown.evaluation_cards(report)
    assert "at home, on home" in cards
    assert "91.4 %" in cards  # 640 of 700
    assert "−77.1 points" in cards
    assert "The drop is 77.1 points" in cards


def test_a_set_that_the_checkpoint_learned_from_is_told(world: World, tmp_path: Path) -> None:
    settings = AppSettings(tmp_path / "data", world.runs)
    own = page.open_pair(settings, "run:start", str(world.home))
    assert own.learned
    assert "learned from this very set" in own.about
    other = page.open_pair(settings, "run:start", str(world.away))
    assert not other.learned
    assert "learned from this very set" not in other.about
    assert "labelled colour images" in other.about
    assert "48 × 48 pixels in grey" in other.about


def test_pictures_that_the_checkpoint_trained_on_are_counted(world: World, tmp_path: Path) -> None:
    settings = AppSettings(tmp_path / "data", world.runs)
    rows = world.home.read_text().splitlines()  # 14 of training, then 7 of validation
    borrowed = tmp_path / "borrowed.csv"
    borrowed.write_text("\n".join([rows[0], *rows[8:22]]))
    pair = page.open_pair(settings, "run:start", str(borrowed))
    *_, last = page.scoring(settings, pair, pair.proposed, 0)[1]
    assert "7 images of them stand pixel for pixel" in shown.evaluation_cards(last.report)


def test_the_bar_of_a_scoring_has_a_name() -> None:
    assert "aria-label='share of the images scored'" in shown.progress_line(1, 2, "Scored")


def test_a_name_with_blanks_gets_hyphens(settings: AppSettings, pair: page.Pair) -> None:
    plan = TuningPlan(0.2, 0.4, 0.001, 2)
    run = tuning.start_tuning(settings, pair, pair.proposed, plan, " my run ", lambda *where: None)
    assert run.name == "my-run"


def test_a_fine_tuning_is_queued_with_the_mapping(settings: AppSettings, pair: page.Pair) -> None:
    launched: list[Any] = []
    values = ["" if label == "fear" else label for label in pair.counts]
    plan = tuning.tuning_plan(20, 40, 0.001, 2)
    assert plan == TuningPlan(0.2, 0.4, 0.001, 2)
    assert tuning.tuning_plan(None, None, None, None) == TuningPlan()
    mapping = page.mapping_of(pair, values)
    run = tuning.start_tuning(
        settings, pair, mapping, plan, " ", lambda *where: launched.append(where)
    )
    assert run.name == "only_happy-tuned"
    config = RunConfig.from_json(run.config.read_text())
    assert config.class_map["fear"] == ""
    assert config.frozen_share == 0.4
    assert Path(config.start_from) == (settings.runs_folder / "only happy").resolve()
    assert launched == [(settings.runs_folder, "cpu")]
    assert tuning.tunings(settings) == [run.name]
    waiting = tuning.watch(settings, run.name)
    assert waiting.can_stop
    assert waiting.stamp == (run.name, "queued")
    tuning.stop_tuning(settings, run.name)
    assert read_progress(run).state == "stopped"
    assert not tuning.watch(settings, run.name).can_stop
    with pytest.raises(DataError, match="compared when it is finished"):
        list(tuning.comparing(settings, run.name))


def test_the_plan_says_which_images_are_for_what(settings: AppSettings, pair: page.Pair) -> None:
    said = tuning.plan_words(settings, pair, pair.proposed, TuningPlan(slice_share=0.2))
    assert "Learns from <b>14</b> images (angry 2" in said
    assert "35 are held out" in said
    only_two = {label: label if label in ("happy", "sad") else "" for label in pair.counts}
    assert "(happy 2, sad 2)" in tuning.plan_words(settings, pair, only_two, TuningPlan(0.2))
    one = dict.fromkeys(pair.counts, "") | {"happy": "happy"}
    with pytest.raises(DataError, match="at least two classes"):
        tuning.start_tuning(settings, pair, one, TuningPlan(), None, lambda *where: None)
    assert tuning.tunings(settings) == []


def test_fine_tuning_is_closed_on_a_published_page(public: AppSettings, pair: page.Pair) -> None:
    with pytest.raises(RunError, match="closed on this published page"):
        tuning.start_tuning(public, pair, pair.proposed, TuningPlan())
    with pytest.raises(RunError, match="closed on this published page"):
        tuning.stop_tuning(public, "only happy")
    with pytest.raises(RunError, match="not been measured yet"):
        list(tuning.comparing(public, "only happy"))
    with pytest.raises(RunError, match="closed on this published page"):
        tuning.forgetting(public, "only happy")


def test_without_a_fine_tuning_the_page_says_what_to_do(settings: AppSettings) -> None:
    assert "Press <b>Fine-tune</b>" in tuning.watch(settings, None).status
    assert "no run named" in tuning.watch(settings, "gone").status
    with pytest.raises(DataError, match="did not start from a checkpoint"):
        list(tuning.comparing(settings, "only happy"))
    with pytest.raises(DataError, match="has no old domain"):
        tuning.forgetting(settings, "only happy")


def test_a_measured_comparison_is_shown_at_once(public: AppSettings) -> None:
    folder = public.runs_folder / "only happy"
    write_json(folder / "record.json", {})
    digest = hashlib.sha256((folder / "record.json").read_bytes()).hexdigest()
    figures = {"accuracy": 0.5, "interval": [0.4, 0.6], "macro_f1": 0.5}
    figures["macro_f1_interval"] = [0.4, 0.6]
    side = {**figures, "n": 40, "per_class": []}
    report = {
        "n": 40,
        "run": "only happy",
        "record_digest": digest,
        "data": "a",
        "start": "b",
        "classes": [],
        "before": side,
        "after": side,
        "without_twins": None,
        "gain": {**figures, "p_value": 0.5, "only_before": 1, "only_after": 1},
        "slice": {"happy": 3},
        "choosing": 2,
        "best_epoch": 1,
        "epochs": 1,
    }
    write_json(folder / "before_after.json", report)
    steps = list(tuning.comparing(public, "only happy"))
    assert [(step.done, step.report["run"]) for step in steps] == [(40, "only happy")]


def test_every_expression_has_a_line_from_before_to_after() -> None:
    figure = change_figure(["happy", "sad"], [0.2, 0.9], [0.6, 0.8])
    assert [(line.x0, line.x1) for line in figure.layout.shapes] == [(0.2, 0.6), (0.9, 0.8)]
    assert [trace.name for trace in figure.data] == ["before", "after"]
    assert figure.layout.yaxis.type == "category", "7 is a name here"


def test_figures_of_one_run_do_not_come_under_another(settings: AppSettings) -> None:
    events = build_app(settings).fns
    compare = next(event for event in events.values() if event.name == "on_compare")
    watched = [event for event in events.values() if compare._id in event.cancels]
    assert [name for event in watched for _, name in event.targets] == ["change"]
    assert compare.trigger_mode == "multiple", "the next one must not wait for a cancelled one"
    first = next(compare.fn(("only happy", "finished")))
    assert first[1].visible is False, "figures of the run before stand under this one's name"


def test_figures_of_an_earlier_choice_are_told_from_those_asked_for_now(
    settings: AppSettings, pair: page.Pair
) -> None:
    app = build_app(settings)
    check = next(fn for fn in app.fns.values() if fn.name == "on_other").fn
    values = [pair.proposed[label] for label in pair.counts]
    told = page.question_of(pair, values)
    assert check(pair, told, *values) == ""
    other_set = page.open_pair(settings, HAPPY, "drawn:77")
    assert "are those of only happy on drawn faces" in check(other_set, told, *values)
    assert "are those of only happy on drawn faces" in check(None, told, *values)
    other_mapping = [label if label != "fear" else "" for label in values]
    assert "classes as they were mapped before" in check(pair, told, *other_mapping)
    # nothing on show: the sentence that says what to do stays
    assert check(pair, None, *values) == gr.skip()


def test_stop_is_confirmed_also_above_earlier_figures(
    settings: AppSettings, pair: page.Pair
) -> None:
    app = build_app(settings)
    stop = next(
        fn for fn in app.fns.values() if fn.name == "on_stop" and "build_domain_view" in str(fn.fn)
    ).fn
    values = [pair.proposed[label] for label in pair.counts]
    told = page.question_of(pair, values)
    for asked, now, rest in ((None, pair, ""), (told, pair, ""), (told, None, "The figures")):
        words, button = stop(now, asked, *values)
        assert "Stopped; nothing was kept" in words
        assert ("The figures below" in words) == bool(rest)
        assert not button.interactive
