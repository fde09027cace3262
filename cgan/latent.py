"""Ways through latent space: leading directions, interpolation, a place by seed and sliders.

Shapes: N pictures, Z noise width, Y style width (noise and condition), R weight rows, L directions, K corners
or places that read the noise, S samples, F features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cgan.model import CPU_BATCH, ConditionalGAN
from cgan.networks.layers import Modulation
from cgan.types import Cond

ASKED, SAMPLES, SEED = 16, 48, 0  # conditions, noises of each, and their seed, from which `principal` learns
FEATURES = 2**14  # of a picture, the most that it looks at


def directions(model: ConditionalGAN, count: int) -> Tensor:
    """The unit directions [L, Z] that move the generator most, strongest first; L is `count` or Z, whichever
    is less.

    Closed form (SeFa; Shen & Zhou 2021, equation 5): eigenvectors of the sum of A^T A over every weight A
    that reads the noise, each first scaled to norm 1 so that no layer outvotes the others; one of zeros has
    no say. Where a mapping network lies between, A is the weight times the network's slope, and A^T A the
    mean over S samples. A direction's largest component is positive.
    """
    read = sum((gram / gram.trace()).nan_to_num() for gram in _grams(model))
    leading = torch.linalg.eigh(read).eigenvectors.flip(1).T[:count]  # [L, Z]
    return _signed(leading).float()


def _signed(found: Tensor) -> Tensor:
    """Directions [L, Z], turned so that the largest component of each is positive."""
    return found * found.gather(1, found.abs().argmax(1, keepdim=True)).sign()


@torch.no_grad()
def principal(model: ConditionalGAN, count: int) -> Tensor:
    """The unit directions [L, Z] of the noise that go with the principal components of early features, those
    that vary most first; L is `count` or Z, whichever is less.

    Sampled (GANSpace; Härkönen et al. 2020): the features are what leaves the first block, their
    components are those of S samples, and a component's direction is the linear regression of the noise on
    its coordinate, u_k = sum_s x_sk z_s / sum_s x_sk^2. Unlike there, the condition is not fixed; each
    condition's mean is subtracted instead, so that the components follow the noise and hold for every
    condition. The directions are of length 1 and signed as in `directions`, but not at right angles to each
    other.
    """
    noise = model.noise(SEED, ASKED * SAMPLES)  # [S, Z]
    cond = model.encoder.embed(model.encoder.sample(ASKED, SEED))
    features = []
    for asked, own in enumerate(noise.split(SAMPLES)):
        early = _early(model, own, cond[asked : asked + 1])  # [SAMPLES, F]
        features.append(early - early.mean(0))
    rows = torch.cat(features)  # [S, F]
    vectors = torch.linalg.eigh(rows @ rows.T).eigenvectors.flip(1)  # [S, S], coordinates up to their scale
    found = vectors[:, : min(count, noise.shape[1])].T @ noise
    return _signed(nn.functional.normalize(found, dim=1))


def _early(model: ConditionalGAN, noise: Tensor, cond: Cond) -> Tensor:
    """What leaves the first block [N, F] under one condition, or the stem where there is no block; of very
    many numbers only every second, every third, ..."""
    generator, seen = model.generator, []

    def look(level: int, x: Tensor) -> Tensor:
        if level == min(1, len(generator.blocks)):
            own = x[generator.reference.size :].flatten(1).float()
            seen.append(own[:, :: -(-own.shape[1] // FEATURES)].clone())
        return x

    for part in noise.split(CPU_BATCH):  # a load makes so many at once: no more memory is needed
        generator(part, cond.expand(len(part)), look)
    return torch.cat(seen)


def spread(noise: Tensor, moved: Tensor, layers: Sequence[int], readers: int) -> Tensor:
    """Noise [N, K, Z] for each of the K places that read it: `moved` [N, Z] in `layers`, else `noise` [N, Z].

    IndexError if there is no such place.
    """
    found = noise[:, None].repeat(1, readers, 1)
    found[:, list(layers)] = moved[:, None]
    return found


def _grams(model: ConditionalGAN) -> list[Tensor]:
    """A^T A of the stem and of the modulations that see the noise, each float64 [Z, Z] on the CPU."""
    generator, slopes = model.generator, _slopes(model)
    weights = [generator.stem.weight.flatten(1).mT]  # [R, Y]
    if generator.block_style_dim > model.encoder.vector_dim:
        weights += [module.style.weight for module in generator.modules() if isinstance(module, Modulation)]
    return [
        sum(read.mT @ read for read in (weight.detach().double().cpu() @ slope for slope in slopes))
        for weight in weights
    ]


def _slopes(model: ConditionalGAN) -> Tensor:
    """How the style that the weights read follows the noise, float64 [S, Y, Z] on the CPU: a mapping
    network's Jacobian at S samples; without one S is 1, and noise and condition are the style."""
    generator, dim = model.generator, model.config.generator.noise_dim
    if generator.mapping is None:
        return torch.eye(len(generator.stem.weight), dim, dtype=torch.float64)[None]
    noise, cond = model.noise(SEED, SAMPLES), model.encoder.embed(model.encoder.sample(SAMPLES, SEED))
    style = noise if cond.vector is None else torch.cat([noise, cond.vector.detach()], dim=1)  # [S, Y]
    found = torch.autograd.functional.jacobian(lambda own: generator.mapping(own).sum(0), style)  # [Y, S, Y]
    return found.movedim(1, 0)[..., :dim].double().cpu()


