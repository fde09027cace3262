"""Real training pictures, as many as fit into a small file, to look for the nearest to a picture: did the
generator learn them by heart?

`python -m cgan.neighbours build --dataset mnist --data-root DIR` writes assets/neighbours/mnist.safetensors.
Its pictures lie in one WebP sheet. Their features are not in it: the data set's judge measures thousands in
under a second, and so there is room for more pictures.

Shapes: N pictures kept, M pictures looked up, C channels, H x W pixels, F feature width, Q quantiles.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from cgan import sheet
from cgan.cli import Parser, fail
from cgan.metrics import features
from cgan.metrics.features import FeatureNetwork, read_file
from cgan.registry import closest

FOLDER = Path(__file__).parents[1] / "assets" / "neighbours"
FORMAT = "cgan-neighbours-1"
SPACES = ("features", "pixels")
FRESH, QUANTILES = 2000, 101  # test pictures behind a yardstick; points of it
GREYS = 16  # shades of a sheet without losses
SEED = 0


@dataclass(frozen=True, kw_only=True)
class NeighbourInfo:
    """What a file says of itself."""

    dataset: str
    of: int  # pictures in the training set
    size: int  # height and width in pixels
    channels: int
    judge: str  # a digest of the judge that measured the yardstick
    command: str


@dataclass(frozen=True)
class Neighbours:
    """Pictures of a training set, chosen at random, and how near to them fresh real pictures lie."""

    info: NeighbourInfo
    network: FeatureNetwork
    pictures: Tensor  # [N, C, H, W] uint8
    rows: Tensor  # [N] int64, their places in the training set
    labels: Tensor | None  # [N] int64
    yardsticks: Mapping[str, Tensor]  # by space, [Q]: quantiles of the distance from test pictures

    @cached_property
    def features(self) -> Tensor:
        """[N, F]."""
        return self.network.features(self.pictures)

    def distances(self, pictures: Tensor, space: str) -> Tensor:
        """From pictures uint8 [M, C, H, W] to those kept: [M, N]; in the judge's features the Euclidean one,
        in pixels the root mean square difference, 0 to 1."""
        if space == "features":
            return torch.cdist(self.network.features(pictures), self.features)
        flat, kept = (each.flatten(1).float() / 255 for each in (pictures, self.pictures))
        return torch.cdist(flat, kept) / flat.shape[1] ** 0.5

    def nearest(self, picture: Tensor, count: int, space: str) -> tuple[Tensor, Tensor]:
        """The `count` pictures nearest to one, uint8 [1, C, H, W]: their distances and which they are."""
        return self.distances(picture, space)[0].topk(count, largest=False)

    def rank(self, distance: float, space: str) -> float:
        """The share of test pictures that lie nearer to their own nearest picture: 0 for a copy, and on
        average 0.5 for a real picture never trained on."""
        yardstick = self.yardsticks[space]
        return int(torch.searchsorted(yardstick, distance)) / len(yardstick)

    @staticmethod
    def load(dataset: str, folder: Path = FOLDER) -> Neighbours:
        """The pictures kept of a data set.

        FileNotFoundError if there are none or there is no judge, ValueError if the file is damaged or was
        measured by another judge than the present one.
        """
        path = Path(folder) / f"{dataset}.safetensors"
        if not path.is_file():
            names = sorted(file.stem for file in Path(folder).glob("*.safetensors"))
            raise FileNotFoundError(
                f"no real pictures are kept of data set {dataset!r}.{closest(dataset, names)} There are of: "
                f"{', '.join(names) or 'none'}; keep some with: python -m cgan.neighbours build "
                f"--dataset {dataset} --data-root DIR"
            )
        network = FeatureNetwork.load(dataset)
        try:
            known, tensors = read_file(path, FORMAT)
            info = NeighbourInfo(**known)
            pictures = sheet.cut(tensors["sheet"], len(tensors["rows"]), info.size, info.channels)
        except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
            raise ValueError(f"{path.name} is no {FORMAT} file, make it again: {error}") from error
        if info.judge != digest(dataset):
            raise ValueError(f"{path.name} was measured by another judge, make it again: {info.command}")
        labels = tensors["labels"].long() if "labels" in tensors else None
        yardsticks = {space: tensors[f"yardstick.{space}"] for space in SPACES}
        return Neighbours(info, network, pictures, tensors["rows"].long(), labels, yardsticks)


def digest(dataset: str) -> str:
    """Of the file of a data set's judge."""
    file = features.FOLDER / f"{dataset}.safetensors"
    return hashlib.blake2s(file.read_bytes(), digest_size=8).hexdigest()


