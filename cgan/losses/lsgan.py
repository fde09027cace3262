"""Least squares (Mao et al. 2017, "Least Squares Generative Adversarial Networks", equation 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class LSGAN:
    """L_D = 1/2 (D(x) - b)^2 + 1/2 (D(G(z)) - a)^2,  L_G = 1/2 (D(G(z)) - c)^2, on logits.

    a is `fake_target`, b `real_target`, c `generator_target`; targets off 1 and 0 are label smoothing.
    """

    generator_sees_real: ClassVar[bool] = False
    real_target: float = 1.0
    fake_target: float = 0.0
    generator_target: float = 1.0

    def __post_init__(self):
        if not self.fake_target < min(self.real_target, self.generator_target):
            raise ValueError("loss.fake_target must be below loss.real_target and loss.generator_target")

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return 0.5 * (real - self.real_target).square() + 0.5 * (fake - self.fake_target).square()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return 0.5 * (fake - self.generator_target).square()
