"""Small work on one core, large batches on all of them, each thread by itself.

In a process of its own, since the number is one of the whole process.
"""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import json, sys, threading
import torch
from fer_core.cores import cores_for, small_work_on_one_core
torch.set_num_threads(3)
seen = {}
def note(name):
    seen[name] = torch.get_num_threads()
def elsewhere(name):
    thread = threading.Thread(target=note, args=(name,))
    thread.start()
    thread.join()
with cores_for(1000, 48):
    note("large, not asked")
if sys.argv[1] == "asked":
    small_work_on_one_core()
    small_work_on_one_core()
note("here")
elsewhere("a new thread")
with cores_for(12, 48):
    note("six faces")
with cores_for(64, 48):
    note("large")
with cores_for(2, 224):
    note("two large pictures")
try:
    with cores_for(64, 48):
        raise KeyError
except KeyError:
    note("after a failure")
elsewhere("a newer thread")
print(json.dumps(seen))
"""


def _seen(how: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_small_work_has_one_core_and_large_batches_all() -> None:
    assert _seen("asked") == {
        "large, not asked": 3,
        "here": 1,
        "a new thread": 1,
        "six faces": 1,
        "large": 3,
        "two large pictures": 3,
        "after a failure": 1,
        "a newer thread": 1,
    }


def test_nothing_changes_where_nothing_was_asked() -> None:
    assert set(_seen("not").values()) == {3}
