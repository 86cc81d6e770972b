"""Freed memory stays with the process, measured by the pages that the system has to give it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from fer_core.freed_memory import keep_freed_memory

#: Eight times two blocks of 20 MB, and how many pages were asked for after the first.
_PROGRAM = """
import resource, sys
import numpy as np
from fer_core.freed_memory import keep_freed_memory
if sys.argv[1] != "not":
    assert keep_freed_memory(all_of_it=sys.argv[1] == "all")
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def fill():
    blocks = [np.ones(5 << 20, dtype=np.float32) for _ in range(2)]
    return sum(block[0] for block in blocks)
fill()
before = pages()
for _ in range(8):
    fill()
print(pages() - before)
"""


#: The megabytes that a process still has of 400 that it asked for in blocks of 4 and gave up.
_GIVEN_UP = """
import resource, sys
import numpy as np
from fer_core.freed_memory import keep_freed_memory
assert keep_freed_memory(all_of_it=sys.argv[1] == "all")
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
before = megabytes()
blocks = [np.ones(1_000_000, dtype=np.float32) for _ in range(100)]
assert megabytes() - before > 350
del blocks
print(round(megabytes() - before))
"""


def _answer(program: str, how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", program, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def _pages(how: str) -> int:
    return _answer(_PROGRAM, how)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another library allots memory")
def test_no_page_is_asked_for_twice() -> None:
    assert _pages("not") > 2_000
    assert _pages("all") < 500
    assert _pages("page") < 500


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another library allots memory")
def test_a_page_gives_most_of_it_back() -> None:
    assert _answer(_GIVEN_UP, "page") < 100
    assert _answer(_GIVEN_UP, "all") > 350


def test_nothing_is_asked_of_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not keep_freed_memory()
