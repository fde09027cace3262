"""Noise depends on (seed, index) alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from cgan import rng


def test_a_sample_does_not_depend_on_how_many_are_drawn():
    assert torch.equal(rng.noise(3, 10, 4)[7:9], rng.noise(3, 2, 4, first=7))


@pytest.mark.parametrize(("distribution", "draw"), [("normal", "standard_normal"), ("uniform", "random")])
def test_noise_is_the_stream_of_each_sample(distribution, draw):
    found = rng.noise(3, 4, 5, distribution, first=2**20)
    for index, row in enumerate(found, start=2**20):
        drawn = torch.from_numpy(getattr(rng.stream(3, index), draw)(5)).float()
        assert torch.allclose(row, drawn if draw == "standard_normal" else 2 * drawn - 1)


def test_threads_do_not_disturb_each_other():
    alone = [rng.noise(seed, 200, 8) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: rng.noise(seed, 200, 8), range(4)))
    assert all(map(torch.equal, alone, together))


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
