"""DiffAugment: the same differentiable transformations before the discriminator for real and generated
pictures (Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training"). Of the paper's
colour part only brightness; what is uncovered is black, where the authors' code leaves 0, a middle grey.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class DiffAugment:
    """Each part is 0 for off."""

    translation: float = 0.0  # largest shift, as a share of the picture's side
    cutout: float = 0.0  # side of the square cut out, as a share of the picture's side
    brightness: float = 0.0  # largest number added to all of a picture's values, in the generator's range

    def __post_init__(self):
        for name in ("translation", "cutout", "brightness"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"augment.{name} must be in [0, 1], got {getattr(self, name)}")

    def __call__(self, images: Tensor, black: float) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]; what is uncovered is `black`. Draws one transformation a picture from
        torch's global generator."""
        if self.brightness:
            change = torch.rand(len(images), 1, 1, 1, device=images.device) - 0.5
            images = images + 2 * self.brightness * change
        if self.translation:
            images = self._translate(images, black)
        if self.cutout:
            images = self._cut(images, black)
        return images

    def _translate(self, images: Tensor, black: float) -> Tensor:
        n, _, h, w = images.shape
        reach = round(self.translation * h)
        padded = F.pad(images, (reach,) * 4, value=black)
        shift = torch.randint(0, 2 * reach + 1, (2, n, 1), device=images.device)
        rows = (torch.arange(h, device=images.device) + shift[0])[:, None, :, None]  # [N, 1, H, 1]
        columns = (torch.arange(w, device=images.device) + shift[1])[:, None, None, :]  # [N, 1, 1, W]
        sample = torch.arange(n, device=images.device)[:, None, None, None]
        channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
        return padded[sample, channel, rows, columns]

    def _cut(self, images: Tensor, black: float) -> Tensor:
        n, _, h, w = images.shape
        side = round(self.cutout * h)
        corner = torch.randint(-side // 2, h - side // 2, (2, n, 1), device=images.device)
        rows = torch.arange(h, device=images.device) - corner[0]  # [N, H]
        columns = torch.arange(w, device=images.device) - corner[1]  # [N, W]
        inside = ((rows >= 0) & (rows < side))[:, None, :, None] & ((columns >= 0) & (columns < side))[
            :, None, None, :
        ]
        return images.masked_fill(inside, black)
