"""A discriminator that sees whether picture and condition match (GAN-CLS; Reed et al. 2016, "Generative
Adversarial Text to Image Synthesis", algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cgan.regularizers.base import Player, Regularizer, Turn


@dataclass(frozen=True, kw_only=True)
class Matching(Regularizer):
    """Real pictures under their neighbours' conditions count as generated. Where the neighbour asks for the
    same, or for nothing, there is no mismatch to see.

    The term is the discriminator's loss on (real, mismatched) logits, so that every loss fits. With weight 1
    the whole is twice line 10 of the algorithm, where mismatched and generated pictures share one half; with
    less of it they count less than that.
    """

    players: ClassVar[tuple[Player, ...]] = ("discriminator",)
    weight: float = 0.5

    def penalty(self, turn: Turn) -> Tensor:
        """[N], or [N, M] where M discriminators judge."""
        view = turn.real
        rows = torch.arange(len(view.images), device=view.images.device).roll(1)
        other = view.raw[rows]
        mismatched = turn.given(other) & (other != view.raw).flatten(1).any(1)
        logits = turn.discriminator(view.images, view.cond[rows]).logits
        loss = turn.adversarial(view.critique.logits, logits)
        return loss * mismatched.view(-1, *[1] * (loss.ndim - 1))
