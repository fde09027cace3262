"""The discriminator's opinion: scores of the picture alone, and gradients that say what they claim."""

from __future__ import annotations

import pytest
import torch

from cgan.critic import scores, sensitivity
from cgan.networks import NORMS
from tests.conftest import tiny_data, tiny_model

KINDS = {
    "projection": {},
    "concat": {"discriminator__head": "concat", "discriminator__hidden": 6},
    "spectral": {"discriminator__norm": NORMS["spectral"]()},
    "virtual": {"discriminator__norm": NORMS["virtual"](reference=4)},
    "minibatch": {"discriminator__minibatch_std": True},
    "several": {"discriminator__count": 2},
    "attention": {"discriminator__attention": (4,)},
    "sigmoid": {"generator__output": "sigmoid"},
}


def judged(kind: str):
    model = tiny_model(**KINDS[kind])
    for member in getattr(model.discriminator, "members", [model.discriminator]):
        if member.reference.size:
            member.reference.inputs.normal_(generator=torch.Generator().manual_seed(1))
            member.reference.vector[:, 0] = 1
    pictures = tiny_data(20).images
    return model, pictures, model.encoder.embed(model.encoder.sample(20, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_depends_on_its_picture_alone(kind):
    model, pictures, cond = judged(kind)
    found = scores(model, pictures, cond)
    assert found.shape == (20,)
    assert found.std() > 0.01
    alone = torch.cat([scores(model, pictures[k : k + 1], cond[k : k + 1]) for k in range(20)])
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)
    logits = model.discriminator(model.from_uint8(pictures[:1]), cond[:1]).logits
    torch.testing.assert_close(found[0], logits.mean(), atol=1e-5, rtol=1e-4)
    assert torch.equal(scores(model, pictures, cond), found), "asking changes nothing"


@pytest.mark.parametrize("kind", KINDS)
def test_a_lighter_pixel_raises_the_logit_by_what_the_map_says(kind):
    model, pictures, cond = judged(kind)
    logit, found = sensitivity(model, pictures[:1], cond[:1])
    assert found.shape == (8, 8)
    assert logit == pytest.approx(scores(model, pictures[:1], cond[:1]).item(), abs=1e-5, rel=1e-6)
    low, high = model.config.generator.image_range
    step = 1e-3 * (high - low)
    image = model.from_uint8(pictures[:1])
    for y, x in torch.nonzero(found.abs() >= found.abs().flatten().kthvalue(60).values).tolist():
        moved = image.clone()
        moved[0, :, y, x] += step
        raised = model.discriminator(moved, cond[:1]).logits.mean().item() - logit
        assert raised == pytest.approx(found[y, x].item() * 1e-3, rel=0.1, abs=3e-6)


def test_a_critic_of_known_weights():
    """One that weighs the mean of the picture's left half: lighter there is better, elsewhere nothing."""
    model = tiny_model(discriminator__widths=(1,), discriminator__hidden=0)
    critic = model.discriminator
    for weight in critic.parameters():
        weight.zero_()
    critic.blocks[0].conv.weight[0, 0, 1:3, 1:3] = 1 / 4  # the mean of 2x2 pixels
    critic.logit.weight.view(4, 4)[:, :2] = 1 / 8
    pictures = torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
    cond = model.encoder.embed(model.encoder.parse({"label": "one"}))
    logit, found = sensitivity(model, pictures, cond)
    assert logit == pytest.approx(1)
    assert found[:, 4:].abs().max() == 0
    torch.testing.assert_close(found[:, :4], torch.full((8, 4), 2 / 32))
    pictures[..., :4] = 0
    assert scores(model, pictures, cond).item() == pytest.approx(-0.2)  # leaky ReLU of -1


def test_the_model_keeps_its_weights_free_of_gradients():
    model, pictures, cond = judged("projection")
    sensitivity(model, pictures[:1], cond[:1])
    assert all(weight.grad is None and not weight.requires_grad for weight in model.parameters())
    with torch.inference_mode():
        embedded = model.encoder.embed(model.encoder.sample(1, 3))
        inside = sensitivity(model, pictures[:1], embedded)
    assert inside[0] == sensitivity(model, pictures[:1], cond[:1])[0]
