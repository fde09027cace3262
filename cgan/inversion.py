"""From a picture back to the noise, and the label, under which a generator comes closest to it.

A guess first, then a descent from there (the hybrid method of Zhu et al. 2016, "Generative Visual
Manipulation on the Natural Image Manifold", section 4.1). No encoder has been trained: the guess is a kernel
ridge regression (Saunders et al. 1998) on some of the generator's own pictures, whose noise is known.

Shapes: K conditions tried, S samples, Z noise width, C channels, H x W pixels, P pixels of a small picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.conditions import Choice
from cgan.conditions.base import ConditionEncoder
from cgan.model import ConditionalGAN
from cgan.types import Cond

SAMPLES, SEED, TOGETHER = 128, 0, 32  # pictures that a guess learns from, of each condition; made at once
LEARNT, FEWEST = 4096, 8  # pictures of all conditions together, of which there may be many; at least of each
FINEST = 16  # height and width in pixels at which a guess looks
RIDGE = 0.1
SCALES = (1, 2, 4)  # sides of the squares of pixels that are compared
PRIOR = 0.005  # what noise of the usual length costs, in squared differences
RATE, LAST = 0.15, 0.1  # of the descent; the share of it that is left at its end
STEPS, TRIAL, KEPT = 40, 10, 3  # of the descent; the steps after which only the best conditions go on
TRIED = 32  # conditions that descend at all: those whose guesses come closest
REACH = {"normal": 6.0, "uniform": 1.0}  # how far a component of the noise may go
FADING = (0.9, 0.99)  # of Adam's two averages


def choices(encoder: ConditionEncoder) -> tuple[dict[str, str], ...]:
    """The conditions that can be tried one by one, as values of fields: of a single choice among names each
    of them, of anything else none."""
    fields = encoder.fields()
    if len(fields) != 1 or not isinstance(fields[0], Choice):
        return ()
    return tuple({fields[0].name: name} for name in fields[0].choices)


def embed(model: ConditionalGAN, tried: tuple[dict[str, str], ...]) -> Cond:
    """Values of fields -> the condition of K. Raises what the encoder's `parse` raises."""
    with torch.no_grad():
        return model.encoder.embed(torch.cat([model.encoder.parse(values) for values in tried]))


