"""Wasserstein loss (Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN", algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Wasserstein:
    """L_D = D(G(z)) - D(x),  L_G = -D(G(z)), on logits.

    -L_D estimates the Wasserstein distance only while D is 1-Lipschitz (up to scale): weight clipping
    (`training.clip_weights`), a gradient penalty or spectral norm. R1 and R2 only keep D's logits from
    growing (Mescheder et al. 2018); the loss is then no such estimate. A configuration without any of them is
    refused.
    """

    generator_sees_real: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return fake - real

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return -fake
