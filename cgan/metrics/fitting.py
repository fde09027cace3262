"""How every network of the metrics learns: AdamW on a one-cycle schedule, and the average of its weights.

Shapes: B pictures a batch, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

STATISTICS = 20_000  # pictures from which the averaged weights' batch norm is measured

Network = TypeVar("Network", bound=nn.Module)


class Schedule(Protocol):
    """What a recipe says of the optimiser."""

    epochs: int
    batch: int
    rate: float  # peak of the one-cycle schedule
    decay: float
    ema: float


def optimise(
    model: Network,
    count: int,
    *,
    schedule: Schedule,
    pictures: Callable[[Tensor], Tensor],
    loss: Callable[[Network, Tensor, Tensor], Tensor],
    generator: torch.Generator,
    progress: Callable[[str], None] | None = None,
    statistics: int = STATISTICS,
) -> Network:
    """The averaged weights of a model trained on `count` pictures, in eval mode.

    `pictures(rows)` gives the augmented pictures [B, C, H, W] of rows [B]; `loss(model, pictures, rows)` what
    is to be low. `progress` receives a line an epoch. ValueError if there are fewer pictures than a batch.
    """
    if count < schedule.batch:
        raise ValueError(f"training a judge needs at least {schedule.batch} pictures, got {count}")
    reach = max(2.0, schedule.epochs * (count // schedule.batch) / 1.5)  # steps, not back to the first
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(min(schedule.ema, 1 - 1 / reach)))
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    steps = count // schedule.batch
    total_steps = schedule.epochs * steps
    rising = 0.2 if total_steps != 5 else 0.25  # of five steps, a fifth ends where it begins
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.rate, total_steps=total_steps, pct_start=rising
    )
    for epoch in range(schedule.epochs):
        total = 0.0
        for rows in torch.randperm(count, generator=generator)[: steps * schedule.batch].view(steps, -1):
            value = loss(model, pictures(rows), rows)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            rates.step()
            averaged.update_parameters(model)
            total = total + value.detach()
        if progress:
            progress(f"epoch {epoch + 1}/{schedule.epochs}  loss {float(total) / steps:.4f}")
    rows = torch.randperm(count, generator=generator)[:statistics]
    whole = len(rows) // schedule.batch * schedule.batch or len(rows)  # a rest would weigh as a batch does
    update_bn(map(pictures, rows[:whole].split(schedule.batch)), averaged)
    return averaged.module.eval()
