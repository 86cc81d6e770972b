"""Small work on one core and all else as before, each thread by itself.

In a process of its own, since the number is one of the whole process.
"""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import json, sys, threading
import torch
from fer_core.cores import one_core, small_work_on_one_core
torch.set_num_threads(3)
seen = {}
def note(name):
    seen[name] = torch.get_num_threads()
def elsewhere(name):
    thread = threading.Thread(target=note, args=(name,))
    thread.start()
    thread.join()
if sys.argv[1] == "asked":
    small_work_on_one_core()
note("before")
with one_core():
    note("small")
note("after")
elsewhere("a new thread")
with one_core(False):
    note("large")
try:
    with one_core():
        raise KeyError
except KeyError:
    note("after a failure")
print(json.dumps(seen))
"""


def _seen(how: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_small_work_has_one_core_and_all_else_what_it_had() -> None:
    seen = _seen("asked")
    assert {name for name, cores in seen.items() if cores == 1} == {"small"}
    assert set(seen.values()) == {1, 3}


def test_nothing_changes_where_nothing_was_asked() -> None:
    assert set(_seen("not").values()) == {3}