def lerp(start: Tensor, end: Tensor, t: Tensor | float) -> Tensor:
    """The straight line from `start` (t = 0) to `end` (t = 1). `t` is a number or broadcasts against both."""
    return start + (end - start) * t


def slerp(start: Tensor, end: Tensor, t: Tensor | float) -> Tensor:
    """The great arc from `start` (t = 0) to `end` (t = 1), along the last dimension (Shoemake 1985, section
    3.3; of a GAN's noise: White 2016, "Sampling Generative Networks").

    The noise keeps the length that the generator was trained on. Where the two ends point the same or
    opposite ways no arc is distinguished, and the line is taken.
    """
    cosine = nn.functional.cosine_similarity(start, end, dim=-1, eps=1e-12).clamp(-1, 1).unsqueeze(-1)
    angle = torch.acos(cosine)
    sine = torch.sin(angle)
    arc = (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / sine
    return torch.where(sine > 1e-3, arc, lerp(start, end, t))


INTERPOLATIONS = {"slerp": slerp, "lerp": lerp}


def bilinear(x: Tensor, y: Tensor) -> Tensor:
    """Weights [N, 4] of the corners top left, top right, bottom left and bottom right of a unit square at
    (x, y), each [N], where y points up: (1 - x) y, x y, (1 - x)(1 - y), x (1 - y)."""
    return torch.stack([(1 - x) * y, x * y, (1 - x) * (1 - y), x * (1 - y)], dim=1)


def blend(corners: Tensor, weights: Tensor) -> Tensor:
    """Corners [K, Z] mixed by weights [N, K] that sum to 1, and kept as long as noise is: [N, Z].

    z = (sum_i w_i |c_i|) s / |s| with s = sum_i w_i c_i. A plain mean of independent noises is too short
    (half as long in the middle of four), and short noise makes the generator's dullest pictures; slerp keeps
    the length between two ends, and this among any number, alike for all of them. A corner of weight 1 comes
    out as it is. Where the mixture is all but nothing, no way is distinguished, and it stays.
    """
    mixed = weights @ corners
    length = mixed.norm(dim=1, keepdim=True)
    wanted = weights @ corners.norm(dim=1, keepdim=True)
    return torch.where(length > 1e-3 * wanted, mixed * (wanted / length.clamp(min=1e-12)), mixed)


def place(
    model: ConditionalGAN,
    leading: Tensor,
    *,
    seed: int,
    count: int = 1,
    first: int = 0,
    psi: float = 1.0,
    strengths: Sequence[float] = (),
    components: Mapping[int, float] | None = None,
) -> Tensor:
    """Noise [count, Z] of the samples first, first + 1, ... under `seed`, moved to where a person put it.

    `components` set raw components by index; all of them together are a noise of one's own. Then it is
    multiplied by `psi`: truncation, by scaling as Karras et al. 2019 do in w; Brock et al. 2019, section 3.1,
    draw anew what lies beyond a threshold. Last, `strengths` along the `leading` directions [L, Z] are added.
    ValueError if there are more strengths than directions or no such component.
    """
    if len(strengths) > len(leading):
        raise ValueError(f"z takes at most {len(leading)} strengths, got {len(strengths)}")
    noise = model.noise(seed, count, first).numpy()  # for so few numbers quicker than PyTorch
    for index, value in (components or {}).items():
        if not 0 <= index < noise.shape[1]:
            raise ValueError(f"raw takes components 0 to {noise.shape[1] - 1}, got {index}")
        noise[:, index] = value
    noise *= psi
    if strengths:
        noise += np.array(strengths, noise.dtype) @ leading.numpy()[: len(strengths)]
    return torch.from_numpy(noise)
