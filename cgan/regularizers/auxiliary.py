"""The auxiliary classifier (Odena, Olah & Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier
GANs")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from cgan.regularizers.base import Player, Regularizer, Turn


@dataclass(frozen=True, kw_only=True)
class Auxiliary(Regularizer):
    """Equation 3: the discriminator learns to read the condition off pictures, the generator to have it read
    off its own. For the discriminator its real half only: the paper also has it classify generated pictures,
    which may not show what was asked for."""

    players: ClassVar[tuple[Player, ...]] = ("discriminator", "generator")
    generator_share: float = 1.0  # the generator's weight as a share of the discriminator's

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.generator_share < math.inf:
            share = "regularizers.auxiliary.generator_share must be a number from 0 up"
            raise ValueError(f"{share}, got {self.generator_share}")

    def penalty(self, turn: Turn) -> Tensor:
        """[N]."""
        view, share = (
            (turn.real, 1.0) if turn.player == "discriminator" else (turn.fake, self.generator_share)
        )
        return share * turn.auxiliary_loss(view.critique.auxiliary, view.raw, view.cond)
