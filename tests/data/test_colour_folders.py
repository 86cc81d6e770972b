"""A folder of colour photographs of any size, as system E has it: drawn faces stand for them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.readers import list_sources, read_faces
from fer_core.data.split import SplitPlan, split_faces
from fer_core.data.synthetic import draw_face

FOLDERS = ("anger", "Disgust", "fear", "happiness", "pain", "sad")
CLASSES = ("angry", "disgust", "fear", "happy", "sad", "pain")
SIZES = ((90, 90), (260, 260), (224, 224), (400, 300), (150, 200))  # (width, height)


def _photograph(expression: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """A drawn face in colour, with plain borders beside or above it where it is not square."""
    width, height = size
    side = min(size)
    face = draw_face(expression, seed, side, channels=3, portrait=True)
    whole = Image.new("RGB", size, (30, 140, 60))
    whole.paste(Image.fromarray(face), ((width - side) // 2, (height - side) // 2))
    return whole


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five JPEGs of different sizes per class, one of them grey, in folders named as people do."""
    whole = tmp_path_factory.mktemp("home") / "photographs"
    for folder in FOLDERS:
        (whole / folder).mkdir(parents=True)
        for seed, size in enumerate(SIZES):
            picture = _photograph(folder, seed, size)
            if seed == 1:
                picture = picture.convert("L")
            picture.save(whole / folder / f"{seed}.jpg", quality=95)
    return whole


def test_classes_are_mapped_and_every_picture_gets_the_wanted_size(photographs: Path) -> None:
    faces = read_faces(photographs, image_size=224)
    assert faces.class_names == CLASSES
    assert faces.counts() == dict.fromkeys(CLASSES, len(SIZES))
    assert faces.images.shape == (30, 224, 224, 3)
    assert not faces.unreadable
    for label, name in zip(faces.labels, faces.ids, strict=True):
        assert FOLDERS[["angry", "disgust", "fear", "happy", "pain", "sad"].index(
            CLASSES[label])] in str(name)  # fmt: skip


def test_colour_is_kept_and_a_grey_one_has_three_equal_channels(photographs: Path) -> None:
    faces = read_faces(photographs, image_size=224)
    for image, name in zip(faces.images, faces.ids, strict=True):
        grey = "1.jpg" in str(name)
        assert (np.ptp(image.astype(int), axis=2).max() == 0) == grey, name


def test_the_face_is_what_was_drawn_whatever_its_size(photographs: Path) -> None:
    faces = read_faces(photographs, image_size=224)
    for index in np.flatnonzero(faces.labels == CLASSES.index("pain")):
        seed = int(Path(str(faces.ids[index])).stem)
        width, height = SIZES[seed]
        face = draw_face("pain", seed, 224, channels=3, portrait=True)
        if seed == 1:
            face = np.asarray(Image.fromarray(face).convert("L").convert("RGB"))
        side = round(224 * min(width, height) / max(width, height))
        expected = np.asarray(Image.fromarray(face).resize((side, side)))
        edge = (224 - side) // 2
        shown = faces.images[index, edge : edge + side, edge : edge + side]
        assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.97, SIZES[seed]


def test_a_zip_of_the_folder_and_the_split_of_the_report(photographs: Path, tmp_path: Path) -> None:
    path = tmp_path / "photographs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in photographs.rglob("*.jpg"):
            archive.write(file, f"set/{file.relative_to(photographs)}")
    faces = read_faces(path, image_size=64, channels=3)
    assert faces.images.shape == (30, 64, 64, 3)
    assert faces.class_names == CLASSES
    plan = SplitPlan("stratified", validation_share=0.25, test_share=0.2, seed=42)
    assert {name: len(part) for name, part in split_faces(faces, plan).parts().items()} == {
        "train": 18, "validation": 6, "test": 6,
    }  # fmt: skip


def test_the_page_offers_the_folder_as_one_set(photographs: Path) -> None:
    offered = [(item.name, item.kind) for item in list_sources(photographs.parent)]
    assert ("photographs", "folder") in offered
