"""The auxiliary classifier (Odena, Olah & Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier
GANs")."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from cgan.regularizers.base import Player, Regularizer, Turn, View


@dataclass(frozen=True, kw_only=True)
class Auxiliary(Regularizer):
    """Equation 3: the discriminator learns to read the condition off real pictures, the generator to have it
    read off its own. By equation 3 alone the discriminator does not learn from generated pictures, so that
    what it takes for spiky hair need not be any; with `generated_share` it also learns to doubt what it reads
    off them (Hou et al. 2022, "Conditional GANs with Auxiliary Discriminative Classifier": the classifier
    tells real from generated, class by class)."""

    players: ClassVar[tuple[Player, ...]] = ("discriminator", "generator")
    generator_share: float = 1.0  # the generator's weight as a share of the discriminator's
    generated_share: float = 0.0  # of the discriminator's doubt about generated pictures, likewise

    def __post_init__(self):
        super().__post_init__()
        if not all(0 <= share < math.inf for share in (self.generator_share, self.generated_share)):
            raise ValueError(f"the auxiliary term's shares must be numbers from 0 up, got {self}")

    def penalty(self, turn: Turn) -> Tensor:
        """[N]."""
        if turn.player == "generator":
            return self.generator_share * self._unread(turn, turn.fake)
        loss = self._unread(turn, turn.real)
        if self.generated_share:
            fake = replace(turn.fake, cond=turn.fake.cond.map(Tensor.detach))
            unread = self._unread(turn, fake)  # -log p, of the condition by what is seen
            doubt = -torch.log(-torch.expm1(-unread.clamp(min=1e-3)))  # -log(1 - p)
            loss = loss + self.generated_share * doubt * turn.given(fake.raw)
        return loss

    def _unread(self, turn: Turn, view: View) -> Tensor:
        return turn.auxiliary_loss(view.critique.auxiliary, view.raw, view.cond)
