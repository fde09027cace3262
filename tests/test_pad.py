"""The pad: how noises are blended, and what its route makes of a place."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from cgan.engine import Engine
from cgan.latent import bilinear, blend
from cgan.ui.query import Query
from cgan.ui.tabs.pad import REACH, pad
from tests.conftest import tiny_model

SEEDS = {"seed": "5", "seed2": "6", "seed3": "7", "seed4": "8", "label": "one"}


@pytest.fixture(scope="module")
def resident():
    engine = Engine({"tiny": tiny_model()}, "cpu")
    yield engine.models["tiny"]
    engine.close()


def plan(resident, **values):
    query = Query([*(SEEDS | {name: str(value) for name, value in values.items()}).items()])
    made = pad(query, resident)
    query.done()
    return made


def test_bilinear_by_hand():
    x, y = torch.tensor([0.0, 1.0, 0.25]), torch.tensor([1.0, 0.0, 0.75])
    expected = [[1, 0, 0, 0], [0, 0, 0, 1], [0.5625, 0.1875, 0.1875, 0.0625]]
    torch.testing.assert_close(bilinear(x, y), torch.tensor(expected))


def test_a_blend_is_as_long_as_its_corners():
    corners = torch.tensor([[2.0, 0, 0], [0, 2, 0], [0, 0, 4]])
    weights = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0.2, 0.3, 0.5]])
    found = blend(corners, weights)
    torch.testing.assert_close(found[0], corners[0])
    torch.testing.assert_close(found[1], torch.full((3,), 2**0.5) * torch.tensor([1.0, 1, 0]))
    torch.testing.assert_close(found.norm(dim=1), weights @ torch.tensor([2.0, 2, 4]))
    directions = torch.nn.functional.cosine_similarity(found, weights @ corners)
    torch.testing.assert_close(directions, torch.ones(4))


@pytest.mark.parametrize("corners", [torch.zeros(2, 3), torch.tensor([[1.0, 0, 0], [-1, 0, 0]])])
def test_a_blend_of_nothing_is_finite_and_short(corners):
    assert not blend(corners, torch.tensor([[0.5, 0.5]])).any()


def test_corners_are_the_seeds_and_the_middle_is_none_of_them(resident):
    for (name, seed), (x, y) in zip(SEEDS.items(), [(0, 1), (1, 1), (0, 0), (1, 0)], strict=False):
        noise = plan(resident, x=x, y=y).noise
        torch.testing.assert_close(noise, resident.model.noise(int(seed), 1), msg=name)
    middle = plan(resident).noise
    corners = torch.cat([resident.model.noise(seed, 1) for seed in (5, 6, 7, 8)])
    torch.testing.assert_close(middle.norm(), corners.norm(dim=1).mean())
    torch.testing.assert_close(middle, blend(corners, torch.full((1, 4), 0.25)))


def test_over_axes_the_middle_is_the_seed_and_the_sides_are_directions(resident):
    noise = resident.model.noise(5, 1)
    torch.testing.assert_close(plan(resident, over="axes").noise, noise)
    found = plan(resident, over="axes", x=1, y=0.25, across=3, up=1).noise - noise
    expected = REACH * (resident.directions[2] - 0.5 * resident.directions[0])
    torch.testing.assert_close(found[0], expected)


def test_the_map_holds_every_place_top_row_first(resident):
    whole = plan(resident, steps=3)
    expected = [plan(resident, x=x, y=y).noise[0] for y in (1, 0.5, 0) for x in (0, 0.5, 1)]
    torch.testing.assert_close(whole.noise, torch.stack(expected))
    sheet = np.asarray(Image.open(io.BytesIO(whole.encode(resident.sampler(whole.noise, whole.cond)))))
    assert sheet.shape == (26, 26)


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", 1.1), ("y", "up"), ("over", "faces"), ("across", 0), ("up", 6), ("steps", 10), ("seed4", -1)],
)
def test_what_a_parameter_refuses(resident, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        plan(resident, **{name: value})


def test_an_unknown_parameter_is_refused(resident):
    with pytest.raises(ValueError, match="unknown parameter 'snap'"):
        plan(resident, snap=1)
