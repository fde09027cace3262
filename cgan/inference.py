"""A generator made ready to serve.

Shapes: N pictures, C channels, H x W pixels, Z noise width.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from cgan.model import ConditionalGAN
from cgan.types import Raw

CPU_BATCH, CUDA_BATCH = 16, 256


def resolve_device(name: str) -> torch.device:
    """The device of that name; 'auto' is a GPU where there is one. ValueError if there is none, or no such name."""
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device must be one of auto, cpu, cuda, got {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is cuda, but PyTorch finds no CUDA device here; accepted: auto, cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


class Sampler:
    """Calls a model's generator on a device."""

    def __init__(self, model: ConditionalGAN, device: torch.device):
        self.model = copy.deepcopy(model).to(device)
        self.device = device
        self.batch = CUDA_BATCH if device.type == "cuda" else CPU_BATCH

    @torch.inference_mode()
    def __call__(self, noise: Tensor, raw: Raw) -> Tensor:
        """noise [N, Z], raw [N, ...] -> uint8 pictures [N, C, H, W] on the CPU."""
        return self.model.sample(noise.to(self.device), raw.to(self.device)).cpu()
