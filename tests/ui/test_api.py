"""The public endpoint `/predict`, asked over HTTP as a stranger's program would ask it."""

from __future__ import annotations

import json
import struct
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from serving import ServedApp

from fer_core.labels import FER2013_CLASSES
from fer_core.ui.examples import EXAMPLES

KEYS = {"unsure", "box", "label", "confidence", "probabilities", "landmarks"}


@pytest.fixture(scope="module")
def client(served_app: ServedApp) -> Client:
    return Client(served_app.url, verbose=False)


def ask(client: Client, picture: Path, checkpoint: str = "run:only happy", **more: Any) -> Any:
    return client.predict(
        handle_file(str(picture)), checkpoint=checkpoint, **more, api_name="/predict"
    )


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.png"
    Image.linear_gradient("L").resize((320, 240)).save(path)
    return path


def test_it_is_the_only_public_endpoint_and_says_what_it_returns(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/predict"]
    names = [part["parameter_name"] for part in endpoints["/predict"]["parameters"]]
    assert names == ["image", "checkpoint", "whole_picture"]
    for key in KEYS:
        assert key in endpoints["/predict"]["description"]


def test_a_face_comes_back_with_its_box_and_every_probability(client: Client) -> None:
    faces = ask(client, EXAMPLES[0].path)
    assert len(faces) == 1
    face = faces[0]
    assert set(face) == KEYS
    x0, y0, x1, y1 = face["box"]
    assert x0 < 225 < x1
    assert y0 < 117 < y1
    assert face["label"] == "happy"
    assert list(face["probabilities"]) == list(FER2013_CLASSES)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["confidence"] == max(face["probabilities"].values())


def test_the_checkpoint_can_be_named(client: Client) -> None:
    assert ask(client, EXAMPLES[0].path, "run:only sad")[0]["label"] == "sad"
    assert ask(client, EXAMPLES[0].path, "only sad")[0]["label"] == "sad"  # as the page shows it


def test_a_turned_photograph_is_read_upright(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    with Image.open(EXAMPLES[0].path) as upright:
        exif = Image.Exif()
        exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
        upright.rotate(90, expand=True).save(path, exif=exif)
    x0, y0, x1, y1 = ask(client, path)[0]["box"]
    assert x0 < 225 < x1
    assert y0 < 117 < y1


def test_no_face_is_an_empty_list_and_the_whole_picture_one_entry(
    client: Client, plain: Path
) -> None:
    assert ask(client, plain) == []
    faces = ask(client, plain, whole_picture=True)
    assert [(face["box"], face["landmarks"]) for face in faces] == [(None, None)]


def test_what_is_wrong_is_told_in_words(client: Client, plain: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_bytes(b"no picture at all")
    with pytest.raises(AppError, match=r"text\.png is not a picture"):
        ask(client, text)
    with pytest.raises(AppError, match="no checkpoint is called"):
        ask(client, plain, "../../etc")
    with pytest.raises(AppError, match="no picture was given"):
        client.predict(None, api_name="/predict")


def test_a_picture_of_absurd_size_is_refused_undecoded(client: Client, tmp_path: Path) -> None:
    """A file of 100 kB whose pixels would take 1.2 GB."""
    side = 20_000
    rows = zlib.compress(b"\0" * (side + 1) * 100)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    with pytest.raises(AppError, match=r"bomb\.png (is too large|has 20000 x 20000 pixels)"):
        ask(client, bomb)


def test_files_of_the_server_cannot_be_named(client: Client) -> None:
    secret = Path(__file__).resolve()
    data = [{"path": str(secret), "meta": {"_type": "gradio.FileData"}}, "", False]
    request = urllib.request.Request(
        f"{client.src}gradio_api/run/predict",
        json.dumps({"data": data}).encode(),
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    refused.value.close()
    assert refused.value.code == 500
