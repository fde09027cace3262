"""The training step against the same algorithm written out, as a textbook has it: each network called for
each batch alone, the losses from their papers."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch.optim import SGD

from cgan.losses import LOSSES
from cgan.model import ConditionalGAN
from cgan.networks.norms import BatchNorm
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.gradients import R1
from cgan.training.steps import Players, train_step
from cgan.types import Batch
from tests.conftest import CLASSES, tiny_config

RATE, GAMMA, EVERY, WEIGHT, SHARE = 0.05, 0.4, 4, 0.3, 2.5

# Real and generated logits -> the discriminator's and the generator's loss.
FORMULAS = {
    "bce": lambda r, f: (-r.sigmoid().log() - (1 - f.sigmoid()).log(), -f.sigmoid().log()),
    "lsgan": lambda r, f: ((r - 1) ** 2 / 2 + f**2 / 2, (f - 1) ** 2 / 2),
    "wasserstein": lambda r, f: (f - r, -f),
    "hinge": lambda r, f: ((1 - r).clamp(min=0) + (1 + f).clamp(min=0), -f),
    "relativistic": lambda r, f: (-(r - f).sigmoid().log(), -(f - r).sigmoid().log()),
}
COMBINED = {"mean": lambda losses: losses.mean(1), "hardest": lambda losses: losses.amax(1)}


AUXILIARY = Auxiliary(weight=WEIGHT, generator_share=SHARE)


def config(**changes):
    regularizers = {"r1": R1(weight=GAMMA, every=EVERY), "auxiliary": AUXILIARY}
    return tiny_config(**{"regularizers": regularizers} | changes)


def players(of) -> Players:
    """By plain gradient descent, whose steps show the size of a gradient."""
    torch.manual_seed(0)
    model = ConditionalGAN(of.model({"classes": CLASSES}, 8, 1))
    return Players(
        model=model,
        generator_optimizer=SGD(model.generator.parameters(), lr=RATE),
        discriminator_optimizer=SGD(model.discriminator.parameters(), lr=RATE),
        autocast=nullcontext,
        reduce_gradients=lambda optimizer: None,
    )


def batches(count: int) -> list[Batch]:
    draw = torch.Generator().manual_seed(1)
    labels = [torch.randint(len(CLASSES), (8,), generator=draw) for _ in range(count)]
    pictures = [torch.rand(8, 1, 8, 8, generator=draw) * 2 - 1 for _ in range(count)]
    return [
        Batch(images, F.one_hot(label, len(CLASSES)).float())
        for images, label in zip(pictures, labels, strict=True)
    ]


def descend(parameters, loss) -> None:
    parameters = list(parameters)
    with torch.no_grad():
        for weight, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            weight -= RATE * slope


def brightness(of, count: int) -> torch.Tensor:
    """What DiffAugment adds to each of some pictures."""
    most = of.augment.brightness
    return torch.empty(count, 1, 1, 1).uniform_(-most, most) if most else torch.zeros(count, 1, 1, 1)


def written_out(of, shown: list[Batch], penalised: bool) -> ConditionalGAN:
    model, formula = players(of).model, FORMULAS[LOSSES.name_of(of.loss)]
    torch.manual_seed(2)
    generator, discriminator = model.generator, model.discriminator
    for batch in shown:
        cond, labels = model.encoder.embed(batch.raw), batch.raw.argmax(1)
        noise = torch.empty(8, 5)
        fake = generator(noise.uniform_(-1, 1) if of.generator.noise == "uniform" else noise.normal_(), cond)
        light = brightness(of, 16)
        images = batch.images + light[:8]
        real = discriminator(images, cond)
        loss, _ = formula(real.logits, discriminator(fake.detach() + light[8:], cond).logits)
        loss = loss.mean() + WEIGHT * F.cross_entropy(real.auxiliary, labels)
        if penalised:
            pictures = images.clone().requires_grad_()
            verdicts = discriminator(pictures, cond).logits.reshape(8, -1)
            slopes = [
                torch.autograd.grad(verdict.sum(), pictures, create_graph=True)[0]
                for verdict in verdicts.unbind(1)
            ]
            squares = torch.stack([slope.square().sum((1, 2, 3)) for slope in slopes])
            loss = loss + EVERY * GAMMA / 2 * squares.mean()
        descend(discriminator.parameters(), loss)
    critique = discriminator(fake + brightness(of, 8), cond)
    _, loss = formula(discriminator(batch.images + brightness(of, 8), cond).logits.detach(), critique.logits)
    if loss.ndim == 2:
        loss = COMBINED[of.discriminator.combine](loss)
    loss = loss.mean() + WEIGHT * SHARE * F.cross_entropy(critique.auxiliary, labels)
    descend(generator.parameters(), loss)
    return model


@pytest.mark.parametrize("penalised", [False, True])
@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_is_the_algorithm_written_out(loss, count, steps, penalised):
    of = config(
        loss=LOSSES[loss](),
        discriminator__count=count,
        discriminator__combine="hardest" if count > 1 and steps > 1 else "mean",
        training__discriminator_steps=steps,
    )
    compare(of, batches(steps), penalised)


VARIANTS = {
    "uniform": {"generator__noise": "uniform"},
    "batch": {"discriminator__norm": BatchNorm(), "regularizers": {"auxiliary": AUXILIARY}},
    "augmented": {"augment__brightness": 0.5},
}


@pytest.mark.parametrize("loss", ["bce", "relativistic"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_so_it_is_with_other_noise_batch_norm_in_the_critic_and_augmented_pictures(variant, loss):
    of = config(loss=LOSSES[loss](), **VARIANTS[variant])
    compare(of, batches(1), penalised="r1" in of.regularizers)


def compare(of, shown: list[Batch], penalised: bool) -> None:
    ours = players(of)
    before = {name: weight.clone() for name, weight in ours.model.named_parameters()}
    torch.manual_seed(2)
    train_step(ours, of, shown, frozenset({"auxiliary", "r1"} if penalised else {"auxiliary"}))
    theirs = dict(written_out(of, shown, penalised).named_parameters())
    for name, weight in ours.model.named_parameters():
        assert weight.ndim < 2 or not torch.equal(weight, before[name]), name
        assert torch.allclose(weight, theirs[name], rtol=1e-4, atol=1e-6), name
