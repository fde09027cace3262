"""The discriminator's opinion of pictures, and what in a picture it comes from.

Shapes: N pictures, C channels, H x W pixels, M discriminators.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cgan.model import ConditionalGAN
from cgan.types import Cond

BATCH = 16  # pictures judged at once


@torch.no_grad()
def scores(model: ConditionalGAN, pictures: Tensor, cond: Cond) -> Tensor:
    """uint8 pictures [N, C, H, W] under a condition of N -> logits [N], higher is more real; the mean where
    several discriminators judge. A picture's logit does not depend on the others.

    With minibatch_std each is judged without company, hence as one of a group without variety. That shifts
    all logits alike: after 100 kimg of preset mnist by 0.07, a tenth of their spread, and their order stays
    (correlation with those in company 0.999).
    """
    size = 1 if model.config.discriminator.minibatch_std else BATCH
    parts = [slice(first, first + size) for first in range(0, len(pictures), size)]
    return torch.cat([_logits(model, model.from_uint8(pictures[part]), cond[part]) for part in parts])


def sensitivity(model: ConditionalGAN, picture: Tensor, cond: Cond) -> tuple[float, Tensor]:
    """uint8 picture [1, C, H, W] under a condition of one -> its logit, and by how much it would rise, per
    unit from black to white, were a pixel lighter: the gradient's sum over channels, [H, W].

    It is the saliency of Simonyan, Vedaldi & Zisserman (2014, "Deep Inside Convolutional Networks", section
    3) with its sign, and true for small changes only.
    """
    low, high = model.config.generator.image_range
    with torch.inference_mode(False), torch.enable_grad():
        image = model.from_uint8(picture.clone()).requires_grad_()
        logit = _logits(model, image, cond.map(Tensor.clone))  # autograd takes no tensors of inference mode
        (gradient,) = torch.autograd.grad(logit.sum(), image)
    return logit.item(), gradient[0].sum(0) * (high - low)


def _logits(model: ConditionalGAN, images: Tensor, cond: Cond) -> Tensor:
    """[N] of [N] or [N, M]."""
    return model.discriminator(images, cond).logits.reshape(len(images), -1).mean(1)
