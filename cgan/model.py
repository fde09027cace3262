"""A conditional GAN: the condition's encoder, the generator and, where it is wanted, the discriminator.

A model folder is read as data only: config.json and safetensors. Whatever does not fit exactly is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cgan import rng
from cgan.atomic import replacing
from cgan.config import ModelConfig, from_json, to_json
from cgan.memory import unfilled
from cgan.types import Raw

BUNDLED = Path(__file__).parents[1] / "assets" / "models"  # folders of the models in the box
FORMAT_VERSION = 1
CONFIG, WEIGHTS, DISCRIMINATOR = "config.json", "model.safetensors", "discriminator.safetensors"
METRICS, TIMELINE, SAMPLES, CARD = "metrics.json", "timeline.safetensors", "samples.png", "README.md"
REQUIRED_FILES = (CONFIG, WEIGHTS, DISCRIMINATOR)
FOLDER_FILES = (*REQUIRED_FILES, METRICS, TIMELINE, SAMPLES, CARD)  # all that a model folder may hold
FILE_LIMIT, TENSOR_LIMIT = 4 * 2**20, 2**30  # bytes
LONGEST_LINE = 300  # characters of what a library or a file says
DEEPEST = 50  # lists and objects of a JSON file within each other
CPU_BATCH = 16  # pictures that a CPU makes at once; more gain nothing and leave the cache
MAP_LIMIT = 2**25  # numbers that a layer makes of one picture: 128 channels of 512x512, or attention at 64
Shape: TypeAlias = tuple[int, ...]


class ModelError(ValueError):
    """A model folder that can't be used, in one line."""


