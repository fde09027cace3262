"""A training step as one CUDA graph: the device repeats by itself all that a step once launched, so that
launches, which limit networks as small as ours, cost nothing (PyTorch, "CUDA semantics", "CUDA Graphs").

A replay repeats what the device did, not what Python did. Whatever differs between two steps must therefore
stand in tensors that stay where they are and are written before the replay, or select another recording. Seed
and offset of the default CUDA generator are such tensors: PyTorch writes them at every replay (note "CUDA
Graph-safe RNG states" in its CUDAGeneratorImpl.h; pytorch/pytorch#84967), so `torch.manual_seed` counts.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable
from functools import partial
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

Key = TypeVar("Key", bound=Hashable)
Figures = dict[str, Tensor]

WARM_UP = 3  # calls of each kind before it is recorded, which make whatever is made once


class Recorder(Protocol):
    """What records."""

    def run(self, function: Callable[[], Figures]) -> Figures:
        """Call it where it will be recorded."""

    def record(self, function: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Call it without any effect on the device. Returns what has the effect, and the same tensor with new
        contents each time. RuntimeError if it can't be recorded."""


class CudaGraphs:
    """Graphs of one device, all recorded on one stream. They share a pool of memory, for no two run at once
    and none reads what another has left there."""

    def __init__(self, device: torch.device):
        self.stream, self.pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()

    def run(self, function: Callable[[], Figures]) -> Figures:
        before = torch.cuda.current_stream()
        self.stream.wait_stream(before)
        with torch.cuda.stream(self.stream):
            figures = function()
        before.wait_stream(self.stream)
        return figures

    def record(self, function: Callable[[], Tensor]) -> Callable[[], Tensor]:
        graph = torch.cuda.CUDAGraph()
        with (
            torch.cuda.stream(torch.cuda.current_stream()),  # comes back to it where recording fails
            torch.cuda.graph(graph, pool=self.pool, stream=self.stream),
        ):
            output = function()

        def replay() -> Tensor:
            graph.replay()
            return output

        return replay


class Recorded(Generic[Key]):
    """A function of a key and of tensors that stay, which returns figures []. A `recorder` records it once
    for each key; without one, or where it can't, every call is a plain one."""

    def __init__(self, function: Callable[[Key], Figures], recorder: Recorder | None):
        self.function, self.recorder = function, recorder
        self.seconds = 0.0  # spent on recording
        self.forget()

    def forget(self) -> None:
        """Record anew, since tensors have been replaced."""
        self._calls, self._replays = Counter[Key](), dict[Key, Callable[[], Figures]]()

    def __call__(self, key: Key) -> Figures:
        if self.recorder and key not in self._replays:
            self._calls[key] += 1
            if self._calls[key] <= WARM_UP:
                return self.recorder.run(partial(self.function, key))
            self._record(key)
        return self._replays[key]() if self.recorder else self.function(key)

    def _record(self, key: Key) -> None:
        names: list[str] = []

        def stacked() -> Tensor:
            figures = self.function(key)
            names[:] = figures
            return torch.stack([value.float() for value in figures.values()])

        started = time.monotonic()
        try:
            replay = self.recorder.record(stacked)
        except RuntimeError as error:
            self.recorder = None
            cause = str(error.__context__ or error).partition("\n")[0]  # the context manager's own comes last
            tqdm.write(f"steps run one launch at a time: no CUDA graph of them ({cause})", file=sys.stderr)
        else:
            self._replays[key] = lambda: dict(zip(names, replay().clone().unbind(), strict=True))
        self.seconds += time.monotonic() - started
