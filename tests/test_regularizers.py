"""Every penalty against a value worked out by hand, and DiffAugment."""

from __future__ import annotations

import pytest
import torch

from cgan.augment import DiffAugment
from cgan.losses.bce import BCE
from cgan.regularizers import REGULARIZERS, Turn, View
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.gradients import R1, R2, GradientPenalty
from cgan.regularizers.matching import Matching
from cgan.types import Cond, Critique

IMAGES = torch.arange(8.0).view(2, 1, 2, 2)
LABELS = torch.eye(3)[:2]


def quadratic(images, cond):
    """D(x) = sum of squares, whose gradient is 2x, plus auxiliary logits that favour class 0."""
    logits = images.square().sum((1, 2, 3))
    return Critique(logits, images.flatten(1), torch.tensor([[2.0, 0.0, 0.0]]).expand(len(images), 3))


def turn(player, scale=1.0) -> Turn:
    cond = Cond(LABELS)
    real = View(IMAGES, cond, LABELS, quadratic(IMAGES, cond))
    fake = View(scale * IMAGES, cond, LABELS, quadratic(scale * IMAGES, cond))
    cross_entropy = torch.nn.functional.cross_entropy
    auxiliary = lambda aux, raw, cond: cross_entropy(aux, raw, reduction="none")  # noqa: E731
    return Turn(player, real, fake, quadratic, auxiliary, BCE().discriminator, lambda raw: raw.any(1))


def test_r1_is_half_the_squared_gradient_at_real_pictures():
    assert torch.allclose(
        R1().penalty(turn("discriminator", 3.0)), 0.5 * (2 * IMAGES).square().sum((1, 2, 3))
    )


def test_r1_trains_the_discriminator():
    scale = torch.ones((), requires_grad=True)
    critic = lambda images, cond: Critique(scale * images.sum((1, 2, 3)), images)  # noqa: E731
    view = View(IMAGES, Cond(LABELS), LABELS, critic(IMAGES, Cond(LABELS)))
    R1().penalty(Turn("discriminator", view, view, critic, None, None, None)).mean().backward()
    assert scale.grad.item() == pytest.approx(4)  # d/ds of 1/2 * 4 pixels * s^2


def test_r2_is_the_same_at_generated_pictures():
    expected = 0.5 * (2 * 3 * IMAGES).square().sum((1, 2, 3))
    assert torch.allclose(R2().penalty(turn("discriminator", 3.0)), expected)


def test_gradient_penalty_is_the_distance_of_the_gradient_from_one():
    """With real and generated pictures the same, so is every picture between them."""
    norms = (2 * IMAGES).square().sum((1, 2, 3)).sqrt()
    assert torch.allclose(GradientPenalty().penalty(turn("discriminator")), (norms - 1).square())
    linear = lambda images, cond: Critique(images[:, 0, 0, 0], images)  # noqa: E731
    view = View(IMAGES, Cond(LABELS), LABELS, linear(IMAGES, Cond(LABELS)))
    penalty = GradientPenalty().penalty(Turn("discriminator", view, view, linear, None, None, None))
    assert torch.allclose(penalty, torch.zeros(2), atol=1e-6)


def test_gradient_penalty_looks_between_the_pictures():
    torch.manual_seed(0)
    seen = []

    def watching(images, cond):
        seen.append(images.detach())
        return quadratic(images, cond)

    cond = Cond(LABELS[:1].expand(500, 3))
    real, fake = torch.ones(500, 1, 2, 2), -torch.ones(500, 1, 2, 2)
    views = [View(images, cond, cond.vector, quadratic(images, cond)) for images in (real, fake)]
    GradientPenalty().penalty(Turn("discriminator", *views, watching, None, None, None))
    assert seen[0].flatten(1).std(1).max() == 0, "one draw a picture"
    assert abs(seen[0].mean()) < 0.1
    assert seen[0].abs().max() <= 1
    assert seen[0].std() == pytest.approx(2 / 12**0.5, abs=0.05)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_auxiliary_is_the_cross_entropy_of_what_was_asked(player):
    log_sum = torch.logsumexp(torch.tensor([2.0, 0.0, 0.0]), 0)
    expected = torch.stack([log_sum - 2, log_sum])
    share = 0.5 if player == "generator" else 1.0
    assert torch.allclose(Auxiliary(generator_share=0.5).penalty(turn(player)), share * expected)


