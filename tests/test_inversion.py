"""From a picture back to noise and label: what a generator made is found again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cgan import inversion
from cgan.inversion import Adam, Guess, choices, embed, invert, shade
from cgan.model import ConditionalGAN
from tests.conftest import tiny_model
from tests.test_conditions import encoder

DIGITS = Path(__file__).parent.parent / "assets" / "models" / "mnist"
LABELS = ({"label": "zero"}, {"label": "one"}, {"label": "two"})


def vivid(**changes) -> ConditionalGAN:
    """Untrained, and of some contrast; label and noise both show."""
    model = tiny_model(**changes)
    model.generator.stem.weight *= 3
    model.generator.to_image.conv.weight *= 3
    return model


def made(model: ConditionalGAN, label: str, seed: int = 5) -> torch.Tensor:
    """[1, C, H, W], 0 to 1."""
    return shade(model, model(model.noise(seed, 1), model.encoder.parse({"label": label})))


@pytest.fixture(scope="module")
def digits() -> Guess:
    """Of the bundled digits: an untrained network's pictures are too jagged a landscape to walk in."""
    model = ConditionalGAN.load(DIGITS)
    return Guess(model, embed(model, choices(model.encoder)))


@pytest.mark.parametrize("label", ["3", "7"])
def test_a_generated_picture_is_found_again(digits, label):
    model, tried = digits.model, choices(digits.model.encoder)
    picture = made(model, label)
    found = invert(digits, picture)
    last = found.path[-1]
    again = shade(model, model(last.noise[None], model.encoder.parse(tried[last.condition])))
    assert (again - picture).square().mean().sqrt().item() == pytest.approx(last.error, abs=1e-5)
    others = [(made(model, label, seed) - picture).square().mean().sqrt().item() for seed in range(20, 28)]
    assert last.error < 0.4 * min(others)
    assert last.error < 0.6 * found.path[0].error
    assert tried[last.condition] == {"label": label}
    assert [moment.step for moment in found.path] == list(range(inversion.STEPS + 1))


def test_the_guess_alone_is_better_than_no_noise():
    model = vivid()
    guess = Guess(model, embed(model, LABELS[:1]))
    noise = model.noise(9, 16)
    pictures = shade(model, model(noise, model.encoder.parse(LABELS[0]).expand(16, -1)))
    guessed = torch.cat([guess(picture[None]) for picture in pictures])
    assert (guessed - noise).square().mean() < 0.5 * noise.square().mean()


def test_only_the_best_conditions_are_tried_to_the_end(monkeypatch):
    monkeypatch.setattr(inversion, "KEPT", 2)
    model = vivid()
    found = invert(Guess(model, embed(model, LABELS), 16), made(model, "one"), 12)
    assert len(found.finalists) == 2
    assert found.finalists[0] == (found.path[-1].condition, found.path[-1].error)
    assert len(invert(Guess(model, embed(model, LABELS), 16), made(model, "one"), 10).finalists) == 3


def test_of_many_conditions_only_those_of_the_closest_guesses_descend(monkeypatch, digits):
    every = choices(digits.model.encoder)
    monkeypatch.setattr(inversion, "TRIED", 4)
    monkeypatch.setattr(inversion, "TRIAL", 40)
    for label in ("0", "8"):
        picture = made(digits.model, label)
        found = invert(digits, picture)
        tried = {every[condition]["label"] for condition, _ in found.finalists}
        assert len(tried) == 4
        assert every[found.path[-1].condition] == {"label": label}


def test_of_many_conditions_a_guess_learns_fewer_pictures_of_each(monkeypatch):
    model = vivid()
    monkeypatch.setattr(inversion, "LEARNT", 60)
    assert Guess(model, embed(model, LABELS)).pictures.shape[:2] == (3, 20)
    monkeypatch.setattr(inversion, "LEARNT", 6)
    assert Guess(model, embed(model, LABELS)).pictures.shape[:2] == (3, inversion.FEWEST)


def test_the_same_picture_has_the_same_noise():
    model = vivid()
    first, second = (invert(Guess(model, embed(model, LABELS), 16), made(model, "one"), 3) for _ in range(2))
    assert torch.equal(first.path[-1].noise, second.path[-1].noise)


def test_no_step_is_the_guess():
    model = vivid()
    guess = Guess(model, embed(model, LABELS[1:2]), 16)
    (only,) = invert(guess, made(model, "one"), 0).path
    assert torch.equal(only.noise, guess(made(model, "one"))[0])


def test_uniform_noise_stays_in_its_cube():
    model = vivid(generator__noise="uniform")
    found = invert(Guess(model, embed(model, LABELS), 16), torch.ones(1, 1, 8, 8))
    assert found.path[-1].noise.abs().max() <= 1


def test_the_usual_noise_is_preferred(monkeypatch):
    model = vivid()
    guess, picture = Guess(model, embed(model, LABELS[:1]), 16), torch.ones(1, 1, 8, 8)
    free = invert(guess, picture).path[-1].noise.norm()
    monkeypatch.setattr(inversion, "PRIOR", 0.5)
    assert invert(guess, picture).path[-1].noise.norm() < 0.5 * free


def test_what_can_be_tried_one_by_one():
    assert choices(tiny_model().encoder) == LABELS
    for form in ("attributes", "text", "image", "mask"):
        assert choices(encoder(form)) == ()


def test_adam_is_that_of_pytorch():
    torch.manual_seed(0)
    start, slopes = torch.randn(4, 3), torch.randn(5, 4, 3)
    reference = start.clone().requires_grad_(True)
    theirs = torch.optim.Adam([reference], lr=0.1, betas=inversion.FADING)
    ours, adam = start.clone(), Adam(start)
    for slope in slopes:
        reference.grad = slope
        theirs.step()
        ours -= adam(torch.arange(4), slope, 0.1)
    torch.testing.assert_close(ours, reference.detach())


def test_squares_of_pixels_are_compared_by_their_sides():
    assert inversion._scales(torch.full((1, 1, 4, 4), 2.0)).item() == 4 * (1 + 2 + 4)
