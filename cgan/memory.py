"""Memory: kept where training would map it anew, and not taken where a file brings it."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # mallopt(3)
MOST = 2**31 - 1  # bytes; the largest C int


def keep() -> bool:
    """Ask glibc to keep what is freed, for the whole process. Else it gives a block of a few megabytes back
    to the kernel, so that on a CPU every feature map of every step is mapped, and zeroed, anew. Returns
    whether it will: False where there is no glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; on Windows there is none to be had so
        return False
    return mallopt(TRIM_THRESHOLD, MOST) == mallopt(MMAP_THRESHOLD, MOST) == 1


@contextlib.contextmanager
def unfilled() -> Iterator[None]:
    """Networks built in this block take no memory; their weights are assigned later."""
    with torch.device("meta"), _Unfilled():
        yield


class _Unfilled(TorchFunctionMode):
    """Leaves out the one initialisation for which PyTorch, on the meta device, imports its whole compiler,
    which takes two seconds."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (nn.init.normal_, Tensor.normal_):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