def test_matching_counts_real_pictures_under_their_neighbours_conditions_as_generated():
    """Four pictures: the second asks for the same as the first, the fourth for nothing."""
    raw = torch.eye(3)[[0, 0, 1, 2]]
    raw[3] = 0
    images = torch.arange(16.0).view(4, 1, 2, 2) / 16
    critic = lambda images, cond: Critique(images.sum((1, 2, 3)) * cond.vector[:, 0], images)  # noqa: E731
    view = View(images, Cond(raw), raw, critic(images, Cond(raw)))
    given = lambda raw: raw.any(1)  # noqa: E731
    found = Matching().penalty(
        Turn("discriminator", view, view, critic, None, lambda real, fake: real + 10 * fake, given)
    )
    pixels = images.sum((1, 2, 3))
    # The first's neighbour asks for nothing; the third is judged under the second's condition, class 0, and
    # the fourth under the third's, class 1.
    assert torch.allclose(found, torch.stack([0 * pixels[0], 0 * pixels[0], 10 * pixels[2], 0 * pixels[0]]))
    wrong = Turn("discriminator", view, view, critic, None, lambda real, fake: fake - 1, given)
    assert Matching().penalty(wrong)[3] == -1, "a picture without a condition has one that does not match"


@pytest.mark.parametrize("name", REGULARIZERS)
def test_penalties_are_per_sample(name):
    regularizer = REGULARIZERS[name]()
    for player in regularizer.players:
        assert regularizer.penalty(turn(player)).shape == (2,)


@pytest.mark.parametrize("change", [{"weight": -1.0}, {"weight": float("nan")}, {"every": 0}])
@pytest.mark.parametrize("name", REGULARIZERS)
def test_bad_weights_are_refused(name, change):
    with pytest.raises(ValueError, match="weight must be"):
        REGULARIZERS[name](**change)


@pytest.mark.parametrize("policy", [{"translation": 0.25}, {"cutout": 0.5}, {"brightness": 0.5}])
def test_augmentation_changes_pictures_and_passes_gradients(policy):
    torch.manual_seed(0)
    images = torch.rand(16, 2, 8, 8, requires_grad=True)
    changed = DiffAugment(**policy)(images, black=-1.0)
    assert changed.shape == images.shape
    assert not torch.equal(changed, images)
    changed.sum().backward()
    assert images.grad.abs().sum() > 0


def test_no_policy_leaves_pictures_alone():
    images = torch.rand(4, 1, 8, 8)
    assert DiffAugment()(images, black=-1.0) is images


def test_translation_moves_a_dot_by_at_most_its_reach_and_uncovers_black():
    torch.manual_seed(0)
    images = torch.full((200, 1, 8, 8), -1.0)
    images[:, :, 4, 4] = 1.0
    moved = DiffAugment(translation=0.25)(images, black=-1.0)
    rows, columns = (moved[:, 0] > 0).nonzero()[:, 1:].unbind(1)
    assert len(rows) == 200
    assert set(rows.tolist()) == set(columns.tolist()) == set(range(2, 7))


def test_cutout_blackens_a_square():
    torch.manual_seed(0)
    cut = DiffAugment(cutout=0.5)(torch.ones(200, 1, 8, 8), black=-1.0)
    assert (cut == -1).sum((1, 2, 3)).max() == 16
    assert (cut == -1).any((1, 2, 3)).all()


def test_brightness_changes_by_at_most_its_share():
    torch.manual_seed(0)
    changed = DiffAugment(brightness=0.5)(torch.zeros(2000, 1, 2, 2), black=-1.0)
    assert 0.49 < changed.max() <= 0.5
    assert -0.5 <= changed.min() < -0.49


def test_a_cutout_may_lie_over_the_edge():
    torch.manual_seed(0)
    cut = DiffAugment(cutout=0.5)(torch.ones(200, 1, 8, 8), black=-1.0)
    assert (cut == -1).sum((1, 2, 3)).min() < 16
