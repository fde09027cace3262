"""What a data set is: all pictures as one uint8 tensor, and what is known of each.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from torch import Tensor

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Images:
    """A loaded data set, small enough to be resident."""

    images: Tensor  # [N, C, H, W] uint8
    targets: Mapping[str, Any] = field(
        default_factory=dict
    )  # "label" int64 [N], "classes" tuple of names, ...
    notes: tuple[str, ...] = ()  # on how a person's own data were understood, a line each

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> int:
        return self.images.shape[1]

    @property
    def size(self) -> int:
        """Height and width in pixels."""
        return self.images.shape[-1]


class Dataset(Protocol):
    """Options of a data set, registered in `cgan.data`."""

    title: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]
    channels: ClassVar[int]
    size: int  # height and width in pixels

    def load(self, root: Path, split: Split, download: bool = False) -> Images:
        """All pictures of a split under `root`. FileNotFoundError says what is missing and how to get it."""
