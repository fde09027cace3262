"""Half precision where the device computes in it, and not where it only pretends to."""

from __future__ import annotations

import torch


def quick_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is native to the device. An x86 processor without AVX512-BF16 or AMX multiplies in it
    at a tenth of float32's speed."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def resolve(device: torch.device, precision: str = "auto") -> str:
    """ "float32" or "bfloat16"; of "auto" the quicker of the two on the device."""
    if precision != "auto":
        return precision
    return "bfloat16" if quick_bfloat16(device) else "float32"


def autocast(device: torch.device, precision: str = "auto") -> torch.autocast:
    """A context in which the device multiplies in `precision`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=resolve(device, precision) == "bfloat16")
