"""Every loss against values and gradients worked out by hand, for both players."""

from __future__ import annotations

import math

import pytest
import torch

from cgan.losses import LOSSES
from cgan.losses.bce import BCE
from cgan.losses.hinge import Hinge
from cgan.losses.lsgan import LSGAN
from cgan.losses.relativistic import Relativistic
from cgan.losses.wasserstein import Wasserstein

LN2, S1 = math.log(2), 1 / (1 + math.exp(-1))  # softplus(0), sigmoid(1)

# loss, real logit, fake logit, L_D, dL_D/dreal, dL_D/dfake, L_G, dL_G/dfake
BY_HAND = [
    (BCE(), 0.0, 0.0, 2 * LN2, -0.5, 0.5, LN2, -0.5),
    (BCE(), 1.0, -1.0, -2 * math.log(S1), S1 - 1, 1 - S1, -math.log(1 - S1), -S1),
    (BCE(saturating=True), 0.0, 0.0, 2 * LN2, -0.5, 0.5, -LN2, -0.5),
    (BCE(saturating=True), 1.0, -1.0, -2 * math.log(S1), S1 - 1, 1 - S1, math.log(S1), S1 - 1),
    (BCE(real_target=0.9, fake_target=0.1), 0.0, 0.0, 2 * LN2, -0.4, 0.4, LN2, -0.5),
    (
        BCE(real_target=0.9, fake_target=0.1),
        1.0,
        1.0,
        -(0.9 * math.log(S1) + 0.1 * math.log(1 - S1)) - (0.1 * math.log(S1) + 0.9 * math.log(1 - S1)),
        S1 - 0.9,
        S1 - 0.1,
        -math.log(S1),
        S1 - 1,
    ),
    (Hinge(), 0.5, -0.25, 0.5 + 0.75, -1.0, 1.0, 0.25, -1.0),
    (Hinge(), 2.0, -3.0, 0.0, 0.0, 0.0, 3.0, -1.0),
    (LSGAN(), 3.0, 0.5, 0.5 * 4 + 0.5 * 0.25, 2.0, 0.5, 0.5 * 0.25, -0.5),
    (LSGAN(real_target=0.9, fake_target=0.1), 0.9, 0.1, 0.0, 0.0, 0.0, 0.5 * 0.81, -0.9),
    (Wasserstein(), 3.0, -2.0, -5.0, -1.0, 1.0, 2.0, -1.0),
    (Relativistic(), 0.0, 0.0, LN2, -0.5, 0.5, LN2, -0.5),
    (Relativistic(), 2.0, 1.0, -math.log(S1), S1 - 1, 1 - S1, -math.log(1 - S1), -S1),
]


@pytest.mark.parametrize(
    ("loss", "real", "fake", "value_d", "real_d", "fake_d", "value_g", "fake_g"), BY_HAND
)
def test_values_and_gradients_by_hand(loss, real, fake, value_d, real_d, fake_d, value_g, fake_g):
    logits = [torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (real, fake)]
    out = loss.discriminator(*logits)
    assert out.item() == pytest.approx(value_d)
    assert [g.item() for g in torch.autograd.grad(out.sum(), logits)] == pytest.approx([real_d, fake_d])
    out = loss.generator(*logits)
    assert out.item() == pytest.approx(value_g)
    assert torch.autograd.grad(out.sum(), logits[1])[0].item() == pytest.approx(fake_g)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_per_sample_and_reward_the_better_player(name):
    loss = LOSSES[name]()
    good, bad = torch.tensor([2.0, 0.5]), torch.tensor([-2.0, -0.5])
    assert loss.discriminator(good, bad).shape == loss.generator(good, bad).shape == (2,)
    assert (loss.discriminator(good, bad) < loss.discriminator(bad, good)).all()
    assert (loss.generator(bad, good) < loss.generator(bad, bad)).all()
    assert loss.generator_sees_real == (not torch.equal(loss.generator(good, bad), loss.generator(bad, bad)))
    assert name in {row[0].__class__.__name__.lower() for row in BY_HAND}, (
        "a loss needs values worked out by hand"
    )


@pytest.mark.parametrize("loss", [BCE, LSGAN])
def test_targets_must_be_ordered(loss):
    with pytest.raises(ValueError, match="real_target"):
        loss(real_target=0.1, fake_target=0.9)
