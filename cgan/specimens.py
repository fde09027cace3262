"""A few real training pictures, bit for bit, each with all that the data set knows of it: what a
discriminator thinks of real ones. Those that cgan.neighbours keeps would not do: it sees a WebP's losses.

`python -m cgan.specimens build --dataset faces --data-root DIR` writes assets/specimens/faces.safetensors.

Shapes: N pictures kept, C channels, S x S pixels.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from cgan import sheet
from cgan.cli import Parser, fail
from cgan.data import DATASETS, Images
from cgan.metrics.features import read_file

FOLDER = Path(__file__).parents[1] / "assets" / "specimens"
FORMAT = "cgan-specimens-1"
SEED = 0


@dataclass(frozen=True, kw_only=True)
class SpecimenInfo:
    """What a file says of itself."""

    dataset: str
    count: int
    size: int
    sheets: Mapping[str, int]  # the columns that are pictures: their channels, 0 for [N, S, S]
    classes: Sequence[str] = ()
    lists: Mapping[str, list] = field(default_factory=dict)  # the columns that are no tensors
    command: str


def load(dataset: str, folder: Path = FOLDER) -> Images:
    """What is kept of a data set. FileNotFoundError if nothing is, ValueError if the file is damaged."""
    path = Path(folder) / f"{dataset}.safetensors"
    if not path.is_file():
        command = f"python -m cgan.specimens build --dataset {dataset} --data-root DIR"
        raise FileNotFoundError(f"no specimens are kept of data set {dataset!r}; keep some with: {command}")
    try:
        known, tensors = read_file(path, FORMAT)
        info = SpecimenInfo(**known)
        for name, channels in info.sheets.items():
            pictures = sheet.cut(tensors[name], info.count, info.size, channels or 1)
            tensors[name] = pictures if channels else pictures[:, 0]
        images = tensors.pop("images")
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path.name} is no {FORMAT} file, make it again: {error}") from error
    classes = {"classes": tuple(info.classes)} if info.classes else {}
    return Images(images, tensors | info.lists | classes)


def build(dataset: str, root: Path, *, out: Path, count: int) -> Images:
    """Writes the file of a data set, as many of every class where it has any; returns what it holds.

    FileNotFoundError if the data set is missing, ValueError if there are fewer pictures.
    """
    data = DATASETS[dataset]().load(root, "train")
    classes = data.targets.get("classes", ())
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(SEED))
    if classes:
        labels, each = data.targets["label"][rows], count // len(classes)
        rows = torch.cat([rows[labels == k][:each] for k in range(len(classes))])
    rows = rows[:count].sort().values
    if not len(rows):
        raise ValueError(f"--count must be from {max(1, len(classes))} up, got {count}")
    columns = {"images": data.images} | {k: each for k, each in data.targets.items() if k != "classes"}
    tensors = {k: each[rows] for k, each in columns.items() if isinstance(each, Tensor)}
    sheets = {k: each.shape[1] if each.ndim == 4 else 0 for k, each in tensors.items() if each.ndim > 2}
    info = SpecimenInfo(
        dataset=dataset,
        count=len(rows),
        size=data.size,
        sheets=sheets,
        classes=classes,
        lists={k: [each[row] for row in rows] for k, each in columns.items() if isinstance(each, list)},
        command=f"python -m cgan.specimens build --dataset {dataset} --data-root DIR --count {count}",
    )
    packed = {k: sheet.pack(tensors[k] if sheets[k] else tensors[k][:, None]) for k in sheets}
    out.parent.mkdir(parents=True, exist_ok=True)
    header = {"format": FORMAT, "info": json.dumps(dataclasses.asdict(info))}
    save_file({name: tensor.contiguous() for name, tensor in (tensors | packed).items()}, out, header)
    return Images(tensors.pop("images"), tensors | info.lists | ({"classes": classes} if classes else {}))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 2 after bad input."""
    parser = Parser(prog="python -m cgan.specimens", description=__doc__.split("\n\n")[0])
    command = parser.add_subparsers(required=True).add_parser("build", help="keep pictures of a data set")
    command.add_argument("--dataset", required=True)
    command.add_argument("--data-root", type=Path, required=True)
    command.add_argument("--count", type=int, default=160, help="pictures to keep (default: %(default)s)")
    command.add_argument("--out", type=Path, help="default: assets/specimens/DATASET.safetensors")
    options = parser.parse_args(argv)
    out = options.out or FOLDER / f"{options.dataset}.safetensors"
    try:
        found = build(options.dataset, options.data_root, out=out, count=options.count)
    except (ValueError, OSError) as error:
        return fail("python -m cgan.specimens", error)
    print(f"{out}: {len(found)} pictures, {out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