def _shades(pictures: Tensor) -> Tensor:
    """uint8 of any shape, with the nearest of the few shades."""
    step = 255 // (GREYS - 1)
    return ((pictures.int() + step // 2) // step * step).to(torch.uint8)


def build(dataset: str, root: Path, *, out: Path, count: int, quality: int | None) -> Neighbours:
    """Writes the file of a data set; returns what it holds.

    FileNotFoundError if the data set or its judge is missing, ValueError if there are fewer pictures.
    """
    from cgan.data import DATASETS  # the command's own need: whoever looks pictures up needs no data set

    network = FeatureNetwork.load(dataset)
    data = DATASETS[dataset]()
    training, test = (data.load(root, split) for split in ("train", "test"))
    if not 1 <= count <= len(training):
        raise ValueError(f"--count must be from 1 to {len(training)}, the training pictures, got {count}")
    rows = torch.randperm(len(training), generator=torch.Generator().manual_seed(SEED))[:count].sort().values
    labels = training.targets["label"][rows] if "label" in training.targets else None
    info = NeighbourInfo(
        dataset=dataset,
        of=len(training),
        size=training.size,
        channels=training.channels,
        judge=digest(dataset),
        command=f"python -m cgan.neighbours build --dataset {dataset} --data-root DIR --count {count}"
        + ("" if quality is None else f" --quality {quality}"),
    )
    kept = training.images[rows]
    packed = sheet.pack(_shades(kept) if quality is None else kept, quality)
    yardsticks: dict[str, Tensor] = {}
    pictures = sheet.cut(packed, count, info.size, info.channels)
    found = Neighbours(info, network, pictures, rows, labels, yardsticks)
    fresh = test.images[:FRESH].split(250)
    points = torch.linspace(0, 1, QUANTILES)
    for space in SPACES:
        nearest = torch.cat([found.distances(part, space).amin(1) for part in fresh])
        yardsticks[space] = nearest.quantile(points)
    tensors = {"sheet": packed, "rows": rows.int()} | ({} if labels is None else {"labels": labels.byte()})
    tensors |= {f"yardstick.{space}": yardstick for space, yardstick in yardsticks.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out, {"format": FORMAT, "info": json.dumps(dataclasses.asdict(info))})
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 2 after bad input."""
    parser = Parser(prog="python -m cgan.neighbours", description=__doc__.split("\n\n")[0])
    command = parser.add_subparsers(required=True).add_parser("build", help="keep pictures of a data set")
    command.add_argument("--dataset", required=True)
    command.add_argument("--data-root", type=Path, required=True)
    command.add_argument("--count", type=int, default=4000, help="pictures to keep (default: %(default)s)")
    command.add_argument("--quality", type=int, choices=range(101), metavar="0..100",
                         help=f"of the pictures; default: {GREYS} shades without losses")  # fmt: skip
    command.add_argument("--out", type=Path, help="default: assets/neighbours/DATASET.safetensors")
    options = parser.parse_args(argv)
    out = options.out or FOLDER / f"{options.dataset}.safetensors"
    try:
        found = build(
            options.dataset, options.data_root, out=out, count=options.count, quality=options.quality
        )
    except (ValueError, OSError) as error:
        return fail("python -m cgan.neighbours", error)
    middles = ", ".join(f"{space} {yardstick.median():.3g}" for space, yardstick in found.yardsticks.items())
    print(f"{out}: {len(found.rows)} of {found.info.of} pictures, {out.stat().st_size} bytes; "
          f"a test picture's nearest is at {middles}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
