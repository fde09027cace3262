"""Noise depends on (seed, index) alone."""

from __future__ import annotations

import pytest
import torch

from cgan import rng


def test_a_sample_does_not_depend_on_how_many_are_drawn():
    assert torch.equal(rng.noise(3, 10, 4)[7:9], rng.noise(3, 2, 4, first=7))


def test_seeds_and_indices_open_different_streams():
    draws = torch.cat([rng.noise(seed, 50, 8) for seed in range(4)])
    assert len(draws.unique(dim=0)) == 200


def test_golden_values():
    expected = torch.tensor([1.0202879905700684, 0.7597131729125977, -0.24583789706230164])
    assert torch.allclose(rng.noise(1, 1, 3)[0], expected), rng.noise(1, 1, 3)


def test_distributions():
    normal, uniform = rng.noise(0, 2000, 8), rng.noise(0, 2000, 8, "uniform")
    assert abs(normal.mean()) < 0.03
    assert abs(normal.std() - 1) < 0.03
    assert uniform.abs().max() <= 1
    assert abs(uniform.var() - 1 / 3) < 0.02


@pytest.mark.parametrize("seed", [-1, rng.SEED_LIMIT])
def test_seed_outside_its_range_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to"):
        rng.noise(seed, 1, 1)


def test_steps_and_processes_are_seeded_apart():
    seeds = {rng.step_seed(seed, images, rank) for seed in (0, 1) for images in (0, 64) for rank in (0, 1)}
    assert len(seeds) == 8
