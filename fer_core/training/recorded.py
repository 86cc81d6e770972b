"""Work on a GPU that is recorded once and then repeated with one launch: a CUDA graph.

A training step of a small network is hundreds of kernels of a few microseconds each; launching them
one by one from Python takes longer than they do.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence

import torch

log = logging.getLogger("fer_core.training")

#: Calls that do the work as it stands before it is recorded: compiling, and choosing kernels for
#: its sizes, cannot be part of a recording.
_PLAIN_CALLS = 3
#: Seconds of a plain call from which on recording it is not worth the memory that it keeps: its
#: kernels take longer than launching them.
_LONG_CALL = 0.1


class Recorded:
    """Callable; every call does the work, from the fourth on by a recording.

    work: reads and writes tensors that stay where they are between the calls, asks nothing of the
    device that would wait for it, and draws from `generators` and torch's own for the device alone.
    Where it cannot be recorded, or takes long anyway, every call does it as it stands.
    """

    def __init__(
        self,
        work: Callable[[], None],
        device: torch.device,
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        self._work, self._device, self._generators = work, device, generators
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._refused = False
        self._side = torch.cuda.Stream(device)

    def __call__(self) -> None:
        self._calls += 1
        if self._calls > _PLAIN_CALLS and self._graph is None and not self._refused:
            self._record()
        if self._graph is not None:
            self._graph.replay()
        elif self._refused:
            self._work()
        elif self._calls == _PLAIN_CALLS:
            self._try_without_waiting()
        else:
            self._plain()

    def _plain(self) -> None:
        """As it is recorded: in a stream of its own, that nothing of it belongs to another."""
        here = torch.cuda.current_stream(self._device)
        self._side.wait_stream(here)
        with torch.cuda.stream(self._side):
            self._work()
        here.wait_stream(self._side)

    def _try_without_waiting(self) -> None:
        """The last plain call, in which torch tells of whatever would wait for the device.

        Such work cannot be recorded, and a recording that fails leaves more behind than a call.
        """
        torch.cuda.synchronize(self._device)
        begin = time.perf_counter()
        try:
            with _waiting_is_an_error():
                self._plain()
        except RuntimeError as error:
            self._refuse(error)
            self._plain()
        torch.cuda.synchronize(self._device)
        self._refused |= time.perf_counter() - begin > _LONG_CALL

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        gc.collect()  # an earlier recording's memory is in a circle of references
        try:
            # a recording that fails leaves its stream the current one
            with torch.cuda.stream(torch.cuda.current_stream(self._device)):
                self._fill(graph, self._work)
        except RuntimeError as error:
            self._refuse(error)
            # until torch 2.12 the generators of a failed recording believe that it goes on; one
            # that ends well tells them
            with contextlib.suppress(RuntimeError):
                self._fill(torch.cuda.CUDAGraph(), lambda: torch.zeros((), device=self._device))
        else:
            self._graph = graph

    def _fill(self, graph: torch.cuda.CUDAGraph, work: Callable[[], object]) -> None:
        for generator in self._generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph, stream=self._side):
            work()

    def _refuse(self, error: RuntimeError) -> None:
        self._refused = True
        log.warning("steps are launched kernel by kernel, they cannot be recorded: %s", error)


@contextlib.contextmanager
def _waiting_is_an_error() -> Iterator[None]:
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)
