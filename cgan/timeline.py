"""Snapshots of a generator along its training, to watch it learn.

Tensors of two or more dimensions are kept in 8 bits with one scale a row, half of half precision's size,
since what is bundled must fit the repository; the others are kept in half precision.
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cgan.atomic import replacing
from cgan.memory import unfilled
from cgan.model import (
    TIMELINE,
    ConditionalGAN,
    ModelError,
    Shape,
    check_size,
    fill,
    match,
    one_line,
    shapes_of,
)

BANK = "encoder.bank"
MEMORY = 32 * 2**20  # bytes of snapshots that are kept ready for one model
Ready = TypeVar("Ready")  # a snapshot, as its user needs it


def compress(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Two or more dimensions as int8 [R, ...] beside scales float16 [R, 1, ...], the rest as float16. What
    the data give and training leaves as it is, is not kept."""
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name == BANK:
            continue
        if _in_8_bits(tensor):
            peak = tensor.abs().amax(dim=tuple(range(1, tensor.ndim)), keepdim=True).clamp(min=1e-4)
            scale = (peak / 127).half()
            packed[f"{name}.int8"] = (
                (tensor / scale.float()).round().clamp(-127, 127).to(torch.int8).contiguous()
            )
            packed[f"{name}.scale"] = scale
        else:
            packed[name] = tensor.half() if tensor.is_floating_point() else tensor.clone()
    return packed


def packed_shapes(state: dict[str, Tensor]) -> dict[str, Shape]:
    """Names and shapes of what `compress` makes of it."""
    shapes: dict[str, Shape] = {}
    for name, tensor in state.items():
        if name == BANK:
            continue
        if _in_8_bits(tensor):
            shapes[f"{name}.int8"] = tuple(tensor.shape)
            shapes[f"{name}.scale"] = (len(tensor), *[1] * (tensor.ndim - 1))
        else:
            shapes[name] = tuple(tensor.shape)
    return shapes


def _in_8_bits(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.ndim >= 2


def expand(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `compress`, in float32."""
    state: dict[str, Tensor] = {}
    scales = {name.removesuffix(".int8") + ".scale" for name in packed if name.endswith(".int8")}
    for name in packed.keys() - scales:
        tensor = packed[name]
        if name.endswith(".int8"):
            name = name.removesuffix(".int8")
            state[name] = tensor.float() * packed[f"{name}.scale"].float()
        else:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def marks(kimg: float, count: int) -> list[float]:
    """`count` points in kimg from 0 to the end of training, denser at first, where most is learned; one alone
    is the end."""
    return [kimg * (k / (count - 1)) ** 2 for k in range(count)] if count != 1 else [kimg]


def write(folder: Path, snapshots: list[tuple[float, dict[str, Tensor]]]) -> None:
    """Write (kimg, compressed state) pairs."""
    tensors = {
        f"{k}/{name}": tensor for k, (_, state) in enumerate(snapshots) for name, tensor in state.items()
    }
    with replacing(folder / TIMELINE) as partial:
        save_file(tensors, partial, {"kimg": json.dumps([kimg for kimg, _ in snapshots])})


def read(folder: Path) -> list[tuple[float, dict[str, Tensor]]]:
    """The inverse of `write`. ModelError if the file is missing or damaged."""
    timeline = Timeline(folder)
    return [(kimg, timeline.packed(index)) for index, kimg in enumerate(timeline.kimg)]


class Timeline:
    """Reads snapshots one by one. ModelError if the file is missing or damaged."""

    def __init__(self, folder: Path):
        self.path = Path(folder) / TIMELINE
        check_size(self.path)
        try:
            with safe_open(self.path, framework="pt") as file:
                self.kimg = [float(value) for value in json.loads(file.metadata()["kimg"])]
            if not all(math.isfinite(kimg) for kimg in self.kimg):
                raise ValueError("kimg must be numbers")
        except (OSError, SafetensorError, LookupError, TypeError, ValueError, ArithmeticError,
                RecursionError) as error:  # fmt: skip
            raise ModelError(f"{self.path}: not a timeline ({one_line(error)})") from error

    def __len__(self) -> int:
        return len(self.kimg)

    def packed(self, index: int) -> dict[str, Tensor]:
        """Snapshot `index` as it was compressed. IndexError if there is none, ModelError if it is damaged."""
        if not 0 <= index < len(self):
            raise IndexError(f"snapshot must be from 0 to {len(self) - 1}, got {index}")
        prefix = f"{index}/"
        try:
            with safe_open(self.path, framework="pt") as file:
                names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
                return {name[len(prefix) :]: file.get_tensor(name) for name in names}
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{self.path}: snapshot {index} is damaged ({one_line(error)})") from error

    def load_into(self, model: ConditionalGAN, index: int) -> None:
        """Put snapshot `index` into the model's encoder and generator, and leave its discriminator.

        IndexError if there is no such snapshot, ModelError if it does not fit the model.
        """
        packed = self.packed(index)  # mapped: what does not fit takes no memory
        match(packed_shapes(model.sampler_state()), shapes_of(packed), self.path)
        kept = model.critic_state() | {name: t for name, t in model.state_dict().items() if name == BANK}
        fill(model, expand(packed) | kept, self.path)


class Snapshots(Generic[Ready]):
    """A model as it was along its training. The snapshots used last stay in memory, so that one can go back
    and forth among them; several threads may ask."""

    def __init__(
        self,
        model: ConditionalGAN,
        folder: Path,
        ready: Callable[[ConditionalGAN], Ready],
        memory: int = MEMORY,
    ):
        """`ready`: makes of a snapshot's encoder and generator, in evaluation mode and without a
        discriminator, what is kept. `memory`: the most bytes of their weights; the one asked for last is
        always kept. ModelError if the folder's timeline is missing or damaged."""
        self.timeline, self.memory = Timeline(folder), memory
        self._model, self._make = model, ready
        self._ready: OrderedDict[int, tuple[Ready, int]] = OrderedDict()  # and bytes
        self._lock = threading.Lock()

    @property
    def kimg(self) -> list[float]:
        """When each was taken, in thousands of training pictures."""
        return self.timeline.kimg

    def __len__(self) -> int:
        return len(self.timeline)

    def __getitem__(self, index: int) -> Ready:
        """Snapshot `index`. IndexError if there is none, ModelError if it does not fit the model."""
        with self._lock:
            if index not in self._ready:
                model = self._load(index)
                self._ready[index] = self._make(model), _bytes(model)
            self._ready.move_to_end(index)
            while len(self._ready) > 1 and sum(size for _, size in self._ready.values()) > self.memory:
                self._ready.popitem(last=False)
            return self._ready[index][0]

    def _load(self, index: int) -> ConditionalGAN:
        with unfilled():
            made = ConditionalGAN(self._model.config)
        made.load_state_dict(self._model.state_dict(), assign=True)  # shared, until replaced
        self.timeline.load_into(made, index)
        del made.discriminator
        return made.eval().requires_grad_(False)


def _bytes(model: ConditionalGAN) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
