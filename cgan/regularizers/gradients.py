"""Penalties on the gradient of the discriminator's verdict with respect to the picture.

Shapes: N pictures, C channels, H x W pixels, M discriminators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cgan.regularizers.base import Player, Regularizer, Turn
from cgan.types import Cond, Critique


def squared_gradient(discriminator: Callable[[Tensor, Cond], Critique], images: Tensor, cond: Cond) -> Tensor:
    """|grad_x D(x)|^2 at pictures [N, C, H, W] -> [N], or [N, M] where M discriminators judge."""
    images = images.detach().requires_grad_()
    logits = discriminator(images, cond).logits
    norms = []
    for verdict in logits.reshape(len(images), -1).unbind(1):
        (gradient,) = torch.autograd.grad(verdict.sum(), images, create_graph=True)
        norms.append(gradient.square().sum((1, 2, 3)))
    return torch.stack(norms, 1).view_as(logits)


@dataclass(frozen=True, kw_only=True)
class R1(Regularizer):
    """1/2 |grad_x D(x)|^2 at real x (Mescheder, Geiger & Nowozin 2018, equation 9); `weight` is their
    gamma."""

    players: ClassVar[tuple[Player, ...]] = ("discriminator",)
    every: int = 16

    def penalty(self, turn: Turn) -> Tensor:
        """[N], or [N, M]."""
        return 0.5 * squared_gradient(turn.discriminator, turn.real.images, turn.real.cond)


@dataclass(frozen=True, kw_only=True)
class R2(Regularizer):
    """1/2 |grad_x D(x)|^2 at generated x (Mescheder, Geiger & Nowozin 2018, equation 10)."""

    players: ClassVar[tuple[Player, ...]] = ("discriminator",)
    every: int = 16

    def penalty(self, turn: Turn) -> Tensor:
        """[N], or [N, M]."""
        return 0.5 * squared_gradient(turn.discriminator, turn.fake.images, turn.fake.cond)


@dataclass(frozen=True, kw_only=True)
class GradientPenalty(Regularizer):
    """(|grad_x D(x)| - 1)^2 at x drawn evenly between a real and a generated picture (Gulrajani et al. 2017,
    "Improved Training of Wasserstein GANs", equation 3); `weight` is their lambda."""

    players: ClassVar[tuple[Player, ...]] = ("discriminator",)
    weight: float = 10.0

    def penalty(self, turn: Turn) -> Tensor:
        """[N], or [N, M]. One draw a picture from torch's global generator."""
        real, fake = turn.real.images, turn.fake.images
        between = torch.lerp(fake, real, torch.rand(len(real), 1, 1, 1, device=real.device))
        squared = squared_gradient(turn.discriminator, between, turn.real.cond)
        return ((squared + 1e-12).sqrt() - 1).square()
