"""Wasserstein loss (Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN", algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Wasserstein:
    """L_D = D(G(z)) - D(x),  L_G = -D(G(z)), on logits.

    An estimate of the Wasserstein distance only while D is Lipschitz: with the original's weight clipping
    (`training.clip_weights`), a gradient penalty, R1 or spectral norm. A configuration without any is
    refused.
    """

    generator_sees_real: ClassVar[bool] = False

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return fake - real

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return -fake
