"""The command that names the expressions of pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from asked import json_of
from PIL import Image

from fer_core.cli import main
from fer_core.inference.predictor import UNSURE_BELOW, FacePrediction, Predictor
from fer_core.ui.examples import EXAMPLES


def test_predict_looks_for_no_smaller_faces_than_asked(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    with Image.open(EXAMPLES[0].path) as example:
        wide = example.resize((1024, 1024))
    wide.paste(wide.crop((330, 40, 650, 360)).resize((80, 80)), (40, 40))
    wide.save(photo)
    both = json_of(capsys, "predict", str(run), str(photo))[0]["faces"]
    large = json_of(capsys, "predict", str(run), str(photo), "--min-face", "100")[0]["faces"]
    assert len(both) == 2
    assert len(large) == 1
    assert large[0]["box"] == pytest.approx(both[0]["box"], abs=10)


def test_predict_takes_several_pictures_and_names_the_bad_one(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    capsys.readouterr()
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    _grey_slope(48).convert("L").save(good)
    bad.write_bytes(b"no picture")
    words = ("predict", str(run), str(good), str(bad), "--whole-picture")
    results = json_of(capsys, *words, code=2)
    face = results[0]["faces"][0]
    assert {"box", "label", "confidence", "probabilities"} <= set(face)
    assert face["unsure"] == (face["confidence"] < UNSURE_BELOW)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert results[1]["faces"] == []
    assert results[1]["error"]
    assert main(["predict", str(run), str(tmp_path)]) == 2
    assert f"is a folder; name pictures, as in {tmp_path}/*.jpg" in capsys.readouterr().out


@pytest.mark.parametrize(("share", "said"), [(0.3, "unsure (sad 30%)"), (0.5, "sad 50%")])
def test_predict_names_no_label_that_is_too_weak(
    capsys: pytest.CaptureFixture[str],
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    said: str,
) -> None:
    picture = tmp_path / "me.png"
    _grey_slope(48).save(picture)
    face = FacePrediction(None, "sad", share, {"sad": share}, np.zeros((48, 48, 1), np.uint8))
    monkeypatch.setattr(Predictor, "predict", lambda *_what: [face])
    capsys.readouterr()
    assert main(["predict", str(run), str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}: {said}\n"


def _grey_slope(side: int) -> Image.Image:
    levels = np.linspace(60, 200, side, dtype=np.uint8)
    return Image.fromarray(np.broadcast_to(levels[:, None, None], (side, side, 3)).copy())


def test_predict_writes_marked_pictures(run: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    _grey_slope(200).save(plain)
    marked = tmp_path / "marked"
    words = ["predict", str(run), str(plain), "--whole-picture", "--marked", str(marked)]
    assert main(words) == 0
    with Image.open(marked / "plain-marked.png") as picture:
        assert picture.size == (200, 200)
        assert np.asarray(picture).std() > 1  # the box and the label are drawn


def test_predict_writes_what_each_label_rests_on(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        pictures.append(str(tmp_path / folder / "me.png"))
        _grey_slope(60).save(pictures[-1])
    explained = tmp_path / "explained"
    words = ["predict", str(run), *pictures, "--whole-picture", "--explain", str(explained)]
    assert main([*words, "--json"]) == 0
    names = sorted(path.name for path in explained.iterdir())
    told = [entry["faces"][0]["explained"] for entry in json.loads(capsys.readouterr().out)]
    assert sorted(told) == [str(explained / name) for name in names]
    assert names == ["me-face-1-2-explained.png", "me-face-1-explained.png"]
    with Image.open(explained / names[0]) as picture:
        assert picture.size == (208, 208)


def test_marked_pictures_of_one_name_do_not_replace_each_other(run: Path, tmp_path: Path) -> None:
    pictures = []
    for folder, side in (("a", 60), ("b", 70), ("c", 80)):
        (tmp_path / folder).mkdir()
        pictures.append(str(tmp_path / folder / "me.png"))
        _grey_slope(side).save(pictures[-1])
    for _ in range(2):  # a second call writes its own again
        words = ["predict", str(run), *pictures, "--whole-picture"]
        assert main([*words, "--marked", str(tmp_path / "marked")]) == 0
    found = {}
    for path in (tmp_path / "marked").iterdir():
        with Image.open(path) as picture:
            found[path.name] = picture.size
    assert found == {
        "me-marked.png": (60, 60),
        "me-2-marked.png": (70, 70),
        "me-3-marked.png": (80, 80),
    }
