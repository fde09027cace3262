"""A conditional GAN: the condition's encoder, the generator and, where it is wanted, the discriminator.

A model folder is read as data only: config.json and safetensors. Whatever does not fit exactly is refused.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cgan import rng
from cgan.config import ModelConfig, from_json, to_json
from cgan.types import Cond, Raw

FORMAT_VERSION = 1
CONFIG, WEIGHTS, DISCRIMINATOR = "config.json", "model.safetensors", "discriminator.safetensors"
METRICS, TIMELINE, SAMPLES, CARD = "metrics.json", "timeline.safetensors", "samples.png", "README.md"
FOLDER_FILES = (CONFIG, WEIGHTS, DISCRIMINATOR, METRICS, TIMELINE, SAMPLES, CARD)
JSON_LIMIT, TENSOR_LIMIT = 4 * 2**20, 2**30  # bytes


class ModelError(ValueError):
    """A model folder that can't be used, in one line."""


class ConditionalGAN(nn.Module):
    """(noise, what was asked) -> picture, and the critic that judges it."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.encoder = config.condition.build()
        shape = (self.encoder.vector_dim, self.encoder.spatial_channels, config.size, config.channels)
        self.generator = config.generator.build(*shape)
        self.discriminator = config.discriminator.build(
            *shape, self.encoder.auxiliary_dim if config.auxiliary else 0
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

    def null_cond(self, count: int) -> Cond:
        """The embedded 'no condition' of `count` pictures."""
        return self.encoder.embed(self.encoder.null(count))

    def save(self, folder: Path) -> None:
        """Write config.json, model.safetensors and discriminator.safetensors (half precision) into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {"format_version": FORMAT_VERSION, "model": to_json(self.config)}
        write_json(folder / CONFIG, config)
        state = self.state_dict()
        player = {
            name: tensor.contiguous()
            for name, tensor in state.items()
            if not name.startswith("discriminator.")
        }
        critic = {name: _half(tensor) for name, tensor in state.items() if name.startswith("discriminator.")}
        save_file(player, folder / WEIGHTS)
        save_file(critic, folder / DISCRIMINATOR)

    @classmethod
    def load(cls, folder: Path) -> ConditionalGAN:
        """The model of a folder, in evaluation mode, on the CPU.

        Raises ModelError, in one line, if anything is missing, truncated, oversized, of another shape or version.
        """
        folder = Path(folder)
        data = read_json(folder / CONFIG)
        if data.get("format_version") != FORMAT_VERSION:
            raise ModelError(
                f"{folder / CONFIG}: format_version is {data.get('format_version')!r}, this program reads {FORMAT_VERSION}"
            )
        try:
            config = from_json(ModelConfig, data.get("model"), "model")
            model = cls(config)
        except (ValueError, TypeError, RuntimeError) as error:
            raise ModelError(f"{folder / CONFIG}: {error}") from error
        state = read_tensors(folder / WEIGHTS)
        state |= read_tensors(folder / DISCRIMINATOR)
        fill(model, state, folder)
        return model.eval().requires_grad_(False)


def fill(module: nn.Module, state: dict[str, Tensor], source: Path) -> None:
    """Load `state` into `module`, exactly. ModelError names the first tensor that is missing, unknown or misshaped."""
    expected = module.state_dict()
    for name in sorted(set(expected) | set(state)):
        if name not in state:
            raise ModelError(f"{source}: the weight {name} is missing")
        if name not in expected:
            raise ModelError(f"{source}: the weight {name} belongs to no part of this model")
        if state[name].shape != expected[name].shape:
            raise ModelError(
                f"{source}: the weight {name} is {tuple(state[name].shape)}, "
                f"config.json asks for {tuple(expected[name].shape)}"
            )
        if state[name].is_floating_point() and not state[name].isfinite().all():
            raise ModelError(f"{source}: the weight {name} is not finite")
    module.load_state_dict(state)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. ModelError if it is missing, too large or no JSON object."""
    _check_size(path, JSON_LIMIT)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: must hold a JSON object, holds a {type(data).__name__}")
    return data


def write_json(path: Path, data: Any) -> None:
    """Write JSON that a person can read."""
    path.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. ModelError if it is missing, truncated, oversized or something else."""
    _check_size(path, TENSOR_LIMIT)
    try:
        return load_file(path)
    except (SafetensorError, OSError, struct.error) as error:
        raise ModelError(f"{path}: not a whole safetensors file ({error})") from error


def _check_size(path: Path, limit: int) -> None:
    if not path.is_file():
        raise ModelError(f"{path}: missing; a model folder holds {CONFIG}, {WEIGHTS} and {DISCRIMINATOR}")
    if path.stat().st_size > limit:
        raise ModelError(f"{path}: {path.stat().st_size} bytes, more than the {limit} allowed")


def _half(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor.contiguous()
