"""Real pictures, as a model's discriminator judges them under what they show.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cgan import specimens
from cgan.conditions import Choice, ConditionEncoder
from cgan.critic import scores
from cgan.data import Images
from cgan.engine import Resident
from cgan.model import ConditionalGAN
from cgan.rng import SEED_LIMIT, stream
from cgan.types import Raw
from cgan.ui.fields import texts
from cgan.ui.loaded import loaded
from cgan.ui.plans import field_values
from cgan.ui.query import Query

SHOWN = 8  # at once
REAL = 5  # the random stream that draws real pictures


def judged_real(query: Query, resident: Resident) -> Callable[[], tuple[Tensor, Tensor, Raw | None]]:
    """What finds real pictures uint8 [N, C, H, W], their logits [N] under what they show, and that. They are
    of the class that is asked for, of a mixture its heaviest; under other conditions, any."""
    model, seed = resident.model, query.whole("seed", 0, 0, SEED_LIMIT - 1)
    encoder = model.encoder
    values, choices = field_values(query, resident), _choices(encoder)

    def run() -> tuple[Tensor, Tensor, Raw | None]:
        raw, kept = encoder.parse(values), real_pictures(model)
        classes = kept.targets.get("classes", ()) if kept else ()
        of_class = bool(choices and classes)
        if not kept or encoder.form not in kept.targets or (of_class and len(choices) != len(classes)):
            return torch.zeros(0, 1, 1, 1), torch.zeros(0), None
        column, places = kept.targets[encoder.form], torch.arange(len(kept))
        if of_class:
            places = torch.nonzero(column == int(encoder.decode(raw)[encoder.form][0]))[:, 0]
        drawn = stream(seed, 0, purpose=REAL).permutation(len(places))[:SHOWN]
        places = places[torch.from_numpy(drawn)]
        own = column[places] if isinstance(column, Tensor) else [column[place] for place in places.tolist()]
        told = encoder.encode({encoder.form: own})
        found = scores(model, kept.images[places], resident.embed(told))
        order = found.argsort(descending=True, stable=True)
        return kept.images[places][order], found[order], None if of_class else told[order]

    return run


def shown(resident: Resident, raw: Raw | None) -> list[dict[str, str]]:
    """raw [N, ...] -> of each, what the condition's controls hold under it."""
    encoder = resident.model.encoder
    columns = [] if raw is None else encoder.decode(raw)[encoder.form]
    return [texts(encoder.fields(), values) for values in columns]


def real_pictures(model: ConditionalGAN) -> Images | None:
    """Those kept of the model's data set, if they have the size of its own."""
    kept = loaded(specimens.load, model)
    fits = kept and (kept.channels, kept.size) == (model.config.channels, model.config.size)
    return kept if fits else None


def _choices(encoder: ConditionEncoder) -> tuple[str, ...]:
    """Those of a condition's only field, if it has any."""
    fields = encoder.fields()
    return fields[0].choices if len(fields) == 1 and isinstance(fields[0], Choice) else ()
