"""What a regulariser is: a penalty per sample, added to one player's loss or to both, every so many steps.

Shapes: N pictures, C channels, H x W pixels. Where M discriminators judge, a loss or penalty is [N, M].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from cgan.types import Cond, Critique, Raw

Player = Literal["discriminator", "generator"]


@dataclass(frozen=True)
class View:
    """What a player sees in one step: pictures after augmentation, their condition and the verdicts on
    them."""

    images: Tensor  # [N, C, H, W]
    cond: Cond
    raw: Raw  # [N, ...]
    critique: Critique


@dataclass(frozen=True)
class Turn:
    """One player's turn."""

    player: Player
    real: View | None  # None in the generator's turn
    fake: View
    discriminator: Callable[[Tensor, Cond], Critique]
    auxiliary_loss: Callable[[Tensor, Raw, Cond], Tensor]  # the condition's own
    adversarial: Callable[[Tensor, Tensor], Tensor]  # the discriminator's loss on (real, fake) logits
    given: Callable[[Raw], Tensor]  # whether anything is asked for, bool [N]


@dataclass(frozen=True, kw_only=True)
class Regularizer:
    """Added with `weight` times `every` at each `every`-th step (lazy regularisation; Karras et al. 2020,
    appendix B)."""

    players: ClassVar[tuple[Player, ...]]
    weight: float = 1.0  # 0 switches it off
    every: int = 1

    def __post_init__(self):
        if not 0 <= self.weight < math.inf or self.every < 1:
            raise ValueError(
                f"a regulariser's weight must be a number from 0 up and every at least 1, got {self}"
            )

    def penalty(self, turn: Turn) -> Tensor:
        """[N], before the weight."""
        raise NotImplementedError
