"""Data sets that torchvision reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F

from cgan.data.base import Images, Split


@dataclass(frozen=True, kw_only=True)
class MNIST:
    """Handwritten digits, 60,000 + 10,000, 28x28 grey (LeCun, Cortes & Burges)."""

    title: ClassVar[str] = "MNIST"
    source: ClassVar[str] = "MNIST"  # the class in torchvision.datasets
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    channels: ClassVar[int] = 1

    size: int = 28

    def __post_init__(self):
        if not 8 <= self.size <= 128:
            raise ValueError(f"dataset.size must be from 8 to 128 pixels, got {self.size}")

    def load(self, root: Path, split: Split, download: bool = False) -> Images:
        """uint8 [N, 1, size, size]; 28 pixels are centred on a black ground of 32, or scaled to any other
        size.

        Raises FileNotFoundError if `root` does not hold the files and `download` is off.
        """
        from torchvision import datasets  # here, because it takes longer to import than the demo to start

        try:
            data = getattr(datasets, self.source)(root, train=split == "train", download=download)
        except RuntimeError as error:
            raise FileNotFoundError(
                f"no {self.title} under {root}: --data-root must be a torchvision data root (or --download)"
            ) from error
        images = data.data.unsqueeze(1)
        if self.size == 32:
            images = F.pad(images, (2, 2, 2, 2))
        elif self.size != 28:
            scaled = F.interpolate(
                images.float(), size=(self.size, self.size), mode="bilinear", antialias=True
            )
            images = scaled.round().clamp(0, 255).to(torch.uint8)
        return Images(images, {"label": data.targets.long(), "classes": self.classes})


@dataclass(frozen=True, kw_only=True)
class FashionMNIST(MNIST):
    """Articles of clothing, 60,000 + 10,000, 28x28 grey (Xiao, Rasul & Vollgraf 2017)."""

    title: ClassVar[str] = "Fashion-MNIST"
    source: ClassVar[str] = "FashionMNIST"
    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    )  # fmt: skip
