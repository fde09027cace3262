"""Data sets that torchvision reads, all by the same few lines: its class, its pictures as a tensor, resized.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cgan.data.base import Images, Split
from cgan.data.files import Notes, read_files, read_picture
from cgan.types import Attribute


def _open(source: str, title: str, root: Path, download: bool, **options: Any) -> Any:
    """A data set of torchvision's. FileNotFoundError if `root` does not hold its files, ValueError if they
    are damaged."""
    from torchvision import datasets  # here, because it takes longer to import than the demo to start

    try:
        return getattr(datasets, source)(root, download=download, **options)
    except (RuntimeError, OSError) as error:
        why = f"; the download failed: {' '.join(str(error).split())}" if download else " (or --download)"
        raise FileNotFoundError(
            f"no {title} under {root}: --data-root must be a torchvision data root{why}"
        ) from error
    except (ValueError, EOFError, AssertionError) as error:
        raise ValueError(f"{title} under {root} is damaged ({error}): fetch it anew") from error


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
        """uint8 [N, C, size, size]; 28 pixels are centred on a black ground of 32, or scaled to any other
        size.

        Raises FileNotFoundError if `root` does not hold the files and `download` is off.
        """
        data = _open(self.source, self.title, root, download, train=split == "train", **self._options())
        images, labels = self._tensors(data)
        return Images(_resized(images, self.size), {"label": labels, "classes": self.classes})

    def _options(self) -> dict[str, Any]:
        """What else torchvision's class asks for."""
        return {}

    def _tensors(self, data: Any) -> tuple[Tensor, Tensor]:
        """uint8 [N, C, H, W] and int64 [N]."""
        return data.data.unsqueeze(1), data.targets.long()


def _resized(images: Tensor, size: int) -> Tensor:
    native = images.shape[-1]
    if (native, size) == (28, 32):
        return F.pad(images, (2, 2, 2, 2))
    if native == size:
        return images
    scaled = F.interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)
    return scaled.round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True, kw_only=True)
class FashionMNIST(MNIST):
    """Articles of clothing, 60,000 + 10,000, 28x28 grey (Xiao, Rasul & Vollgraf 2017)."""

    title: ClassVar[str] = "Fashion-MNIST"
    source: ClassVar[str] = "FashionMNIST"
    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class KMNIST(MNIST):
    """Ten cursive hiragana, 60,000 + 10,000, 28x28 grey (Clanuwat et al. 2018)."""

    title: ClassVar[str] = "Kuzushiji-MNIST"
    source: ClassVar[str] = "KMNIST"
    classes: ClassVar[tuple[str, ...]] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@dataclass(frozen=True, kw_only=True)
class EMNIST(MNIST):
    """Handwritten letters, 28x28 grey (Cohen et al. 2017): 26 letters, of either case, 124,800 + 20,800; or
    balanced, 47 digits, capitals and such small letters as look different, 112,800 + 18,800."""

    title: ClassVar[str] = "EMNIST"
    source: ClassVar[str] = "EMNIST"

    part: Literal["letters", "balanced"] = "letters"

    @property
    def classes(self) -> tuple[str, ...]:  # not the same for every EMNIST
        if self.part == "letters":
            return tuple(string.ascii_lowercase)
        return tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")

    def _options(self) -> dict[str, Any]:
        return {"split": self.part}

    def _tensors(self, data: Any) -> tuple[Tensor, Tensor]:
        """Its files hold the pictures on their side, and count the letters from 1."""
        return data.data.mT.unsqueeze(1), data.targets.long() - int(self.part == "letters")


@dataclass(frozen=True, kw_only=True)
class CIFAR10(MNIST):
    """Photographs of ten kinds of things, 50,000 + 10,000, 32x32 colour (Krizhevsky 2009)."""

    title: ClassVar[str] = "CIFAR-10"
    source: ClassVar[str] = "CIFAR10"
    classes: ClassVar[tuple[str, ...]] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    channels: ClassVar[int] = 3

    size: int = 32

    def _tensors(self, data: Any) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(data.targets)


CELEBA = (
    "five_o_clock_shadow", "arched_eyebrows", "attractive", "bags_under_eyes", "bald", "bangs",
    "big_lips", "big_nose", "black_hair", "blond_hair", "blurry", "brown_hair", "bushy_eyebrows",
    "chubby", "double_chin", "eyeglasses", "goatee", "gray_hair", "heavy_makeup", "high_cheekbones",
    "male", "mouth_slightly_open", "mustache", "narrow_eyes", "no_beard", "oval_face", "pale_skin",
    "pointy_nose", "receding_hairline", "rosy_cheeks", "sideburns", "smiling", "straight_hair",
    "wavy_hair", "wearing_earrings", "wearing_hat", "wearing_lipstick", "wearing_necklace",
    "wearing_necktie", "young",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CelebA:
    """Faces of celebrities with 40 attributes, 162,770 + 19,962 photographs of 178x218 pixels (Liu et al.
    2015), of which the middle 178x178 are kept. The attributes' names and judgements are the authors'."""

    title: ClassVar[str] = "CelebA"
    classes: ClassVar[tuple[str, ...]] = ()
    channels: ClassVar[int] = 3
    attribute_fields: ClassVar[tuple[Attribute, ...]] = tuple(Attribute(n, ("no", "yes")) for n in CELEBA)

    size: int = 64

    def __post_init__(self):
        if not 8 <= self.size <= 178:
            raise ValueError(f"dataset.size must be from 8 to 178 pixels, got {self.size}")

    def load(self, root: Path, split: Split, download: bool = False) -> Images:
        """uint8 [N, 3, size, size], 2 GB of them at 64 pixels, and "attributes" float32 [N, 40], 0 or 1.

        Raises FileNotFoundError if `root` does not hold the files and `download` is off, ValueError if none
        of them can be read.
        """
        data = _open("CelebA", self.title, root, download, split=split)
        folder, notes = Path(data.root) / data.base_folder / "img_align_celeba", Notes()

        def read(name: str) -> tuple[np.ndarray, ...]:
            return (read_picture(folder / name, self.size, self.channels),)

        rows, images = read_files(data.filename, read, str, notes)
        notes.close()
        if not rows:
            raise ValueError(f"{folder} holds no picture that can be read")
        targets = {"attributes": data.attr[rows].float(), "attribute_fields": self.attribute_fields}
        return Images(images[0], targets)
