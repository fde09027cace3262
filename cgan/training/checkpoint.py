"""A checkpoint is one safetensors file, written beside the last one and then put in its place: an interrupted
write, a full disk or a killed process leaves the last good checkpoint as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cgan.atomic import replacing

CHECKPOINT = "checkpoint.safetensors"


class CheckpointError(RuntimeError):
    """A checkpoint that can't be written or read, in one line."""


def write(folder: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> Path:
    """Replace the folder's checkpoint. CheckpointError if the disk is full or the folder can't be written
    to."""
    path = folder / CHECKPOINT
    try:
        with replacing(path) as partial:
            save_file(
                {name: tensor.contiguous() for name, tensor in tensors.items()},
                partial,
                {"meta": json.dumps(meta)},
            )
    except (OSError, SafetensorError) as error:
        kept = "the last good checkpoint is kept" if path.exists() else "there is no earlier checkpoint"
        raise CheckpointError(f"{path}: can't write the checkpoint ({error}); {kept}") from error
    return path


def read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """(tensors, meta) of the folder's checkpoint, or None if it has none. CheckpointError if it is
    damaged."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["meta"])  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); move it away to start anew") from error


def pack(prefix: str, state: dict[str, Any]) -> dict[str, Tensor]:
    """A state dict of nested dicts of tensors as flat tensors named PREFIX/a/b."""
    flat: dict[str, Tensor] = {}
    for key, value in state.items():
        name = f"{prefix}/{key}"
        if isinstance(value, Tensor):
            flat[name] = value.detach().clone()
        elif isinstance(value, dict):
            flat |= pack(name, value)
    return flat


def unpack(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under PREFIX/, by the rest of their name."""
    return {
        name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore an optimiser's per-parameter state, saved by `pack(..., optimizer.state_dict()["state"])`.

    Each tensor gets its parameter's memory layout, which fused optimisers take for granted.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition("/")
        like = parameters[int(index)]
        if tensor.shape == like.shape:
            tensor = torch.empty_like(like, requires_grad=False).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
