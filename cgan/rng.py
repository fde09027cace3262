"""Random numbers that depend on (seed, index) alone: not on batch size, device or what was drawn before.

Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is counter-based, so every
(seed, index) pair opens a stream of its own.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

SEED_LIMIT = 2**53  # seeds stay exact in JavaScript and JSON numbers


class _Own(threading.local):
    """A thread's one generator and the state in which a stream begins: NumPy asks the system for entropy
    for each new generator, and then uses the key."""

    def __init__(self):
        self.rng = np.random.Generator(np.random.Philox(key=[0, 0], counter=[0, 0, 0, 0]))
        self.state = self.rng.bit_generator.state


_own = _Own()


def stream(seed: int, index: int, purpose: int = 0) -> np.random.Generator:
    """The random stream of sample `index` under `seed`; `purpose` separates, say, noise from labels. Good
    until this thread asks for the next one. ValueError for a seed out of range."""
    if not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"seed must be a whole number from 0 to {SEED_LIMIT - 1}, got {seed}")
    start = _own.state["state"]
    start["key"][:] = seed, index
    start["counter"][3] = purpose
    _own.rng.bit_generator.state = _own.state
    return _own.rng


def noise(seed: int, count: int, dim: int, distribution: str = "normal", first: int = 0) -> Tensor:
    """Noise vectors [count, dim] float32 of the samples first, first + 1, ... under `seed`.

    `distribution` is "normal" (mean 0, variance 1) or "uniform" (on [-1, 1]).
    """
    out = np.empty((count, dim), dtype=np.float32)
    for row, index in zip(out, range(first, first + count), strict=True):
        row[:] = _vector(seed, index, dim, distribution)
    return torch.from_numpy(out)


@lru_cache(1024)  # who drags a direction asks for the same each time
def _vector(seed: int, index: int, dim: int, distribution: str) -> np.ndarray:
    rng = stream(seed, index)
    return rng.standard_normal(dim) if distribution == "normal" else rng.uniform(-1, 1, dim)


def step_seed(seed: int, images_seen: int, rank: int = 0) -> int:
    """The seed of torch's generators for one training step, so that a resumed run draws what the first one
    would."""
    return int(stream(seed, images_seen, purpose=3 + rank).integers(2**63))
