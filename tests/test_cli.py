"""The command line: each command's JSON has its documented keys, and refusals are one line."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.cli import main
from fer_core.data.readers import read_faces
from fer_core.data.synthetic import draw_faces
from fer_core.data.views import read_views
from fer_core.inference.predictor import UNSURE_BELOW, FacePrediction, Predictor
from fer_core.paths import SHIPPED_CHECKPOINTS, RunFolder
from fer_core.runs.checkpoint import load_checkpoint
from fer_core.runs.config import RunConfig
from fer_core.runs.shipping import ship_run
from fer_core.training.job import create_run
from fer_core.training.run import execute_run
from fer_core.ui.examples import EXAMPLES


def _json(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> object:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def trained(tiny_csv_text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("trained")
    data, folder = place / "tiny.csv", place / "runs" / "one"
    data.write_text(tiny_csv_text)
    settings = ("epochs=12", "batch_size=32", "learning_rate=0.01", "device=cpu")
    words = [word for setting in settings for word in ("--set", setting)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert (
            main(["train", "--recipe", "quick", *words, "--data", f"{data}", "--run", f"{folder}"])
            == 0
        )
    assert "test: accuracy" in said.getvalue()
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """The run of a command, trained once and copied for every test."""
    return shutil.copytree(trained, tmp_path / "runs" / "one")


def test_train_alone_takes_the_quick_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worked: list[RunConfig] = []

    def work(chosen: object, folder: RunFolder) -> int:
        worked.append(RunConfig.from_json(folder.config.read_text()))
        return 0

    monkeypatch.setattr("fer_core.cli.training_commands._work", work)
    assert main(["train", "--run", str(tmp_path / "alone")]) == 0
    assert "the recipe quick" in capsys.readouterr().err
    assert main(["train", "--data", "drawn", "--run", str(tmp_path / "named")]) == 0
    assert "quick" not in capsys.readouterr().err
    assert [config.recipe for config in worked] == ["quick", "custom"]


def test_models_lists_size_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    rows = _json(capsys, "models")
    assert {"name", "parameters", "trainable", "gflops"} <= set(rows[0])
    assert {"expressnet", "competition_baseline"} <= {row["name"] for row in rows}


def test_recipes_lists_whole_configurations(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in _json(capsys, "recipes")}
    assert {"quick", "competition_baseline", "expressnet"} <= set(rows)
    assert rows["competition_baseline"]["config"]["batch_size"] == 400


def test_audit_counts(capsys: pytest.CaptureFixture[str], tiny_csv: Path) -> None:
    values = _json(capsys, "audit", str(tiny_csv))
    assert values["images"] == 210
    assert values["counts"]["angry"] == 30
    assert values["counts_per_split"]["test"]["angry"] == 6


def test_a_set_that_cannot_be_split_is_audited_all_the_same(
    capsys: pytest.CaptureFixture[str], tiny_csv: Path
) -> None:
    lines = tiny_csv.read_text().splitlines()
    only_test = [lines[0], *(line for line in lines if line.endswith("PrivateTest"))]
    tiny_csv.write_text("\n".join(only_test) + "\n")
    assert main(["audit", str(tiny_csv), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["images"] == 42
    assert "no split yet: " in said.err


def test_train_evaluate_and_resume(
    capsys: pytest.CaptureFixture[str], run: Path, tiny_csv: Path
) -> None:
    values = _json(capsys, "evaluate", str(run), "--data", str(tiny_csv))
    assert {"accuracy", "interval", "macro_f1", "n", "per_class", "left_out"} <= set(values)
    assert 0 <= values["interval"][0] <= values["accuracy"] <= values["interval"][1] <= 1
    assert values["n"] == 42
    record = json.loads((run / "record.json").read_text())
    assert values["accuracy"] == record["test"]["accuracy"]
    assert main(["resume", str(run)]) == 2
    assert "one is finished" in capsys.readouterr().err


def test_predict_looks_for_no_smaller_faces_than_asked(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    with Image.open(EXAMPLES[0].path) as example:
        wide = example.resize((1024, 1024))
    wide.paste(wide.crop((330, 40, 650, 360)).resize((80, 80)), (40, 40))
    wide.save(photo)
    both = _json(capsys, "predict", str(run), str(photo))[0]["faces"]
    large = _json(capsys, "predict", str(run), str(photo), "--min-face", "100")[0]["faces"]
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
    results = _json(capsys, *words, code=2)
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


def _drawn_folder(place: Path) -> None:
    """21 drawn faces, a folder for each class."""
    drawn = draw_faces(21, image_size=96, seed=3)
    for number, (image, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        folder = place / drawn.class_names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(folder / f"{number}.png")


def test_a_study_that_finds_no_face_is_json_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _drawn_folder(tmp_path / "faces")
    out = tmp_path / "photographs.md"
    words = ["photo-study", str(SHIPPED_CHECKPOINTS / "expressnet"), "--count", "2", "--sizes", "8"]
    capsys.readouterr()
    rows = _json(capsys, *words, "--data", str(tmp_path / "faces"), "--out", str(out))
    assert {row["found"] for row in rows} == {0}
    assert {row["accuracy"] for row in rows} == {None}
    assert "photo-study checkpoints/expressnet --data data/faces" in out.read_text()


def test_an_alignment_study_writes_its_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, out = tmp_path / "faces", tmp_path / "alignment.md"
    _drawn_folder(folder)
    words = ["alignment-study", str(SHIPPED_CHECKPOINTS / "expressnet-nano"), "--count", "2"]
    capsys.readouterr()
    found = _json(capsys, *words, "--data", str(folder), "--turned", "0", "20", "--out", str(out))
    assert set(found) == {"0", "20"}
    assert {row["pasted"] for row in found["20"] if row["size"] == "all"} == {8}
    page = out.read_text()
    assert "turned by up to 20°" in page
    assert "checkpoints/expressnet-nano --data data/faces --count 2 --turned 0 20`" in page


def test_views_of_a_set_are_made_for_a_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, out = tmp_path / "faces", tmp_path / "views.npz"
    _drawn_folder(folder)
    capsys.readouterr()
    found = _json(capsys, "views", "--data", str(folder), "--size", "48", "--out", str(out))
    views = read_views(out, read_faces(str(folder), image_size=48))
    assert found["asked"] == 21 >= found["found"] == len(views) > 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("views --data drawn --out TMP", "--out: must name a file such as TMP/out.md, got the fol"),
        (
            "views --data drawn --out v --times 0",
            "--times: must be a whole number from 1 to 100, got 0",
        ),
        (
            "views --data drawn --out v --seed -3",
            "--seed: must be a whole number from 0 to 2147483647, got -3",
        ),
        ("photo-study TMP --data drawn --enlarged 9", "must be a whole number from 1 to 8, got 9"),
        ("views --data drawn --out v --size 4", "--size: must be a whole number from 8 on, got 4"),
        ("domain TMP --data drawn --limit -5", "--limit: must be a whole number from 0 on, got -5"),
        (
            "domain TMP --data drawn --seed -1",
            "--seed: must be a whole number from 0 to 2147483647",
        ),
        ("fine-tune TMP --data drawn --seed -1", "--seed: must be a whole number from 0 to"),
        ("label-changes TMP --data drawn --seed x", "--seed: must be a whole number from 0 to"),
        (f"label-changes TMP --data drawn --seed {10**20}", f"0 to 2147483647, got {10**20}"),
        (f"budget a --epochs 1 --seed {10**20}", "--seed: must be a whole number from 0 to"),
        (f"domain TMP --data drawn --limit {10**20}", f"from 0 to 1000000000, got {10**20}"),
        (f"sweep a --seeds {10**20}", "--seeds: must be a whole number from 1 to 1000000000"),
        ("models --image-size -3", "--image-size: must be a whole number from 8 to 512, got -3"),
        ("models --image-size 100000000", "must be a whole number from 8 to 512, got 100000000"),
        ("trials TMP --out TMP/x.onnx", "--out: must name a page of text such as TMP/x.md, got"),
        ("peers --data drawn --out TMP/x.csv", "--out: must name a page of text such as TMP/x.md"),
        ("export TMP --out TMP/x.md", "--out: must name a file such as TMP/x.onnx, got TMP/x.md"),
        ("submit TMP --data drawn --out TMP/x.md", "--out: must name a file such as TMP/x.csv"),
        ("tuning TMP/nope", "RUN: must name a run's folder such as runs/NAME, TMP/nope is not"),
        ("trials TMP TMP/nope", "trials: must name a run's folder such as runs/NAME, TMP/nope is"),
        (f"tuning {__file__}", f"RUN: must name a folder, {__file__} is a file"),
        (f"sweeps --runs {__file__}", f"--runs: must name a folder, {__file__} is a file"),
        (f"budgets --runs {__file__}", f"--runs: must name a folder, {__file__} is a file"),
        (f"efficiency --runs {__file__}", f"--runs: must name a folder, {__file__} is a file"),
        (f"reproduce --data a --runs {__file__}", f"--runs: must name a folder, {__file__} is"),
        ("export TMP --out TMP", "--out: must name a file such as TMP/out.md"),
        ("alignment-study TMP --data drawn --out TMP", "--out: must name a file such as"),
        ("alignment-study TMP --data drawn --readme no.md", "must name a file, no.md is not there"),
        ("alignment-study TMP --data drawn --count 0", "--count: must be a whole number from 1"),
        ("alignment-study TMP --data drawn --turned 400", "must be 0 to 180 degrees, got 400"),
        ("alignment-study TMP --data drawn --turned -10", "must be 0 to 180 degrees, got -10"),
        ("photo-study TMP --data drawn --out TMP", "--out: must name a file such as"),
        ("bench --webcam --browser /nonexist", "--browser: must name a program, /nonexist is not"),
        (f"bench --webcam --browser {__file__}", f"must name a program, {__file__} is no program"),
        ("bench --predict --fer /nonexist", "--fer: must name a program, /nonexist is not there"),
        (
            "peers --data drawn --fer no-python",
            "--fer: must name a program, no-python is not there",
        ),
        (f"submit TMP --data drawn --out {__file__}/x", f"lie in a folder, {__file__} is a file"),
        (
            f"predict TMP a.png --explain {__file__}/x",
            f"--explain: must lie in a folder, {__file__} is a file",
        ),
        (
            f"ship TMP x --note {SHIPPED_CHECKPOINTS}/expressnet/weights.safetensors",
            "weights.safetensors is no UTF-8 text",
        ),
        ("bench --predict --threads 0", "--threads: must be a whole number from 1 to 1024, got 0"),
        (
            f"predict TMP a.png --marked {__file__}",
            f"--marked: must name a folder, {__file__} is a",
        ),
        ("remember TMP --data drawn --note no.md", "--note: must name a file, no.md is not there"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.replace("TMP", str(tmp_path)).split())
    assert ended.value.code == 2
    assert said.replace("TMP", str(tmp_path)) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "mark"),
    [
        ("alignment-study nothere --data nothere", "<!-- alignment -->"),
        ("peers nothere --data nothere", "<!-- peers -->"),
        ("near-twins nothere --data nothere", "<!-- near-twins -->"),
        ("bench --predict nothere", "<!-- speed -->"),
        ("bench --webcam", "<!-- webcam -->"),
        ("reproduce --data nothere", "<!-- reference table"),
    ],
)
def test_a_readme_without_its_marks_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, mark: str
) -> None:
    readme, out = tmp_path / "README.md", tmp_path / "out.md"
    readme.write_text("no marks")
    assert main([*words.split(), "--readme", str(readme), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"{readme} has no part to renew; where it shall stand, write the two lines" in said
    assert mark in said
    assert not out.exists()


def test_a_readme_is_refused_where_none_is_renewed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("text")
    assert main(["bench", "--gpu", "--readme", str(readme)]) == 2
    assert "--readme goes with --predict or --webcam" in capsys.readouterr().err


def test_ship_leaves_a_checkpoint_without_local_paths(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fer_core.runs.shipping.ship_run.__defaults__", ("", tmp_path / "shipped", False)
    )
    note = tmp_path / "note.md"
    note.write_text("## Origin\nmade in a test\n")
    assert main(["ship", str(run), "small", "--note", str(note)]) == 0
    place = tmp_path / "shipped" / "small"
    assert load_checkpoint(place).record["name"] == "small"
    texts = [(place / name).read_text() for name in ("config.json", "record.json", "card.md")]
    assert not any(str(tmp_path) in text for text in texts)
    assert "made in a test" in texts[2]


def test_ship_replaces_a_checkpoint_only_when_told_to(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = tmp_path / "shipped"
    monkeypatch.setattr("fer_core.runs.shipping.ship_run.__defaults__", ("", shipped, False))
    assert main(["ship", str(run), "small"]) == 0
    card = RunFolder(shipped / "small").card
    card.write_text("mine")
    assert main(["ship", str(run), "small"]) == 2
    assert "there is a checkpoint small already" in capsys.readouterr().err
    assert card.read_text() == "mine"
    assert main(["ship", str(shipped / "small"), "small", "--replace"]) == 2
    assert "is that very checkpoint" in capsys.readouterr().err
    assert main(["ship", str(run), "small", "--replace"]) == 0
    assert card.read_text() != "mine"


def test_ship_hides_the_path_of_data_that_is_gone(tmp_path: Path, tiny_config: RunConfig) -> None:
    folder = create_run(tiny_config, tmp_path / "runs", "one")
    execute_run(folder)
    Path(tiny_config.data).unlink()
    place = ship_run(folder, "small", shipped=tmp_path / "shipped")
    texts = [path.read_text() for path in (place.config, place.record, place.card)]
    assert not any(str(tmp_path) in text for text in texts)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--recipe", "slow"), "unknown recipe 'slow'"),
        (("train", "--set", "epochs=0"), "epochs must be 1 to"),
        (("train", "--recipe", "custom", "--set", "epochs=0"), "epochs must be 1 to"),
        (("resume", "nowhere"), "nowhere is no run"),
        (("evaluate", "nowhere", "--data", "drawn"), "holds no weights.safetensors"),
        (("audit", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_a_refusal_is_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert main(list(words)) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.startswith("error: ")
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "command",
    [
        *("audit", "train", "resume", "evaluate", "predict"),
        *("alignment-study", "ship", "models", "recipes", "reproduce", "label-changes"),
        *("sweep", "ablate", "ablation-methods", "sweep-table", "sweeps"),
        *("sweep-stop", "sweep-resume", "sweep-delete"),
        *("compare", "budget", "budgets", "budget-stop", "budget-resume"),
        *("efficiency", "ceiling", "submit", "competition", "domain", "fine-tune", "tuning"),
    ],
)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out
