"""The reference batch of virtual batch normalisation, fixed when training starts and saved with the model.

Shapes: R reference pictures, N pictures, D condition width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cgan.types import Cond


class Reference(nn.Module):
    """Puts the reference batch before every batch, so that each layer sees both, and takes it off again.

    With `size` 0 it does neither.
    """

    def __init__(
        self, size: int, inputs: tuple[int, ...], vector_dim: int, spatial: tuple[int, int, int] | None
    ):
        """`inputs`: the shape of one input (noise or picture); `spatial`: of one spatial condition."""
        super().__init__()
        self.size = size
        self.register_buffer("inputs", torch.zeros(size, *inputs) if size else None)
        self.register_buffer("vector", torch.zeros(size, vector_dim) if size and vector_dim else None)
        self.register_buffer("spatial", torch.zeros(size, *spatial) if size and spatial else None)

    @torch.no_grad()
    def fix(self, inputs: Tensor, cond: Cond) -> None:
        """Set the batch from the first R of [N, ...]. ValueError if there are fewer."""
        if len(inputs) < self.size:
            raise ValueError(
                f"norm.reference is {self.size} pictures, a batch of training has only {len(inputs)}"
            )
        for buffer, given in (
            (self.inputs, inputs),
            (self.vector, cond.vector),
            (self.spatial, cond.spatial),
        ):
            if buffer is not None:
                buffer.copy_(given[: self.size])

    def prepend(self, inputs: Tensor, cond: Cond) -> tuple[Tensor, Cond]:
        """[N, ...] -> [R + N, ...], and their conditions."""
        if not self.size:
            return inputs, cond
        own = self.inputs
        if inputs.ndim > own.ndim:  # a noise for each place that reads it
            own = own[:, None].expand(-1, inputs.shape[1], -1)
        return torch.cat([own, inputs]), Cond.cat([Cond(self.vector, self.spatial), cond])

    def strip(self, outputs: Tensor) -> Tensor:
        """[R + N, ...] -> [N, ...]."""
        return outputs[self.size :]
