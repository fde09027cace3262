"""Self-attention over positions (SAGAN; Zhang et al. 2019, equations 1 to 3), as in BigGAN's code: keys and
values max-pooled 2x2, values of C / 2 channels (the paper: C / 8, no pooling).

Shapes: N pictures, C channels, H x W pixels, A = C / 8 attention channels, V = C / 2 value channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cgan.networks.norms import Norm


class SelfAttention(nn.Module):
    """x + gain * attention(x), with the gain learned from 0, so that a network begins without it."""

    def __init__(self, channels: int, norm: Norm):
        super().__init__()
        attention, values = max(channels // 8, 1), max(channels // 2, 1)
        self.query = norm.weight(nn.Conv2d(channels, attention, 1, bias=False))
        self.key = norm.weight(nn.Conv2d(channels, attention, 1, bias=False))
        self.value = norm.weight(nn.Conv2d(channels, values, 1, bias=False))
        self.out = norm.weight(nn.Conv2d(values, channels, 1, bias=False))
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]; H and W at least 2."""
        query = self.query(x).flatten(2).mT  # [N, HW, A]
        key, value = (
            F.max_pool2d(part(x), 2).flatten(2).mT for part in (self.key, self.value)
        )  # [N, HW / 4, A or V]
        mixed = F.scaled_dot_product_attention(query, key, value, scale=1.0)  # [N, HW, V]
        return x + self.gain * self.out(mixed.mT.unflatten(2, x.shape[2:]))
