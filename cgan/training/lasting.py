"""What of its options and data a run must find again when it is resumed, and what may have changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from cgan.conditions import Condition, Range
from cgan.config import Config, ModelConfig, from_json, replace, to_json

PASSING = frozenset(("examples", "low", "high"))  # of a condition: what new pictures may change


def goes_on(earlier: Config, config: Config, kimg: float) -> bool:
    """Whether a run of `earlier` that has seen so many pictures is one of `config` too. How often it is saved
    and measured may be another and, as long as the learning rates fall in neither and no snapshots are due
    at parts of it, its length."""
    free = ["checkpoint_kimg", "evaluate_kimg"]
    runs = earlier.training, config.training
    if kimg <= config.training.kimg and all(run.rate(kimg) == 1 and not run.snapshots for run in runs):
        free += ["kimg", "decay_kimg"]
    same = {f"training__{name}": getattr(config.training, name) for name in free}
    return replace(earlier, **same) == config


def lasting(condition: Any) -> Any:
    """What of a condition's JSON must not change in a run: all but its examples and ranges."""
    if isinstance(condition, Mapping):
        return {key: lasting(value) for key, value in condition.items() if key not in PASSING}
    return [lasting(item) for item in condition] if isinstance(condition, list) else condition


def with_ranges(
    config: ModelConfig, earlier: Mapping[str, Any] | None, tell: Callable[[str], None]
) -> ModelConfig:
    """`config`, which the data completed, with the ranges of an earlier condition's JSON: its networks have
    learned what they mean. Tells so where the data's are others. What lasts must be the same, else nothing is
    changed."""
    found = to_json(config.condition)
    if earlier is None or lasting(earlier) != lasting(found):
        return config
    examples = {key: value for key, value in found.items() if key == "examples"}
    kept: Condition = from_json(Condition, {**earlier, **examples})
    if kept != config.condition:
        fields = (field for field in kept.build().fields() if isinstance(field, Range))
        ranges = ", ".join(f"{field.name} from {field.low:g} to {field.high:g}" for field in fields)
        tell(f"the run goes on with the ranges it began with ({ranges}); numbers beyond count as the ends")
    return dataclasses.replace(config, condition=kept)
