"""Snapshots of a generator along its training, to watch it learn.

Weights are kept in 8 bits with one scale a row, half of half precision's size, so that a dozen snapshots of every
bundled model fit the repository; buffers and vectors are kept in half precision.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cgan.model import TIMELINE, ConditionalGAN, ModelError, fill


def compress(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices and kernels as int8 [R, ...] beside scales float16 [R, 1, ...], the rest as float16."""
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.ndim >= 2:
            peak = tensor.abs().amax(dim=tuple(range(1, tensor.ndim)), keepdim=True).clamp(min=1e-4)
            scale = (peak / 127).half()
            packed[f"{name}.int8"] = (
                (tensor / scale.float()).round().clamp(-127, 127).to(torch.int8).contiguous()
            )
            packed[f"{name}.scale"] = scale
        else:
            packed[name] = tensor.half() if tensor.is_floating_point() else tensor.clone()
    return packed


def expand(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `compress`, in float32."""
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(".int8"):
            name = name.removesuffix(".int8")
            state[name] = tensor.float() * packed[f"{name}.scale"].float()
        elif not name.endswith(".scale"):
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def marks(kimg: float, count: int) -> list[float]:
    """`count` points in kimg from 0 to the end of training, denser at the beginning, where most is learned."""
    return [kimg * (k / max(count - 1, 1)) ** 2 for k in range(count)]


def player_state(model: ConditionalGAN) -> dict[str, Tensor]:
    """The weights that make pictures: everything but the discriminator's."""
    return {name: t for name, t in model.state_dict().items() if not name.startswith("discriminator.")}


def write(folder: Path, snapshots: list[tuple[float, dict[str, Tensor]]]) -> None:
    """Write (kimg, compressed state) pairs."""
    tensors = {
        f"{k}/{name}": tensor for k, (_, state) in enumerate(snapshots) for name, tensor in state.items()
    }
    save_file(tensors, folder / TIMELINE, {"kimg": json.dumps([kimg for kimg, _ in snapshots])})


class Timeline:
    """Reads snapshots one by one. ModelError if the file is missing or damaged."""

    def __init__(self, folder: Path):
        self.path = Path(folder) / TIMELINE
        try:
            with safe_open(self.path, framework="pt") as file:
                self.kimg: list[float] = [float(value) for value in json.loads(file.metadata()["kimg"])]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self.path}: not a timeline ({error})") from error

    def __len__(self) -> int:
        return len(self.kimg)

    def load_into(self, model: ConditionalGAN, index: int) -> None:
        """Put snapshot `index` into the model's encoder and generator. IndexError if there is no such snapshot."""
        if not 0 <= index < len(self):
            raise IndexError(f"snapshot must be from 0 to {len(self) - 1}, got {index}")
        prefix = f"{index}/"
        with safe_open(self.path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            state = expand({name[len(prefix) :]: file.get_tensor(name) for name in names})
        critic = {name: t for name, t in model.state_dict().items() if name.startswith("discriminator.")}
        fill(model, state | critic, self.path)
