"""Work on a GPU that is recorded once and then repeated with one launch: a CUDA graph.

A training step of a small network is hundreds of kernels of a few microseconds each; launching them
one by one from Python takes longer than they do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import torch

log = logging.getLogger("fer_core.training")

#: Calls that do the work as it stands before it is recorded: compiling, and choosing kernels for
#: its sizes, cannot be part of a recording.
_PLAIN_CALLS = 3


class Recorded:
    """Callable; every call does the work, from the fourth on by a recording.

    work: reads and writes tensors that stay where they are between the calls, asks nothing of the
    device that would wait for it, and draws from `generators` and torch's own for the device alone.
    Where it cannot be recorded, every call does it as it stands.
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
        self._side = torch.cuda.Stream(device)

    def __call__(self) -> None:
        if self._graph is None and self._calls == _PLAIN_CALLS:
            self._record()
        self._calls += 1
        if self._graph is not None:
            self._graph.replay()
        elif self._calls <= _PLAIN_CALLS:
            # as it will be recorded: in a stream of its own, that nothing of it belongs to another
            self._side.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(self._side):
                self._work()
            torch.cuda.current_stream(self._device).wait_stream(self._side)
        else:
            self._work()

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph, stream=self._side):
                self._work()
        except RuntimeError as error:
            log.warning("steps are launched kernel by kernel, they cannot be recorded: %s", error)
        else:
            self._graph = graph
