"""The cache: decoded once, a memory map after that, and never a broken set, whatever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.faces import DataError, Faces
from fer_core.data.readers import read_faces
from fer_core.data.store import ImageWriter, check_room


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FER_CACHE", str(folder))
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "set.csv", rows=30)


def write_table(path: Path, rows: int) -> Path:
    lines = [f"{row % 7}," + " ".join([str(row % 256)] * 2304) for row in range(rows)]
    path.write_text("\n".join(["emotion,pixels", *lines, "9,bad"]) + "\n")
    return path


def decodes(table: Path, **options: int) -> bool:
    """Whether reading had to decode."""
    seen: list[int] = []
    read_faces(table, progress=lambda done, total: seen.append(done), **options)
    return bool(seen)


def test_the_second_reading_is_the_same_set_from_a_memory_map(cache: Path, table: Path) -> None:
    first, second = read_faces(table), read_faces(table)
    assert isinstance(second.images, np.memmap)
    assert not second.images.flags.writeable
    assert np.array_equal(first.images, second.images)
    for name in ("labels", "ids"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist()
    for name in ("class_names", "name", "source", "fingerprint", "unreadable", "source_split"):
        assert getattr(first, name) == getattr(second, name)
    assert len(second.unreadable) == 1
    assert not decodes(table)


def test_the_fingerprint_is_that_of_the_content(cache: Path, table: Path) -> None:
    faces = read_faces(table)
    again = Faces(np.array(faces.images), faces.labels, faces.ids, faces.class_names)
    assert again.fingerprint == faces.fingerprint


def test_a_changed_source_or_option_is_decoded_anew(cache: Path, table: Path) -> None:
    assert decodes(table)
    assert decodes(table, image_size=24)
    assert decodes(table, channels=3)
    assert not decodes(table)
    write_table(table, rows=31)
    assert len(read_faces(table)) == 31
    os.utime(table, ns=(1, 1))
    assert decodes(table)


def test_a_folder_with_a_changed_file_is_decoded_anew(cache: Path, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "set" / "sad").mkdir(parents=True)
    for value in (1, 2):
        Image.new("L", (8, 8), value).save(tmp_path / "set" / "sad" / f"{value}.png")
    assert read_faces(tmp_path / "set").images[:, 0, 0, 0].tolist() == [1, 2]
    assert not decodes(tmp_path / "set")
    Image.new("L", (8, 8), 9).save(tmp_path / "set" / "sad" / "2.png")
    os.utime(tmp_path / "set" / "sad" / "2.png", ns=(5, 5))
    assert read_faces(tmp_path / "set").images[:, 0, 0, 0].tolist() == [1, 9]
    (tmp_path / "set" / "sad" / "1.png").unlink()
    assert len(read_faces(tmp_path / "set")) == 1


@pytest.mark.parametrize(
    "name", ["images.npy", "labels.npy", "ids.npy", "splits.npy", "facts.json"]
)
@pytest.mark.parametrize("damage", ["cut", "gone", "empty", "garbage"])
def test_a_broken_cache_is_built_again(cache: Path, table: Path, name: str, damage: str) -> None:
    expected = read_faces(table).fingerprint
    [file] = cache.glob(f"*/{name}")
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:-9], "empty": b"", "garbage": b"\x93junk"}[damage])
    faces = read_faces(table)
    assert faces.fingerprint == expected
    assert len(faces) == 30
    assert not decodes(table)


def test_a_decode_that_fails_or_is_cancelled_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    table = write_table(tmp_path / "long.csv", rows=600)
    with pytest.raises(Cancelled):
        read_faces(table, progress=cancel)
    (tmp_path / "bad.csv").write_text("emotion,pixels\n9," + "1 " * 2304 + "\n")
    with pytest.raises(DataError):
        read_faces(tmp_path / "bad.csv")
    assert list(cache.iterdir()) == []
    assert len(read_faces(table)) == 600


def test_a_killed_decode_leaves_no_set(cache: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "set.csv", rows=600)
    script = f"""
        import time
        from fer_core.data.readers import read_faces
        def report(done, total):
            print("decoding", flush=True)
            time.sleep(60)
        read_faces({str(table)!r}, progress=report)
    """
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    ) as child:
        assert child.stdout.readline().strip() == b"decoding"
        child.send_signal(signal.SIGKILL)
    [left] = cache.iterdir()
    assert left.name.startswith("part-")
    assert len(read_faces(table)) == 600
    long_ago = time.time() - 3 * 86_400
    os.utime(left, (long_ago, long_ago))
    read_faces(table, image_size=24)  # the next decode clears what was left
    assert not left.exists()


def test_two_readers_at_once_decode_once(cache: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "set.csv", rows=600)
    decoded: list[int] = []
    found: list[str] = []

    def read() -> None:
        faces = read_faces(table, progress=lambda done, total: decoded.append(done))
        found.append(faces.fingerprint)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert decoded == [250, 500, 601]  # with the row that cannot be read


def test_a_disk_without_room_is_said_before_decoding(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="GB free"):
        check_room(tmp_path, 10**18)


def test_the_image_writer_holds_the_count_that_was_written(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1200, 5, 5, 1), dtype=np.uint8)
    with ImageWriter(tmp_path, 5, None) as writer:
        for image in images:
            writer.append(image)
    assert np.array_equal(np.load(tmp_path / "images.npy"), images)
