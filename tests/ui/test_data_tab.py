"""The Data tab: its words and tables, what may be opened, and the page in a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from fer_core.data.audit import audit_faces
from fer_core.data.faces import DataError, Faces, Unreadable
from fer_core.data.split import Split, SplitPlan, split_faces
from fer_core.labels import FER2013_CLASSES
from fer_core.ui.data import data_view
from fer_core.ui.data.set_view import shares_matter, split_and_audit, view_set, with_split
from fer_core.ui.figures.data import distribution_figure
from fer_core.ui.shared import open_sets
from fer_core.ui.shared.face_grid import GridFace, face_grid
from fer_core.ui.shared.refusals import in_words
from fer_core.ui.shared.settings import AppSettings
from fer_core.ui.shared.shared_state import DEFAULT_DATA_CHOICE

PLAN = SplitPlan(kind="stratified", validation_share=0.2, test_share=0.3, seed=1)


@pytest.fixture
def home(tmp_path: Path) -> AppSettings:
    return AppSettings(tmp_path / "data", tmp_path / "runs")


@pytest.fixture
def face_folder(tmp_path: Path) -> Path:
    """Ten pictures of each of two classes as files in class folders, and one that is damaged."""
    random = np.random.default_rng(5)
    folder = tmp_path / "pictures"
    for name in ("happy", "sad"):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 255, (20, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "sad" / "broken.png").write_bytes(b"not a picture")
    return folder


def lopsided() -> Faces:
    """Nine happy faces, three sad ones, one without a label, no split of its own."""
    labels = np.array([0] * 9 + [1] * 3 + [-1])
    images = np.random.default_rng(1).integers(0, 255, (13, 8, 8, 1), dtype=np.uint8)
    ids = np.array([f"row {number}" for number in range(13)])
    return Faces(images, labels, ids, ("happy", "sad"), name="lop*sided*")


def test_summary_names_the_ratio_and_what_is_missing() -> None:
    faces = lopsided()
    words = data_view.summary_text(faces, audit_faces(faces, None))
    assert "13 grey images of 8 × 8 pixels in 2 classes" in words
    assert "*happy* has 3.0 times as many images as *sad*" in words
    assert "1 image without a label" in words
    assert words.startswith("**lop\\*sided\\***:"), "a name cannot change the page's formatting"


def test_counts_table_adds_up(tiny_faces: Faces) -> None:
    audit = audit_faces(tiny_faces, split_faces(tiny_faces, PLAN))
    table = data_view.counts_table(audit)
    for part in ("train", "validation", "test"):
        assert f"<td>{sum(audit.counts_per_split[part].values()):,}</td>" in table
    assert "<td>70</td>" in table
    assert "14.3 %" in table


def test_chart_shows_shares_of_each_part_with_counts() -> None:
    figure = distribution_figure(
        {"train": {"happy": 30, "sad": 10}, "test": {"happy": 0, "sad": 0}}
    )
    (bars,) = figure.data  # an empty part has no bars
    assert list(bars.x) == [75, 25]
    assert bars.text[0] == "30 · 75.0 %"
    assert figure.layout.yaxis.type == "category", "classes may be called 1, 2 and 7"


def test_parts_of_the_chart_are_told_apart_and_no_bar_leaves_it() -> None:
    parts = {"train": {"happy": 30, "sad": 10}, "test": {"happy": 9, "sad": 1}}
    figure = distribution_figure(parts)
    assert [bars.name for bars in figure.data] == ["train (40)", "test (10)"]
    assert len({bars.marker.color for bars in figure.data}) == 2
    assert figure.layout.xaxis.range[1] > 90
    assert figure.layout.yaxis.autorange == "reversed", "the first expression stands on top"


def test_chart_without_a_label_says_so() -> None:
    figure = distribution_figure({"all": {"happy": 0}})
    assert "No labelled image" in figure.layout.annotations[0].text


def test_gallery_draws_only_the_wanted_class_and_part(tiny_faces: Faces) -> None:
    split = split_faces(tiny_faces, PLAN)
    chosen = data_view.drawn_indices(tiny_faces, split, "sad", "test", seed=3)
    assert len(chosen) == 3
    assert set(chosen) <= set(split.test)
    assert {tiny_faces.class_names[label] for label in tiny_faces.labels[chosen]} == {"sad"}


def test_a_new_draw_differs_and_a_seed_repeats_it(tiny_faces: Faces) -> None:
    split = split_faces(tiny_faces, PLAN)
    anything = (tiny_faces, split, data_view.ANY_CLASS, data_view.ANY_PART)
    first = data_view.drawn_indices(*anything, seed=1)
    assert len(set(first)) == data_view.GALLERY_FACES
    assert list(first) == list(data_view.drawn_indices(*anything, seed=1))
    assert list(first) != list(data_view.drawn_indices(*anything, seed=2))


def test_unlabelled_faces_can_be_looked_at() -> None:
    faces = lopsided()
    nothing = np.zeros(0, dtype=np.int64)
    classes, _ = data_view.gallery_choices(faces)
    assert data_view.NO_LABEL in classes
    shown = data_view.gallery(
        faces, Split(nothing, nothing, nothing), data_view.NO_LABEL, data_view.ANY_PART, 0
    )
    assert shown.count("<img") == 1
    assert "row 12" in shown


def test_every_face_of_the_gallery_has_its_own_label_and_part() -> None:
    faces = lopsided()
    split = Split(np.arange(6), np.array([6, 9]), np.array([7, 10]))
    shown = data_view.gallery(faces, split, data_view.NO_LABEL, data_view.ANY_PART, 0)
    assert "<figcaption>unlabelled<small" in shown, "a dot is a class's"
    assert "in no part · row 12" in shown
    sad = data_view.gallery(faces, split, "sad", data_view.ANY_PART, 0)
    assert sad.count("</span>sad<small") == 3
    for row, part in ((9, "validation"), (10, "test"), (11, "in no part")):
        assert f">{part} · row {row}<" in sad


def test_what_is_not_there_is_not_offered_and_not_divided_by(tiny_faces: Faces) -> None:
    classes, parts = data_view.gallery_choices(tiny_faces)
    assert classes == [data_view.ANY_CLASS, *FER2013_CLASSES]
    assert parts == [data_view.ANY_PART, "train", "validation", "test"]
    words = data_view.summary_text(tiny_faces, audit_faces(tiny_faces, None))
    assert "The classes are about equally large. All are labelled." in words
    happy_only = Split(np.arange(6), np.array([9]), np.array([7, 10]))
    table = data_view.counts_table(audit_faces(lopsided(), happy_only))
    assert "imbalance ratio</th><td>–</td><td>–</td><td>1.0</td><td>3.0</td>" in table


def test_texts_of_a_data_set_cannot_become_page_elements() -> None:
    evil = "<script>alert(1)</script>"
    faces = lopsided()
    marked = Faces(faces.images, faces.labels, np.array([evil] * 13), (evil, "sad"),
                   unreadable=(Unreadable(evil, evil),))  # fmt: skip
    audit = audit_faces(marked, None)
    nothing = np.zeros(0, dtype=np.int64)
    split = Split(nothing, nothing, nothing)
    pieces = [
        data_view.counts_table(audit),
        data_view.gallery(marked, split, data_view.ANY_CLASS, data_view.ANY_PART, 0),
        data_view.mean_gallery(marked, np.zeros((2, 8, 8, 1), dtype=np.uint8)),
        data_view.unreadable_list(marked),
        face_grid([GridFace(faces.images[0], evil, evil, "", f'"{evil}')]),
    ]
    for piece in pieces:
        assert "<script" not in piece


def test_another_split_changes_what_runs_use(face_folder: Path) -> None:
    choice = {**DEFAULT_DATA_CHOICE, "source": str(face_folder)}
    wider = with_split(choice, "stratified", 25, 40, 7)
    assert wider["source"] == str(face_folder)
    assert (wider["validation_share"], wider["test_share"], wider["split_seed"]) == (0.25, 0.4, 7)
    assert "**8** test" in view_set(wider).split
    assert "**4** test" in view_set(choice).split


def test_it_is_said_how_unreadable_rows_are_counted() -> None:
    faces = lopsided()
    listed = {
        where: data_view.unreadable_list(replace(faces, unreadable=(Unreadable(where, "odd"),)))
        for where in ("row 4", "happy/broken.jpg")
    }
    assert "Rows count from 0" in listed["row 4"]
    assert "count from" not in listed["happy/broken.jpg"]


def test_view_lists_what_could_not_be_read(face_folder: Path) -> None:
    seen = view_set({**DEFAULT_DATA_CHOICE, "source": str(face_folder)})
    assert "20 grey images" in seen.summary
    assert "1 row or file could not be read" in seen.summary
    assert "broken.png" in seen.unreadable
    assert seen.gallery.count("<img") == 20
    assert seen.means.count("<img") == 2


def test_a_set_that_cannot_be_split_is_still_shown(tmp_path: Path) -> None:
    (tmp_path / "one" / "happy").mkdir(parents=True)
    Image.new("L", (20, 20), 90).save(tmp_path / "one" / "happy" / "a.png")
    seen = view_set({**DEFAULT_DATA_CHOICE, "source": str(tmp_path / "one")})
    assert seen.split.startswith("No split yet: ")
    assert seen.gallery.count("<img") == 1


def test_twins_and_their_conflicts_are_told(tiny_faces: Faces) -> None:
    images = tiny_faces.images.copy()
    images[1] = images[0]  # labels 0 and 1
    faces = Faces(images, tiny_faces.labels, tiny_faces.ids, FER2013_CLASSES)
    _, audit, _ = split_and_audit(faces, DEFAULT_DATA_CHOICE)
    words = data_view.twins_text(audit)
    assert "<b>1</b><span>groups of twins carry different labels" in words.replace(
        "group ", "groups "
    )
    assert "at least one is wrong" in words
    _, audit, _ = split_and_audit(tiny_faces, DEFAULT_DATA_CHOICE)
    words = data_view.twins_text(audit)
    assert "No picture stands under two labels" in words
    assert not any(said in words for said in ("flatters it", "at least one is wrong", "by heart"))


def test_shares_matter_only_where_something_is_drawn(tiny_faces: Faces) -> None:
    whole = np.array(["train"] * 50 + ["validation"] * 10 + ["test"] * 10)
    complete = Faces(tiny_faces.images, tiny_faces.labels, tiny_faces.ids, FER2013_CLASSES, whole)
    assert shares_matter(complete, "source") == {"validation": False, "test": False}
    assert shares_matter(complete, "stratified") == {"validation": True, "test": True}
    assert shares_matter(tiny_faces, "source") == {"validation": True, "test": True}
    tested = np.where(whole == "validation", "train", whole)
    folders = replace(tiny_faces, source_split=tested)  # with folders train and test
    assert shares_matter(folders, "source") == {"validation": True, "test": False}
    unlabelled = replace(folders, labels=np.where(tested == "test", -1, tiny_faces.labels))
    assert shares_matter(unlabelled, "source") == {"validation": True, "test": True}


def test_public_visitors_open_only_the_built_in_sets(home: AppSettings, face_folder: Path) -> None:
    public = AppSettings(home.data_folder, home.runs_folder, public=True)
    offered = [entry.source for entry in open_sets.sources(public)]
    assert offered == ["drawn", "drawn:six"]
    assert [open_sets.allowed_source(source, public) for source in offered] == offered
    for source in (str(face_folder), "/etc", "hub:someone/faces", "drawn:5000000"):
        with pytest.raises(DataError, match="public page"):
            open_sets.allowed_source(source, public)
    upload = face_folder / "upload.zip"
    upload.write_bytes(b"PK")
    with pytest.raises(DataError, match="public page"):
        open_sets.keep_upload(upload, public)


def test_typed_sources(home: AppSettings, face_folder: Path) -> None:
    assert open_sets.allowed_source(f' "{face_folder}" ', home) == str(face_folder)
    assert open_sets.allowed_source("someone/faces", home) == "hub:someone/faces"
    for nothing in ("/nowhere/at all", "a" * 5000, "a/" + "b" * 300, "~nobody-of-this-name/faces"):
        with pytest.raises(DataError, match="no file or folder"):
            open_sets.allowed_source(nothing, home)
    with pytest.raises(DataError, match="No data set was named"):
        open_sets.allowed_source(None, home)


def test_a_set_that_is_gone_is_told_in_words() -> None:
    """Between opening a set and drawing from it again, its file may have been removed."""

    def on_again(source: str) -> str:
        """A handler."""
        raise DataError(f"there is no readable file or folder {source}")

    with pytest.raises(gr.Error, match=r"there is no readable file or folder gone\.csv"):
        in_words(on_again)("gone.csv")
    assert in_words(len)("four") == 4


def test_parts_that_a_set_lacks_are_said_to_be_drawn(tiny_faces: Faces) -> None:
    parts = np.array(["train"] * 56 + ["test"] * 14)
    faces = replace(tiny_faces, source_split=parts)
    split = split_faces(faces, SplitPlan())
    words = data_view.split_text(faces, split, "source")
    assert "the split that comes with the set; validation, which it lacks, drawn from" in words
    whole = replace(faces, source_split=np.where(np.arange(70) < 7, "validation", parts))
    assert "lacks" not in data_view.split_text(whole, split_faces(whole, SplitPlan()), "source")
    untested = replace(tiny_faces, source_split=np.array(["train"] * 56 + ["validation"] * 14))
    nothing = split_faces(untested, SplitPlan(test_share=0))
    assert "lacks" not in data_view.split_text(untested, nothing, "source")  # none is drawn
