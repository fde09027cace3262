"""The generator opened up: what it shows is what it computes; a channel that is off is gone, and no other."""

from __future__ import annotations

import pytest
import torch

from cgan.dissection import Dissection, stages
from cgan.latent import principal
from cgan.model import CPU_BATCH
from cgan.networks import NORMS
from tests.conftest import tiny_model

KINDS = {
    "residual": {},
    "upsample": {"generator__block": "upsample"},
    "transposed": {"generator__block": "transposed", "generator__widths": (4, 6)},
    "virtual": {"generator__norm": NORMS["virtual"](reference=4)},
    "attention": {"generator__attention": (8,)},
}


def opened(**options):
    """A model with running statistics of its own, so that its norms do something; and it opened up."""
    model = tiny_model(**options)
    for name, buffer in model.generator.named_buffers():
        if name.endswith("running_mean"):
            buffer.fill_(-0.25)
        if name.endswith("running_var"):
            buffer.fill_(2)
    if model.generator.reference.size:
        model.generator.reference.inputs.normal_(generator=torch.Generator().manual_seed(1))
        model.generator.reference.vector[:, 0] = 1
    for attention in model.generator.attention.values():
        attention.gain.fill_(1)
    return model, Dissection(model)


def asked(model, count: int = 3):
    return model.noise(7, count), model.encoder.embed(model.encoder.sample(count, 7))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_switched_off_is_the_generators_own_picture(kind):
    model, dissection = opened(**KINDS[kind])
    noise, cond = asked(model)
    pictures, maps = dissection.run(noise, cond)
    torch.testing.assert_close(pictures, model.generator(noise, cond))
    wanted = [(3, len(level.order), level.size, level.size) for level in dissection.levels]
    assert [tuple(each.shape) for each in maps] == wanted
    torch.testing.assert_close(maps[0], model.generator.stem(torch.cat([noise, cond.vector], 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_that_is_off_has_its_mean_and_its_neighbours_are_untouched(kind):
    model, dissection = opened(**KINDS[kind])
    noise, cond = asked(model)
    pictures, maps = dissection.run(noise, cond)
    for level, usual in enumerate(dissection.levels):
        without, seen = dissection.run(noise, cond, {level: [1, 2]})
        assert not torch.allclose(without, pictures)
        kept = [channel for channel in range(len(usual.order)) if channel not in (1, 2)]
        torch.testing.assert_close(seen[level][:, kept], maps[level][:, kept])
        for channel in (1, 2):
            assert (seen[level][:, channel] == usual.mean[channel]).all()
        for before in range(level):
            torch.testing.assert_close(seen[before], maps[before])


def test_with_every_channel_of_the_stem_off_the_noise_of_the_stem_no_longer_matters():
    model, dissection = opened(generator__noise_in_blocks=False)
    noise, cond = asked(model, 4)
    off = {0: range(len(dissection.levels[0].order))}
    pictures, _ = dissection.run(noise, cond[torch.zeros(4, dtype=torch.long)], off)
    torch.testing.assert_close(pictures, pictures[:1].expand(4, -1, -1, -1))
    assert dissection.run(noise, cond)[0].std(0).max() > 1e-3


def test_the_usual_values_are_those_of_the_priors_pictures():
    """A stem of which channel 2 varies most, by known weights: mean = bias, variance = sum of squares."""
    model = tiny_model()
    model.generator.stem.weight.zero_()
    for channel, weight in enumerate((1.0, 0.0, 3.0, 2.0)):
        model.generator.stem.weight[0, channel] = weight
    model.generator.stem.bias.copy_(torch.tensor([0.0, 0.5, -1.0, 4.0]))
    level = Dissection(model).levels[0]
    z = model.noise(0, 64)[:, 0]
    assert level.order == (2, 3, 0, 1)
    torch.testing.assert_close(
        level.mean, torch.tensor([0.0, 0.5, -1.0, 4.0]) + z.mean() * torch.tensor([1.0, 0, 3, 2])
    )
    assert level.spread == pytest.approx((z.var(unbiased=False).item() * (1 + 9 + 4) / 4) ** 0.5)
    shown = Dissection(model).contrast(0, level.mean[None, :, None, None] + 2 * level.spread)
    torch.testing.assert_close(shown, torch.full((1, 4, 1, 1), 2.0))


@pytest.mark.parametrize("look", [Dissection, lambda model: principal(model, 2)], ids=["usual", "principal"])
def test_no_more_is_made_at_once_than_when_a_model_is_loaded(look, monkeypatch):
    model, sizes = tiny_model(), []
    forward = model.generator.forward
    monkeypatch.setattr(
        model.generator, "forward", lambda z, *more: sizes.append(len(z)) or forward(z, *more)
    )
    look(model)
    assert max(sizes) <= CPU_BATCH


def test_what_is_not_there_can_not_be_switched_off():
    model, dissection = opened()
    for off in ({2: [0]}, {-1: [0]}, {0: [4]}, {1: [0, -1]}):
        with pytest.raises(IndexError, match="no channels"):
            dissection.run(*asked(model), off)


@pytest.mark.parametrize("block", ["residual", "transposed"])
def test_the_drawing_tells_the_truth(block):
    model = tiny_model(
        generator__block=block,
        generator__widths=(4, 6),
        generator__attention=(8,) if block == "residual" else (),
    )
    found = stages(model)
    assert sum(stage.weights for stage in found) <= sum(p.numel() for p in model.generator.parameters())
    assert (found[-1].size, found[-1].channels) == (8, 1)
    sizes, widths = [stage.size for stage in found], [stage.channels for stage in found]
    if block == "transposed":
        assert [stage.kind for stage in found] == ["stem", "transposed", "transposed"]
        assert (sizes, widths) == ([2, 4, 8], [4, 6, 1])
        assert [stage.noise for stage in found] == [True, False, False]
        assert sum(stage.weights for stage in found) == sum(p.numel() for p in model.generator.parameters())
    else:
        assert [stage.kind for stage in found] == ["stem", "residual", "image"]
        assert (sizes, widths) == ([4, 8, 8], [4, 6, 1])
        assert [stage.noise for stage in found] == [True, True, True]
        assert [stage.attention for stage in found] == [False, True, False]
    assert [len(level.order) for level in Dissection(model).levels] == widths[:-1]
    assert [level.size for level in Dissection(model).levels] == sizes[:-1]
    assert all(stage.vector and not stage.spatial for stage in found)


def test_a_generator_without_noise_in_its_blocks_is_drawn_so():
    assert [stage.noise for stage in stages(tiny_model(generator__noise_in_blocks=False))] == [
        True,
        False,
        False,
    ]
