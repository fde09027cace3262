"""The film strips of directions: what is moved, how far, and in which layers."""

from __future__ import annotations

import pytest
import torch

from cgan.engine import Engine
from cgan.ui.query import Query
from cgan.ui.tabs.directions import film, one
from tests.conftest import tiny_model


@pytest.fixture(scope="module")
def engine():
    engine = Engine({"tiny": tiny_model(), "stem": tiny_model(generator__noise_in_blocks=False)}, "cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def resident(engine):
    return engine.models["tiny"]


def plan(route, resident, **values):
    given = {"seed": 5, "label": "one"} | values
    query = Query([(name, str(value)) for name, value in given.items()])
    made = route(query, resident)
    query.done()
    return made


@pytest.mark.parametrize("kind", ["sefa", "pca"])
def test_moves_go_along_directions_of_their_kind(resident, kind):
    known = {"sefa": resident.directions, "pca": resident.principal}[kind]
    still = resident.model.noise(5, 1)
    torch.testing.assert_close(plan(one, resident, kind=kind).noise, still)
    found = plan(one, resident, kind=kind, moves="1.5,0,-2").noise
    torch.testing.assert_close(found, still + 1.5 * known[:1] - 2 * known[2:3])


def test_a_row_goes_along_its_own_direction_and_keeps_the_other_moves(resident):
    found = plan(film, resident, moves="1,0,-2", rows=3, steps=3, reach=4)
    assert found.noise.shape == (9, 5)
    for row in range(3):
        for step, strength in enumerate((-4, 0, 4)):
            moves = [1, 0, -2]
            moves[row] = strength
            frame = plan(one, resident, moves=",".join(map(str, moves))).noise[0]
            torch.testing.assert_close(found.noise[row * 3 + step], frame)


def test_only_the_layers_asked_for_feel_the_move(resident):
    still, moved = resident.model.noise(5, 1)[0], plan(one, resident, moves="3").noise[0]
    found = plan(one, resident, moves="3", layers="2,0").noise[0]
    torch.testing.assert_close(found, torch.stack([moved, still, moved]))
    everywhere = plan(one, resident, moves="3", layers="0,1,2").noise
    assert everywhere.shape == (1, 5), "the common way, which is computed in company"


def test_pictures_of_moved_layers_come_through_the_engine(engine, resident):
    pictures = [
        engine.submit("tiny", made.noise, made.cond).result(20)
        for made in (plan(one, resident, moves="5", layers=layers) for layers in ("0", "1", "0,1,2"))
    ]
    assert not torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "ica"),
        ("moves", "7"),
        ("moves", "1,,2"),
        ("layers", "3"),
        ("layers", "0,0"),
        ("layers", "0,"),
        ("layers", "-1"),
        ("rows", "6"),
        ("steps", "1"),
        ("reach", "0"),
    ],
)
def test_what_a_parameter_refuses(resident, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        plan(film, resident, **{name: value})


def test_a_model_whose_blocks_read_no_noise_has_one_layer(engine):
    stem = engine.models["stem"]
    assert plan(one, stem, moves="1", layers="0").noise.shape == (1, 5)
    with pytest.raises(ValueError, match="layers must be different whole numbers from 0 to 0"):
        plan(one, stem, layers="1")