class ConditionalGAN(nn.Module):
    """(noise, what was asked) -> picture, and the critic that judges it."""

    def __init__(self, config: ModelConfig):
        """ValueError if the parts do not fit together, or a layer makes too much of one picture."""
        super().__init__()
        self.config = config
        self.encoder = config.condition.build()
        shape = (self.encoder.vector_dim, self.encoder.spatial_channels, config.size, config.channels)
        self.generator = config.generator.build(*shape)
        self.discriminator = config.discriminator.build(
            *shape, self.encoder.auxiliary_dim if config.auxiliary else 0
        )
        if (largest := _largest_map(self)) > MAP_LIMIT:
            raise ValueError(
                f"a layer makes {largest} numbers of one picture, more than the {MAP_LIMIT} allowed: "
                "widths, attention, the reference batch or the condition's map are too large"
            )

    def noise(self, seed: int, count: int, first: int = 0) -> Tensor:
        """Noise [count, Z] of the samples first, first + 1, ... under `seed`, on the CPU."""
        options = self.config.generator
        return rng.noise(seed, count, options.noise_dim, options.noise, first)

    def forward(self, noise: Tensor, raw: Raw) -> Tensor:
        """noise [N, Z], raw [N, ...] -> pictures [N, C, H, W] in the generator's range."""
        return self.generator(noise, self.encoder.embed(raw))

    @torch.no_grad()
    def sample(self, noise: Tensor, raw: Raw) -> Tensor:
        """noise [N, Z], raw [N, ...] -> uint8 pictures [N, C, H, W]."""
        return self.to_uint8(self(noise, raw))

    def to_uint8(self, images: Tensor) -> Tensor:
        """Pictures in the generator's range -> uint8, rounded to the nearest."""
        low, high = self.config.generator.image_range
        return ((images.float() - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8)

    def from_uint8(self, images: Tensor) -> Tensor:
        """uint8 pictures -> float32 in the generator's range."""
        low, high = self.config.generator.image_range
        return images.float() * ((high - low) / 255) + low

    def save(self, folder: Path) -> None:
        """Write config.json, model.safetensors and discriminator.safetensors. Matrices and kernels go in half
        precision, which moves no pixel by more than a level or two; vectors (biases, statistics) stay as they
        are. All three are written before the first takes its place, so that an earlier model stays whole if
        one can't be."""
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            config, *weights = (stack.enter_context(replacing(folder / name)) for name in REQUIRED_FILES)
            write_json(config, {"format_version": FORMAT_VERSION, "model": to_json(self.config)})
            for path, state in zip(weights, (self.sampler_state(), self.critic_state()), strict=True):
                save_file({key: _stored(tensor) for key, tensor in state.items()}, path)

    def sampler_state(self) -> dict[str, Tensor]:
        """The weights that make pictures: all but the discriminator's."""
        return {name: t for name, t in self.state_dict().items() if not name.startswith("discriminator.")}

    def critic_state(self) -> dict[str, Tensor]:
        """The discriminator's weights."""
        return {name: t for name, t in self.state_dict().items() if name.startswith("discriminator.")}

    @classmethod
    def load(cls, folder: Path) -> ConditionalGAN:
        """The model of a folder, in evaluation mode, on the CPU. Links are followed (the Hub's cache).

        Raises ModelError, in one line, if anything is missing, truncated, oversized or of another shape or
        version. No memory is taken for the networks before the weights are known to be in the files.
        """
        folder = Path(folder)
        data = read_json(folder / CONFIG)
        if (version := data.get("format_version")) != FORMAT_VERSION:
            found = f"format_version is {one_line(repr(version))}, this program reads {FORMAT_VERSION}"
            raise ModelError(f"{folder / CONFIG}: {found}")
        try:
            with unfilled():
                model = cls(from_json(ModelConfig, data.get("model"), "model"))
        except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
            raise ModelError(f"{folder / CONFIG}: {one_line(error)}") from error
        state = read_tensors(folder / WEIGHTS, model.sampler_state())
        state |= read_tensors(folder / DISCRIMINATOR, model.critic_state())
        if loose := {name for name, _ in model.named_buffers()} - set(state):
            raise RuntimeError(f"buffers outside the state dict can't be restored: {sorted(loose)}")
        fill(model, state, folder)
        if model.encoder.bank is not None:
            try:
                model.encoder.check(model.encoder.bank)
            except ValueError as error:
                raise ModelError(f"{folder / WEIGHTS}: encoder.bank: {one_line(error)}") from error
        return model.eval().requires_grad_(False)


def _largest_map(model: ConditionalGAN) -> int:
    """The most numbers that a layer makes of one picture, about: channels times pixels, or, in attention,
    pixels times a quarter of them, and the condition's own map. Each picture has its share of a reference
    batch. The weights, which a file's size bounds, say nothing of it."""
    config, generator = model.config, model.config.generator
    maps = model.encoder.spatial_channels
    beside = maps and maps + generator.spatial_hidden
    if generator.block == "transposed":
        beside += model.encoder.vector_dim
    resolutions = model.generator.resolutions
    layers = [(width + beside, at) for width, at in zip(generator.widths, resolutions, strict=True)]
    layers += [(width, config.size >> level) for level, width in enumerate(config.discriminator.widths)]
    layers += [(at**2 // 4, at) for at in (*generator.attention, *config.discriminator.attention)]
    layers += [(maps and generator.spatial_hidden, config.size)]
    layers += [(maps, getattr(config.condition, "size", 0))]
    shared = max(generator.norm.reference, config.discriminator.norm.reference)
    return max(channels * at**2 for channels, at in layers) * (CPU_BATCH + shared) // CPU_BATCH


def fill(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Load `state` into `module`, exactly.

    ModelError names the first tensor that is missing, unknown, misshaped, of another kind or not finite.
    """
    expected = module.state_dict()
    match(shapes_of(expected), shapes_of(state), source)
    for name, tensor in state.items():
        if tensor.is_floating_point() != expected[name].is_floating_point():
            raise ModelError(f"{source}: the weight {name} is {tensor.dtype}, not {expected[name].dtype}")
        if tensor.is_floating_point() and not tensor.to(expected[name].dtype).isfinite().all():
            raise ModelError(f"{source}: the weight {name} is not finite")
    # Copied, because safetensors maps the file, and assigned, because what was built has no memory yet.
    owned = {name: tensor.to(expected[name].dtype, copy=True) for name, tensor in state.items()}
    module.load_state_dict(owned, assign=True)


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Names and shapes of a state dict."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def match(expected: Mapping[str, Shape], found: Mapping[str, Shape], source: Path) -> None:
    """ModelError names the first tensor that is missing, unknown or misshaped."""
    for name in sorted(set(expected) | set(found)):
        if name not in found:
            raise ModelError(f"{source}: the weight {name} is missing")
        if name not in expected:
            raise ModelError(f"{source}: the weight {one_line(repr(name))} belongs to no part of this model")
        if found[name] != expected[name]:
            raise ModelError(
                f"{source}: the weight {name} is {found[name]}, config.json asks for {expected[name]}"
            )


def read_tensors(path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a safetensors file, of the names and shapes of `like`, which may be on the meta device.

    Names and shapes are compared before any value is read. ModelError if the file is missing, truncated,
    oversized or something else.
    """
    check_size(path)
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            match(shapes_of(like), {name: tuple(file.get_slice(name).get_shape()) for name in names}, path)
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a whole safetensors file ({one_line(error)})") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. ModelError if it is missing, too large or no JSON object."""
    try:
        check_size(path)
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        _check_plain(data)
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({one_line(error)})") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON ({one_line(error)})") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: must hold a JSON object, holds a {type(data).__name__}")
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _check_plain(value: Any, depth: int = 0) -> None:
    """ValueError if a page could not be told it: a number without end, half a character, too much nesting."""
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    match value:
        case float() if not math.isfinite(value):
            raise ValueError("a number is too large")
        case str():
            value.encode()  # UnicodeEncodeError is a ValueError
        case dict():
            for part in (*value, *value.values()):
                _check_plain(part, depth + 1)
        case list():
            for part in value:
                _check_plain(part, depth + 1)


def size_limit(name: str) -> int:
    """The most bytes that a file of a model folder may have."""
    return TENSOR_LIMIT if name.endswith(".safetensors") else FILE_LIMIT


def check_size(path: Path) -> None:
    """ModelError if the file is missing, no plain file, or larger than its kind may be."""
    if not path.is_file():
        raise ModelError(f"{path}: missing; a model folder holds {', '.join(REQUIRED_FILES)}")
    if (size := path.stat().st_size) > size_limit(path.name):
        raise ModelError(f"{path}: {size} bytes, more than the {size_limit(path.name)} allowed")


def one_line(text: object) -> str:
    """What a library or a file says, fit for a one-line message."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def write_json(path: Path, data: Any) -> None:
    """Write JSON that a person can read."""
    path.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _stored(tensor: Tensor) -> Tensor:
    return (tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor).contiguous()
