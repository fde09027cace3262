"""R1, the gradient penalty on real pictures (Mescheder, Geiger & Nowozin 2018, equation 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cgan.regularizers.base import Player, Regularizer, Turn


@dataclass(frozen=True, kw_only=True)
class R1(Regularizer):
    """1/2 * |grad_x D(x)|^2 at real x; `weight` is the paper's gamma."""

    players: ClassVar[tuple[Player, ...]] = ("discriminator",)
    every: int = 16

    def penalty(self, turn: Turn) -> Tensor:
        """[N]."""
        images = turn.real.images.detach().requires_grad_()
        logits = turn.discriminator(images, turn.real.cond).logits
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return 0.5 * gradient.square().sum((1, 2, 3))
