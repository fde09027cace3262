"""What the benchmarks share: a clock that other programs disturb little, work counted, and spread.

On a CPU time is the process's own (`time.process_time`), of which others on the machine take little; on a
GPU it is the wall's, once the device is done.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

SIDE = 1024  # of the matrices whose product is the ceiling of arithmetic


@dataclass(frozen=True)
class Spread:
    """A figure measured several times."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        return Spread(*(float(f"{f(values):.4g}") for f in (statistics.median, min, max)))

    def __str__(self) -> str:
        return f"{self.median:g} ({self.low:g} to {self.high:g})"


def seconds(function: Callable[[], object], times: int, device: torch.device) -> float:
    """Of one call of `function`, from so many."""
    return _timed(time.perf_counter if device.type == "cuda" else time.process_time, function, times, device)


def wall(function: Callable[[], object], times: int, device: torch.device) -> float:
    """The same, always by the clock on the wall."""
    return _timed(time.perf_counter, function, times, device)


def _timed(
    clock: Callable[[], float], function: Callable[[], object], times: int, device: torch.device
) -> float:
    started = clock()
    for _ in range(times):
        function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (clock() - started) / times


class Flops(TorchDispatchMode):
    """Counts those of matrix products and convolutions. (PyTorch's own FlopCounterMode follows modules too,
    and so fails where a gradient penalty is taken.)"""

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if formula := flop_registry.get(function._overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


def flops(function: Callable[[], object], times: int) -> float:
    """Of one call of `function`, as the mean of so many."""
    with Flops() as counter:
        for _ in range(times):
            function()
    return counter.total / times


def product(precision: str, device: torch.device, side: int = SIDE) -> Callable[[], Tensor]:
    """The product of two matrices [side, side] of random numbers."""
    a, b = (torch.randn(side, side, device=device, dtype=getattr(torch, precision)) for _ in range(2))
    return lambda: a @ b


def flops_per_s(spent: float, side: int = SIDE) -> float:
    """Of `product`, which took so many seconds."""
    return 2 * side**3 / spent


def machine(device: torch.device) -> dict[str, Any]:
    """What to tell beside a table."""
    return {
        "hardware": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load": os.getloadavg(),
    }
