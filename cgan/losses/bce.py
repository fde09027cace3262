"""Binary cross-entropy (Goodfellow et al. 2014, "Generative Adversarial Nets", equation 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BCE:
    """D(x) = sigmoid(logit), targets t_r = `real_target` and t_f = `fake_target`:
        L_D = -[t_r log D(x) + (1 - t_r) log(1 - D(x))] - [t_f log D(G(z)) + (1 - t_f) log(1 - D(G(z)))]
        L_G = -log D(G(z))           non-saturating (section 3, last paragraph)
        L_G = log(1 - D(G(z)))       minimax (equation 1), with `saturating`

    Targets off 1 and 0 are label smoothing (Salimans et al. 2016, section 3.4, who smooth the real one only).
    """

    generator_sees_real: ClassVar[bool] = False
    saturating: bool = False
    real_target: float = 1.0
    fake_target: float = 0.0

    def __post_init__(self):
        if not 0 <= self.fake_target < self.real_target <= 1:
            raise ValueError(
                "loss.fake_target and loss.real_target must satisfy 0 <= fake_target < real_target <= 1"
            )

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]. Cross-entropy with target t is softplus(logit) - t * logit."""
        return F.softplus(real) - self.real_target * real + F.softplus(fake) - self.fake_target * fake

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> [N]."""
        return -F.softplus(fake) if self.saturating else F.softplus(-fake)
