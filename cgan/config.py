"""A run's configuration: nested, keyword-only, frozen dataclasses, their JSON and their command-line flags.

What is registered (data sets, conditions, norms, losses, regularisers) stands in the JSON as {"name":
NAME, options}. Both the JSON and the flags follow from the dataclasses' fields and are never edited beside
them.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from cgan.augment import DiffAugment
from cgan.conditions import CONDITIONS, Condition
from cgan.data import DATASETS, Dataset
from cgan.losses import LOSSES, Loss
from cgan.networks import NORMS, DiscriminatorOptions, GeneratorOptions, Norm
from cgan.networks.layers import GROUP
from cgan.registry import Registry, closest
from cgan.regularizers import REGULARIZERS, Regularizer
from cgan.rng import SEED_LIMIT

REGISTRIES: dict[Any, Registry] = {
    Dataset: DATASETS,
    Condition: CONDITIONS,
    Norm: NORMS,
    Loss: LOSSES,
    Regularizer: REGULARIZERS,
}


@dataclass(frozen=True, kw_only=True)
class AdamOptions:
    """Adam (Kingma & Ba 2015)."""

    lr: float = 2e-4
    beta1: float = 0.0
    beta2: float = 0.99

    def __post_init__(self):
        if not (0 < self.lr < math.inf and 0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ValueError("an optimiser needs a finite lr above 0 and beta1, beta2 in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How long and how. Progress is counted in thousands of real pictures shown (kimg)."""

    kimg: float = 3000  # length
    batch: int = 128  # pictures in a step, of all processes together
    seed: int = 0  # of weights, order and noise
    generator_optimizer: AdamOptions = AdamOptions()
    discriminator_optimizer: AdamOptions = AdamOptions()
    discriminator_steps: int = 1  # discriminator updates for each of the generator's
    encoder_lr: float = 0.0  # of the condition's encoder; 0 for the discriminator's
    encoder_kimg: float = 0.0  # how long the encoder first learns alone, if the run begins from another model
    decay_kimg: float = 0.0  # length of the linear fall of all learning rates to 0 at the end; 0 for none
    ema_kimg: float = 10.0  # half-life of the generator's running average
    clip_gradients: float = 0.0  # largest norm of each player's gradient; 0 for no clipping
    clip_weights: float = 0.0  # largest size of each of the discriminator's weights; 0 for no clipping
    condition_dropout: float = 0.0  # share of pictures whose condition is withheld, for guidance
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: bfloat16 where it is native
    threads: int = 0  # CPU threads; 0 for torch's own choice
    checkpoint_kimg: float = 100.0  # how often the run is saved
    evaluate_kimg: float = (
        250.0  # quick evaluation of the averaged generator and a sample grid; 0 for neither
    )
    snapshots: int = 14  # generators kept along training, denser at the beginning

    def __post_init__(self):
        lengths = 0 < self.kimg < math.inf and 0 < self.checkpoint_kimg < math.inf
        if not lengths or self.batch < 2 or self.discriminator_steps < 1:
            raise ValueError(
                "training.kimg and training.checkpoint_kimg must be numbers above 0, training.batch at "
                "least 2, training.discriminator_steps at least 1"
            )
        if not 0 <= self.seed < SEED_LIMIT:
            raise ValueError(
                f"training.seed must be a whole number from 0 to {SEED_LIMIT - 1}, got {self.seed}"
            )
        for name in ("encoder_lr", "encoder_kimg", "decay_kimg", "ema_kimg", "evaluate_kimg",
                     "clip_gradients", "clip_weights", "threads", "snapshots"):  # fmt: skip
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise ValueError(f"training.{name} must be a number from 0 up, got {value}")
        if not 0 <= self.condition_dropout < 1:
            raise ValueError(f"training.condition_dropout must be in [0, 1), got {self.condition_dropout}")

    def rate(self, kimg: float) -> float:
        """The share of the learning rates after so many pictures: 1 until they fall, which in a run shorter
        than `decay_kimg` is from its beginning."""
        left = max(self.kimg - kimg, 0.0)
        return min(1.0, left / min(self.decay_kimg, self.kimg)) if self.decay_kimg else 1.0


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that is needed to build the networks; written to a model folder's config.json."""

    dataset: Dataset
    condition: Condition
    generator: GeneratorOptions
    discriminator: DiscriminatorOptions
    auxiliary: bool  # whether the discriminator carries the auxiliary classifier
    size: int  # height and width of the pictures
    channels: int

    def __post_init__(self):
        if not 4 <= self.size <= 1024 or self.channels not in (1, 3):
            found = f"{self.size} and {self.channels}"
            raise ValueError(f"pictures must be 4 to 1024 pixels wide and have 1 or 3 channels, got {found}")


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole run."""

    dataset: Dataset
    condition: Condition
    generator: GeneratorOptions = GeneratorOptions()
    discriminator: DiscriminatorOptions = DiscriminatorOptions()
    loss: Loss = field(default_factory=LOSSES["bce"])
    regularizers: Mapping[str, Regularizer] = field(default_factory=dict)
    augment: DiffAugment = DiffAugment()
    training: TrainingOptions = TrainingOptions()

    def __post_init__(self):
        spectral = isinstance(self.discriminator.norm, NORMS["spectral"])
        penalties = {"r1", "r2", "gradient-penalty"} & set(self.regularizers)
        clipped = self.training.clip_weights > 0
        if isinstance(self.loss, LOSSES["wasserstein"]) and not (spectral or penalties or clipped):
            raise ValueError(
                "loss wasserstein needs something that bounds the discriminator: training.clip_weights, "
                "a gradient-penalty, r1 or r2 regulariser, or discriminator.norm spectral"
            )
        if clipped and spectral:
            raise ValueError(
                "training.clip_weights does not go with discriminator.norm spectral, which sets the scale"
            )
        if self.discriminator.norm.batch_statistics and penalties:
            raise ValueError(
                f"discriminator.norm batch does not go with {min(penalties)}, a penalty on each "
                "picture's own gradient: choose layer, virtual, spectral or none"
            )
        batch, reference = self.training.batch, self.discriminator.norm.reference
        if self.discriminator.minibatch_std and (batch % GROUP or reference % GROUP):
            also = f" and a discriminator.norm.reference (got {reference})" if reference else ""
            raise ValueError(
                f"discriminator.minibatch_std needs a training.batch (got {batch}){also} that is divisible "
                f"by {GROUP}, else a group holds real and generated pictures"
            )
        if self.training.encoder_kimg and "auxiliary" not in self.regularizers:
            raise ValueError(
                "training.encoder_kimg needs regularizers.auxiliary, from which the encoder learns"
            )
        self._check_effect()

    def _check_effect(self) -> None:
        """ValueError if an option is set that would change nothing. Models that have it can still be
        loaded."""
        if self.generator.block == "transposed" and self.generator.to_image != "convolution":
            raise ValueError(
                f"generator.to_image {self.generator.to_image} does not go with generator.block transposed, "
                "whose last block makes the picture: set it to convolution"
            )
        if self.discriminator.count == 1 and self.discriminator.combine != "mean":
            raise ValueError(
                f"discriminator.combine {self.discriminator.combine} needs discriminator.count above 1"
            )

    def model(self, targets: Mapping[str, Any], size: int, channels: int) -> ModelConfig:
        """The networks for a data set of these targets and picture dimensions. ValueError if the targets
        lack what the condition reads or contradict its options, or a regulariser or encoder_kimg does not go
        with the condition."""
        condition, auxiliary = self.condition.fit(targets), "auxiliary" in self.regularizers
        for option in dataclasses.fields(condition):
            if getattr(self.condition, option.name) not in (getattr(condition, option.name), option.default):
                raise ValueError(f"condition.{option.name} follows from the data: leave it out")
        encoder = condition.build() if auxiliary else None  # which draws weights: once, as every run began
        if auxiliary and not encoder.auxiliary_dim:
            raise ValueError(
                f"regularizers.auxiliary does not go with condition {condition.form}, which the "
                "discriminator sees pixel by pixel beside the picture: set its weight to 0"
            )
        if self.training.encoder_kimg and not list(encoder.parameters()):
            raise ValueError(
                f"training.encoder_kimg does not go with condition {condition.form}, whose encoder has "
                "nothing to learn: set it to 0"
            )
        return ModelConfig(
            dataset=self.dataset,
            condition=condition,
            generator=self.generator,
            discriminator=self.discriminator,
            auxiliary=auxiliary,
            size=size,
            channels=channels,
        )


def to_json(value: Any) -> Any:
    """A config, or any part of it, as JSON-ready dicts, lists and scalars."""
    if isinstance(value, Mapping):
        return {key: {k: v for k, v in to_json(part).items() if k != "name"} for key, part in value.items()}
    if dataclasses.is_dataclass(value):
        parts = {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
        registry = next((r for r in REGISTRIES.values() if type(value) in r.values()), None)
        return {"name": registry.name_of(value), **parts} if registry else parts
    return [to_json(item) for item in value] if isinstance(value, tuple) else value


def from_json(hint: Any, data: Any, path: str = "config") -> Any:
    """The value of type `hint` that `data` describes. ValueError names the key and what it accepts."""
    if hint in REGISTRIES:
        data = {"name": data} if isinstance(data, str) else data
        if not isinstance(data, dict) or "name" not in data:
            raise ValueError(f"{path} must be a name or an object with a name, got {data!r}")
        options = {key: value for key, value in data.items() if key != "name"}
        return from_json(REGISTRIES[hint][data["name"]], options, path)
    if _is_mapping(hint):
        registry = REGISTRIES[get_args(hint)[1]]
        return {name: from_json(registry[name], part, f"{path}.{name}") for name, part in data.items()}
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, data, path)
    return _scalar(hint, data, path)


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _holds_objects(hint: Any) -> bool:
    """Whether a value is a list of objects, which only a data set gives and no flag."""
    return get_origin(hint) is tuple and dataclasses.is_dataclass(get_args(hint)[0])


def _dataclass(kind: type, data: Any, path: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{path} must be an object, got {data!r}")
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]
    for key in data:
        if key not in names:
            accepted = f"Accepted: {', '.join(names)}." if names else "It has no options."
            raise ValueError(f"unknown option {f'{path}.{key}'.lstrip('.')}.{closest(key, names)} {accepted}")
    required = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory]
    if missing := [name for name in required if name not in data]:
        raise ValueError(f"{path}.{missing[0]} is missing")
    return kind(
        **{key: from_json(hints[key], value, f"{path}.{key}".lstrip(".")) for key, value in data.items()}
    )


def _scalar(hint: Any, data: Any, path: str) -> Any:
    if get_origin(hint) is tuple and isinstance(data, list | tuple):
        kinds = get_args(hint)
        if kinds[-1] is not Ellipsis and len(kinds) != len(data):
            raise ValueError(f"{path} must be {len(kinds)} values, got {len(data)}")
        return tuple(from_json(kinds[0], item, path) for item in data)
    if get_origin(hint) is Literal and data in get_args(hint):
        return data
    if hint is float and type(data) in (int, float):
        return float(data)
    if isinstance(hint, type) and type(data) is hint:
        return data
    raise ValueError(f"{path} must be {describe(hint)}, got {data!r}")


def describe(hint: Any) -> str:
    """A type in a person's words."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    if get_origin(hint) is tuple:
        return f"a list of {describe(get_args(hint)[0])}s"
    if hint in REGISTRIES:
        return "one of " + ", ".join(REGISTRIES[hint])
    return {int: "whole number", float: "number", bool: "true or false", str: "text"}.get(hint, str(hint))


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for every option of a Config: --generator.noise_dim 64, --loss hinge, --regularizers.r1.weight
    1."""
    _flags(parser, Config, "", "parts")


def _flags(parser: argparse._ActionsContainer, kind: type, prefix: str, title: str) -> None:
    """A group of the flags of `kind`, if it has any; those that an earlier choice has too are named."""
    group = parser.add_argument_group(title, inspect.getdoc(kind).split("\n\n")[0])
    known, shared = parser._option_string_actions, []
    for name, hint in typing.get_type_hints(kind).items():
        if name not in {f.name for f in dataclasses.fields(kind)}:
            continue
        path = f"{prefix}{name}"
        if _is_mapping(hint):
            for entry, option in REGISTRIES[get_args(hint)[1]].items():
                _flags(parser, option, f"{path}.{entry}.", f"{path} {entry}")
        elif hint in REGISTRIES:
            _flag(group, path, "NAME", hint)
            for entry, option in REGISTRIES[hint].items():
                _flags(parser, option, f"{path}.", f"{path} {entry}")
        elif dataclasses.is_dataclass(hint):
            _flags(parser, hint, f"{path}.", path)
        elif f"--{path}" in known:
            shared.append(f"--{path}")
        elif not _holds_objects(hint):
            _flag(group, path, "X", hint)
    if shared:
        group.description += f"\nAlso {', '.join(shared)}."
    elif not group._group_actions:
        parser._action_groups.remove(group)


def _flag(group: argparse._ActionsContainer, path: str, metavar: str, hint: Any) -> None:
    """A flag whose text is found under its path, dashes and all."""
    about = {"dest": path, "metavar": metavar, "help": describe(hint), "default": argparse.SUPPRESS}
    group.add_argument(f"--{path}", **about)


def override(config: Config, flags: Mapping[str, str]) -> Config:
    """`config` with flags {dotted path: text} laid over it. A part chosen by name starts from that part's
    defaults.

    Raises ValueError naming the flag and what it accepts.
    """
    data = to_json(config)
    for path, text in sorted(flags.items(), key=lambda item: item[0].count(".")):
        *parents, last = path.split(".")
        node, kind = data, Config
        for parent in parents:
            kind = _child(kind, parent, node)
            node = node.setdefault(parent, {})
        hint = _child(kind, last, node)
        node[last] = {"name": text} if hint in REGISTRIES else parse_text(hint, text, path)
    data["regularizers"] = {
        name: part for name, part in data["regularizers"].items() if part.get("weight") != 0
    }
    return from_json(Config, data, "")


def _child(kind: Any, name: str, node: Mapping[str, Any]) -> Any:
    """The type of option `name` of `kind`, looking through registries and mappings."""
    if kind in REGISTRIES:
        kind = REGISTRIES[kind][node["name"]]
    if _is_mapping(kind):
        return REGISTRIES[get_args(kind)[1]][name]
    return typing.get_type_hints(kind).get(name, str)


def parse_text(hint: Any, text: str, path: str) -> Any:
    """A flag's text as a value of type `hint`; lists are comma-separated. ValueError names the flag."""
    if get_origin(hint) is tuple:
        return [parse_text(get_args(hint)[0], part, path) for part in text.split(",") if part]
    if hint is bool and text.lower() in ("true", "false", "on", "off"):
        return text.lower() in ("true", "on")
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise ValueError(f"--{path} must be a {describe(hint)}, got {text!r}") from None
    return text


def replace(config: Any, **changes: Any) -> Any:
    """dataclasses.replace at every depth, '__' for the dot of a path: replace(config, training__kimg=1)."""
    own = {path: value for path, value in changes.items() if "__" not in path}
    deeper: dict[str, dict[str, Any]] = {}
    for path in changes.keys() - own.keys():
        head, _, rest = path.partition("__")
        deeper.setdefault(head, {})[rest] = changes[path]
    parts = {head: replace(getattr(config, head), **inner) for head, inner in deeper.items()}
    return dataclasses.replace(config, **own, **parts)