class Guess:
    """What noise a picture may come from, under each of K conditions: z = k(x) (K + r I)^-1 Z, with a
    Gaussian kernel between small pictures."""

    @torch.no_grad()
    def __init__(self, model: ConditionalGAN, cond: Cond, samples: int = SAMPLES):
        """`model` in evaluation mode, a condition of K; of each `samples` pictures are made, or fewer where K
        is large."""
        samples = min(samples, max(FEWEST, LEARNT // len(cond)))
        noise = model.noise(SEED, samples)  # [S, Z]
        self.model, self.cond = model, cond
        self.pictures = torch.stack([self._samples(noise, cond[k : k + 1]) for k in range(len(cond))])
        distances = torch.cdist(self.pictures, self.pictures)  # [K, S, S]
        self.width = distances.median().clamp(min=1e-6)
        kernel = self._kernel(distances) + RIDGE * torch.eye(samples)
        self.weights = torch.linalg.solve(kernel, noise.expand(len(cond), -1, -1))  # [K, S, Z]

    def _samples(self, noise: Tensor, cond: Cond) -> Tensor:
        """[S, P], of one condition."""
        parts = (self.model.generator(z, cond.expand(len(z))) for z in noise.split(TOGETHER))
        return torch.cat([_small(shade(self.model, part)) for part in parts])

    def _kernel(self, distances: Tensor) -> Tensor:
        return torch.exp(-0.5 * (distances / self.width) ** 2)

    @torch.no_grad()
    def __call__(self, picture: Tensor) -> Tensor:
        """A picture [1, C, H, W], 0 to 1 -> noise [K, Z]."""
        return (self._kernel(torch.cdist(_small(picture), self.pictures)) @ self.weights).squeeze(1)


@dataclass(frozen=True)
class Moment:
    """The best that was known after some steps."""

    step: int
    condition: int  # which of those tried
    noise: Tensor  # [Z]
    error: float  # root mean square difference of the pixels, 0 to 1


@dataclass(frozen=True)
class Inversion:
    """How the noise was found."""

    path: tuple[Moment, ...]  # after 0, 1, ... steps
    finalists: tuple[tuple[int, float], ...]  # conditions that were tried to the end, and their errors


def invert(guess: Guess, picture: Tensor, steps: int = STEPS) -> Inversion:
    """Noise and condition for a picture [1, C, H, W], 0 to 1. The same for the same picture.

    Descends, by Adam (Kingma & Ba 2015, algorithm 1), in z

        sum_s s |A_s (G(z, c) - x)|^2 / P_s + p |z|^2 / Z

    where A_s averages squares of s x s pixels: near misses of a line count as near. The last term keeps
    Gaussian noise where the generator knows it (Creswell & Bharath 2016, "Inverting the Generator of a
    Generative Adversarial Network"); uniform noise is kept inside its cube instead. After a trial only the
    most promising conditions go on; of very many, only those begin whose guesses come closest.
    """
    model = guess.model
    cond = guess.cond.map(torch.clone)  # what comes out of inference mode has no part in gradients
    options = model.config.generator
    prior, reach = (PRIOR if options.noise == "normal" else 0.0), REACH[options.noise]
    noise, path = guess(picture), []
    alive = order = torch.arange(len(cond))
    if len(cond) > TRIED:
        with torch.no_grad():
            parts = [
                _scales(shade(model, model.generator(noise[k], cond[k])) - picture)
                for k in alive.split(TRIED)
            ]
        alive = torch.cat(parts).argsort()[:TRIED].sort().values
    adam = Adam(noise)
    for step in range(steps + 1):
        if step == TRIAL + 1:
            alive = alive[order[:KEPT]]
        z = noise[alive].requires_grad_(True)
        with torch.enable_grad():
            gap = shade(model, model.generator(z, cond[alive])) - picture
            loss = _scales(gap) + prior * z.square().mean(1)
            (slope,) = torch.autograd.grad(loss.sum(), z)
        order = loss.detach().argsort()
        errors, best = gap.detach().square().mean((1, 2, 3)).sqrt(), order[0]
        path.append(Moment(step, int(alive[best]), z[best].detach(), errors[best].item()))
        move = adam(alive, slope, RATE * (1 - (1 - LAST) * step / max(steps, 1)))
        noise[alive] = (noise[alive] - move).clamp(-reach, reach)
    return Inversion(tuple(path), tuple((int(alive[place]), errors[place].item()) for place in order))


class Adam:
    """Kingma & Ba 2015, algorithm 1, for the rows that are named. PyTorch's takes longer to load than a
    search does."""

    def __init__(self, like: Tensor):
        self.mean, self.square, self.steps = torch.zeros_like(like), torch.zeros_like(like), 0

    def __call__(self, rows: Tensor, slope: Tensor, rate: float) -> Tensor:
        """The gradient of rows [R, Z] -> how far they go against it."""
        self.steps += 1
        self.mean[rows] = torch.lerp(slope, self.mean[rows], FADING[0])
        self.square[rows] = torch.lerp(slope.square(), self.square[rows], FADING[1])
        mean, square = (
            average[rows] / (1 - fading**self.steps)
            for average, fading in zip((self.mean, self.square), FADING, strict=True)
        )
        return rate * mean / (square.sqrt() + 1e-8)


def shade(model: ConditionalGAN, pictures: Tensor) -> Tensor:
    """Pictures in the generator's range -> 0 to 1."""
    low, high = model.config.generator.image_range
    return (pictures - low) / (high - low)


def _small(pictures: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, P]."""
    return F.avg_pool2d(pictures, -(-pictures.shape[-1] // FINEST)).flatten(1)


def _scales(gap: Tensor) -> Tensor:
    """Differences [N, C, H, W] -> [N]."""
    return sum(side * F.avg_pool2d(gap, side).square().mean((1, 2, 3)) for side in SCALES)
