"""Directions, interpolation and places in latent space."""

from __future__ import annotations

import math

import pytest
import torch

from cgan.latent import SAMPLES, SEED, _early, directions, lerp, place, principal, slerp, spread
from cgan.networks.norms import BatchNorm, SpectralNorm, VirtualBatchNorm
from tests.conftest import tiny_model


@pytest.mark.parametrize(
    "options", [{}, {"generator__noise_in_blocks": False}, {"generator__block": "transposed"}]
)
def test_directions_are_orthonormal_ordered_and_signed(options):
    model = tiny_model(**options)
    found = directions(model, 16)
    assert found.shape == (5, 5)
    torch.testing.assert_close(found @ found.T, torch.eye(5), atol=1e-5, rtol=0)
    assert (found.gather(1, found.abs().argmax(1, keepdim=True)) > 0).all()
    torch.testing.assert_close(directions(model, 2), found[:2])


def test_the_first_direction_is_the_one_that_the_weights_amplify_most():
    """A stem that reads component 3 strongly and component 0 weakly; nothing else reads the noise."""
    model = tiny_model(generator__noise_in_blocks=False)
    with torch.no_grad():
        model.generator.stem.weight.zero_()
        model.generator.stem.weight[3, 0] = -7
        model.generator.stem.weight[0, 1] = 2
    found = directions(model, 2)
    torch.testing.assert_close(found, torch.eye(5)[[3, 0]])


def test_every_layer_has_the_same_say():
    """The stem's scale does not decide the order: each weight counts with norm 1."""
    model = tiny_model(generator__init="normal")
    before = directions(model, 5)
    with torch.no_grad():
        model.generator.stem.weight[:5] *= 1000
    torch.testing.assert_close(directions(model, 5), before, atol=1e-4, rtol=0)


def test_a_mapping_network_is_seen_through():
    """What moves the style that the stem reads, not what moves the network's input."""
    model = tiny_model(generator__mapping=6)
    generator = model.generator
    with torch.no_grad():
        for module in (p for name, p in generator.named_parameters() if "style" in name):
            module.zero_()
        generator.mapping.leave.weight.normal_(std=3)
    noise, cond = model.noise(SEED, SAMPLES), model.encoder.embed(model.encoder.sample(SAMPLES, SEED))

    def read(moved):
        return generator.stem(generator.mapping(torch.cat([moved, cond.vector], dim=1)))

    def moves(direction):
        return (read(noise + 1e-3 * direction) - read(noise - 1e-3 * direction)).square().sum().item()

    found = [moves(direction) for direction in directions(model, 5)]
    assert found == sorted(found, reverse=True)
    assert found[0] > max(map(moves, torch.eye(5)))


@pytest.mark.parametrize("norm", [BatchNorm(), SpectralNorm()], ids=str)
def test_weights_of_zeros_have_no_say(norm):
    model = tiny_model(generator__norm=norm)
    for weight in model.generator.parameters():
        weight.zero_()
    assert directions(model, 16).isfinite().all()
    model.generator.stem.weight[3, 0] = -7
    torch.testing.assert_close(directions(model, 1), torch.eye(5)[[3]])


@pytest.mark.parametrize(
    "options",
    [{}, {"generator__block": "transposed"}, {"generator__norm": VirtualBatchNorm(reference=2)}],
    ids=str,
)
def test_principal_directions_are_unit_signed_and_the_same_again(options):
    model = tiny_model(**options)
    found = principal(model, 16)
    assert found.shape == (5, 5)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))
    assert (found.gather(1, found.abs().argmax(1, keepdim=True)) > 0).all()
    assert torch.equal(principal(model, 2), found[:2])


def test_the_first_principal_direction_is_what_early_features_follow_most():
    """A stem that reads component 3 strongly and component 0 weakly, and the label more than both."""
    model = tiny_model(generator__noise_in_blocks=False)
    with torch.no_grad():
        weight = model.generator.stem.weight.zero_()  # [S, C, H, W]
        weight[3, 0], weight[0, 1], weight[5:, 2] = -1, 0.1, 9
    found = principal(model, 2)
    torch.testing.assert_close(found[0], torch.eye(5)[3], atol=0.05, rtol=0)
    assert found[1].argmax() == 0


def test_of_very_many_features_some_tell_nearly_the_same(monkeypatch):
    model = tiny_model()
    found = principal(model, 2)
    monkeypatch.setattr("cgan.latent.FEATURES", 100)  # of 4 x 8 x 8
    assert _early(model, model.noise(0, 3), model.encoder.embed(model.encoder.null(1))).shape == (3, 86)
    some = principal(model, 2)
    assert (some * found).sum(1).min() > 0.9


def test_spread_by_hand():
    noise, moved = torch.zeros(2, 3), torch.ones(2, 3)
    found = spread(noise, moved, [0, 2], 4)
    assert found.shape == (2, 4, 3)
    assert torch.equal(found.mean((0, 2)), torch.tensor([1.0, 0, 1, 0]))
    with pytest.raises(IndexError):
        spread(noise, moved, [4], 4)


def test_lerp_and_slerp_by_hand():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    torch.testing.assert_close(lerp(a, b, 0.25), torch.tensor([[1.5, 0.5]]))
    angle = math.radians(30)
    torch.testing.assert_close(slerp(a, b, 1 / 3), torch.tensor([[2 * math.cos(angle), 2 * math.sin(angle)]]))
    ts = torch.tensor([[0.0], [0.5], [1.0]])
    torch.testing.assert_close(slerp(a, b, ts).norm(dim=1), torch.full((3,), 2.0))
    torch.testing.assert_close(slerp(a, b, ts)[[0, 2]], torch.cat([a, b]))


@pytest.mark.parametrize("end", [[2.0, 0.0], [-2.0, 0.0], [4.0, 0.0]])
def test_slerp_takes_the_line_where_there_is_no_arc(end):
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([end])
    for t in (0.0, 0.5, 1.0):
        torch.testing.assert_close(slerp(a, b, t), lerp(a, b, t))


def test_slerp_from_nothing_is_finite():
    assert slerp(torch.zeros(1, 3), torch.ones(1, 3), 0.5).isfinite().all()


def test_place_by_hand(model):
    leading = torch.eye(5)[[2, 4]]
    noise = model.noise(7, 2)
    expected = noise * 0.5
    expected[:, [0, 2]] = torch.tensor([1.5, 2.0])
    expected[:, 2] += 1.5
    expected[:, 4] -= 2
    found = place(model, leading, seed=7, count=2, psi=0.5, strengths=(1.5, -2), components={0: 3.0, 2: 4.0})
    torch.testing.assert_close(found, expected)
    assert torch.equal(place(model, leading, seed=7, first=1), noise[1:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strengths": (1, 1, 1)}, "z takes at most 2 strengths, got 3"),
        ({"components": {5: 0.0}}, "raw takes components 0 to 4, got 5"),
        ({"components": {-1: 0.0}}, "raw takes components 0 to 4, got -1"),
    ],
)
def test_place_refuses(model, options, message):
    with pytest.raises(ValueError, match=message):
        place(model, torch.eye(5)[:2], seed=0, **options)
