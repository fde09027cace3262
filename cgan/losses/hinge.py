"""Hinge loss (Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, equations 16 and 17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Hinge:
    """L_D = max(0, 1 - D(x)) + max(0, 1 + D(G(z))),  L_G = -D(G(z)), on logits."""

    generator_sees_real: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return F.relu(1 - real) + F.relu(1 + fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return -fake
