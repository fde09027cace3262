"""Relativistic pairing loss (Jolicoeur-Martineau 2019, "The relativistic discriminator", section 4.1; Huang
et al. 2024, "The GAN is dead; long live the GAN!", equation 2, where it goes with R1 and R2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Relativistic:
    """L_D = log(1 + exp(D(G(z)) - D(x))),  L_G = log(1 + exp(D(x) - D(G(z)))), on logits paired in the
    batch."""

    generator_sees_real: ClassVar[bool] = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return F.softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return F.softplus(real - fake)
