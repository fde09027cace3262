"""One training step, on a page: the discriminator's turn, then the generator's, on the same generated
pictures.

Nothing is computed twice: the discriminator sees real and generated pictures in one pass, the generator's
pictures are made once for both turns, and in the generator's turn no gradient of the discriminator's
weights is taken.

The condition's encoder learns with the discriminator, who gains by knowing all that was asked. The generator
would rather be asked for less, so it takes the embedding as given.

Shapes: N pictures, Z noise width, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer

from cgan.config import Config
from cgan.model import ConditionalGAN
from cgan.regularizers import Player, Regularizer, Turn, View
from cgan.types import Batch, Cond, Critique


@dataclass
class Players:
    """What a step moves."""

    model: ConditionalGAN
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer
    autocast: Callable[[], AbstractContextManager]
    reduce_gradients: Callable[[Optimizer], None]  # average over processes


def due_at(regularizers: Mapping[str, Regularizer], step: int) -> frozenset[str]:
    """The names of those that count in this step."""
    return frozenset(name for name, regularizer in regularizers.items() if step % regularizer.every == 0)


def train_step(
    players: Players, config: Config, batches: list[Batch], due: frozenset[str]
) -> dict[str, Tensor]:
    """`discriminator_steps` turns of the discriminator, each on a batch of its own, then one of the
    generator, with the regularisers that are `due`.

    Returns detached means by name, for the log. Random draws come from torch's global generators.
    """
    figures: dict[str, Tensor] = {}
    for batch in batches:
        generated, cond = _generate(players, config, batch, keep_graph=batch is batches[-1])
        figures |= discriminator_turn(players, config, batch, generated, cond, due)
    given = cond.map(Tensor.detach)
    return figures | generator_turn(players, config, batches[-1], generated, given, due)


def discriminator_turn(
    players: Players, config: Config, batch: Batch, generated: Tensor, cond: Cond, due: frozenset[str]
) -> dict[str, Tensor]:
    """One update of the discriminator, and of the condition's encoder, on real [N, C, H, W] and generated
    [N, C, H, W] pictures."""
    discriminator, model = players.model.discriminator, players.model
    both = torch.cat([batch.images, generated.detach().float()])
    with players.autocast():
        both = _augment(model, config, both)
        real_images, fake_images = both.chunk(2)
        if (
            model.config.discriminator.norm.batch_statistics
        ):  # real and generated batches keep statistics of their own
            real, fake = discriminator(real_images, cond), discriminator(fake_images, cond)
        else:
            critique = discriminator(both, Cond.cat([cond, cond]))
            real, fake = critique[: len(batch.images)], critique[len(batch.images) :]
        loss = config.loss.discriminator(real.logits, fake.logits).mean()
    views = (
        View(images, cond, batch.raw, seen) for images, seen in ((real_images, real), (fake_images, fake))
    )
    turn = _turn(players, config, "discriminator", *views)
    penalties = _penalties(config.regularizers, turn, due)
    norm = _update(players, players.discriminator_optimizer, loss + sum(penalties.values()), config)
    if config.training.clip_weights:  # Arjovsky et al. 2017, algorithm 1, line 7
        with torch.no_grad():
            for weight in discriminator.parameters():
                weight.clamp_(-config.training.clip_weights, config.training.clip_weights)
    return {
        "loss/discriminator": loss.detach(),
        "logit/real": real.logits.detach().mean(),
        "logit/fake": fake.logits.detach().mean(),
        "gradient/discriminator": norm,
        "health/order": (real.logits > fake.logits).detach().float().mean(),
    } | {name: value.detach() for name, value in penalties.items()}


def encoder_turn(players: Players, config: Config, batch: Batch) -> dict[str, Tensor]:
    """One update of the condition's encoder alone, by what the discriminator, which stays as it is, reads off
    real pictures."""
    model = players.model
    with players.autocast():
        cond = model.encoder.embed(batch.raw)
        with torch.no_grad():
            critique: Critique = model.discriminator(_augment(model, config, batch.images), cond)
    loss = model.encoder.auxiliary_loss(critique.auxiliary, batch.raw, cond).mean()
    norm = _update(players, players.discriminator_optimizer, loss, config)
    return {"loss/encoder": loss.detach(), "gradient/encoder": norm}


def generator_turn(
    players: Players, config: Config, batch: Batch, generated: Tensor, cond: Cond, due: frozenset[str]
) -> dict[str, Tensor]:
    """One update of the generator through its pictures [N, C, H, W]."""
    discriminator, model = players.model.discriminator, players.model
    with _frozen(discriminator), _frozen(model.encoder):
        with players.autocast():
            images = _augment(model, config, generated.float())
            fake: Critique = discriminator(images, cond)
            real_logits = fake.logits.detach()
            if config.loss.generator_sees_real:
                with torch.no_grad():
                    real_logits = discriminator(_augment(model, config, batch.images), cond).logits
            loss = discriminator.combine(config.loss.generator(real_logits, fake.logits)).mean()
        turn = _turn(players, config, "generator", None, View(images, cond, batch.raw, fake))
        penalties = _penalties(config.regularizers, turn, due)
        norm = _update(players, players.generator_optimizer, loss + sum(penalties.values()), config)
    return {"loss/generator": loss.detach(), "gradient/generator": norm} | {
        name: value.detach() for name, value in penalties.items()
    }


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def _generate(players: Players, config: Config, batch: Batch, keep_graph: bool) -> tuple[Tensor, Cond]:
    options = config.generator
    noise = torch.empty(len(batch.images), options.noise_dim, device=batch.images.device)
    noise = noise.normal_() if options.noise == "normal" else noise.uniform_(-1, 1)
    with players.autocast():
        cond = players.model.encoder.embed(batch.raw)
        with torch.set_grad_enabled(keep_graph):
            return players.model.generator(noise, cond.map(Tensor.detach)), cond


def _turn(players: Players, config: Config, player: Player, real: View | None, fake: View) -> Turn:
    model = players.model
    return Turn(
        player=player,
        real=real,
        fake=fake,
        discriminator=model.discriminator,
        auxiliary_loss=model.encoder.auxiliary_loss,
        adversarial=config.loss.discriminator,
        given=model.encoder.given,
    )


def _augment(model: ConditionalGAN, config: Config, images: Tensor) -> Tensor:
    images = config.augment(images, black=model.config.generator.image_range[0])
    return images.contiguous(memory_format=torch.channels_last)


def _penalties(regularizers: Mapping[str, Regularizer], turn: Turn, due: frozenset[str]) -> dict[str, Tensor]:
    return {
        f"{name}/{turn.player}": regularizer.weight * regularizer.every * regularizer.penalty(turn).mean()
        for name, regularizer in regularizers.items()
        if turn.player in regularizer.players and name in due
    }


def _update(players: Players, optimizer: Optimizer, loss: Tensor, config: Config) -> Tensor:
    """One descent. Returns the gradient's norm before clipping (Pascanu et al. 2013, algorithm 1)."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    players.reduce_gradients(optimizer)
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    norm = get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    if config.training.clip_gradients:
        clip_grads_with_norm_(weights, config.training.clip_gradients, norm)
    optimizer.step()
    return norm.detach()
