"""What an adversarial loss is: two pure functions of logits, per sample. The training step averages once.

Shapes: N pictures; where M discriminators judge, [N, M] in place of [N]. Logits are unbounded, higher is
more real.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from torch import Tensor


class Loss(Protocol):
    """Both players minimise."""

    generator_sees_real: ClassVar[bool]  # whether the generator's loss depends on the real logits

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> the discriminator's loss [N]."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """logits [N], [N] -> the generator's loss [N]."""
