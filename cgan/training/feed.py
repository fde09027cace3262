"""The data set on the device, and which of its pictures come when.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cgan.config import TrainingOptions
from cgan.model import ConditionalGAN
from cgan.networks.layers import GROUP
from cgan.rng import stream
from cgan.types import Batch, Raw


class Feed:
    """Batches of one process. The order is a function of (seed, pictures shown), so a resumed run goes on in
    it."""

    def __init__(
        self,
        images: Tensor,
        raw: Raw,
        model: ConditionalGAN,
        options: TrainingOptions,
        process: int = 0,
        processes: int = 1,
    ):
        """`images` uint8 [N, C, H, W] and `raw` [N, ...] on the device. ValueError if they do not fill a
        batch."""
        if len(images) < options.batch:
            raise ValueError(
                f"training.batch is {options.batch}, the data set has only {len(images)} pictures"
            )
        if options.batch % processes:
            raise ValueError(
                f"training.batch must be divisible by the {processes} processes, got {options.batch}"
            )
        if model.config.discriminator.minibatch_std and options.batch // processes % GROUP:
            raise ValueError(
                f"discriminator.minibatch_std needs a training.batch that is divisible by {GROUP} for each "
                f"of the {processes} processes, got {options.batch}"
            )
        self.images, self.raw, self.model, self.options = images, raw, model, options
        self.process, self.processes = process, processes
        self.null = model.encoder.null(1).to(images.device)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def batch(self, shown: int) -> Batch:
        """This process's share of the batch that begins after `shown` pictures."""
        return self.at(self.rows(shown))

    def at(self, rows: Tensor) -> Batch:
        """The pictures of `rows` int64 [N]."""
        return Batch(self.model.from_uint8(self.images[rows]), self._withhold(self.raw[rows]))

    def rows(self, shown: int) -> Tensor:
        """Where the pictures of `batch(shown)` are, int64 [N]. Every epoch shows every picture once, but for
        a remainder smaller than a batch, in a new order."""
        options = self.options
        epoch, position = divmod(shown // options.batch, len(self.images) // options.batch)
        if epoch != self._epoch:
            order = stream(options.seed, epoch, purpose=2).permutation(len(self.images))
            self._epoch, self._order = epoch, torch.from_numpy(order).to(self.images.device)
        rows = self._order[position * options.batch : (position + 1) * options.batch]
        return rows[self.process :: self.processes]

    def _withhold(self, raw: Raw) -> Raw:
        """Condition dropout."""
        if not self.options.condition_dropout:
            return raw
        kept = torch.rand(len(raw), device=raw.device) >= self.options.condition_dropout
        return torch.where(kept.view(-1, *[1] * (raw.ndim - 1)), raw, self.null)
