"""The independent judge of a data set, and the features that our distances are measured in.

`python -m cgan.metrics.features train --dataset mnist --data-root DIR` writes weights in half precision to
assets/features/mnist.safetensors, what made them to its header. Pictures with nothing but labels get a
`Classifier`; those with attributes, maps or drawings a `Perception`, which reads these. Every figure says
that it stands in these features ("cgan-mnist"); none is called FID, which means Inception-v3. A data set
without a recipe here, such as a person's own folder, or of another size than its own keeps its weights beside
its pictures.

Shapes: N pictures, C channels, H x W pixels, F feature width.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import SUPPRESS
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cgan.atomic import replacing
from cgan.cli import Parser, fail
from cgan.memory import unfilled
from cgan.metrics import MEASURES
from cgan.metrics.asked import asked
from cgan.metrics.classifier import WIDTHS, Classifier, Recipe
from cgan.metrics.judge import Judgement, Subjects
from cgan.metrics.perception import Perception, PerceptionRecipe
from cgan.registry import closest
from cgan.types import Attribute

FOLDER = Path(__file__).parents[2] / "assets" / "features"
FORMAT = "cgan-features-1"
LARGEST = 2**30  # bytes of a features file; maps of 88 classes and 512x512 pixels fill it

RECIPES: dict[str, Recipe | PerceptionRecipe] = {
    "mnist": Recipe(),
    "fashion-mnist": Recipe(
        widths=(32, 64, 64, 96, 96), epochs=18, flip=True, degrees=0, shift=0.06, scale=0, erase=0.15
    ),
    "faces": PerceptionRecipe(),
}


def home(dataset: str, data: Any, data_root: Path) -> Path:
    """The folder of a data set's weights: ours, or if we have none for pictures of its size theirs."""
    return FOLDER if dataset in RECIPES and data.size == type(data)().size else Path(data_root)


def command(dataset: str, data: Any = None) -> str:
    """What trains the judge of a data set, with those options of `data` that are not the data set's own."""
    usual, chosen = (dataclasses.asdict(each) if each else {} for each in (data and type(data)(), data))
    options = "".join(f" --{name} {value}" for name, value in chosen.items() if value != usual[name])
    return f"python -m cgan.metrics.features train --dataset {dataset} --data-root DIR{options}"


@dataclass(frozen=True, kw_only=True)
class FeatureInfo:
    """What a features file says of itself."""

    dataset: str
    classes: tuple[str, ...]  # the labels that it tells apart
    channels: int
    size: int  # height and width in pixels
    test_accuracy: float  # on the real test set, 0 to 1; the mean of the forms' headlines if it reads several
    epochs: int
    command: str
    widths: tuple[int, ...] = WIDTHS  # of the convolutions
    attributes: tuple[Attribute, ...] = ()  # that it reads
    mask_classes: tuple[str, ...] = ()
    drawing: int = 0  # channels of the drawings that it reads
    measured: Mapping[str, Any] = field(default_factory=dict)  # form: its measure of real test pictures

    @property
    def subjects(self) -> Subjects:
        return Subjects(self.classes, self.attributes, self.mask_classes, self.drawing)

    def build(self) -> Classifier | Perception:
        """The judge with fresh weights."""
        return build(self.channels, self.size, self.subjects, self.widths)

    def fits(self, pictures: Any) -> bool:
        """Whether the judge was made for such pictures, a split of a data set."""
        made = pictures.channels, pictures.size, Subjects.of(pictures.targets)
        return (self.channels, self.size, self.subjects) == made


def build(
    channels: int, size: int, subjects: Subjects, widths: tuple[int, ...] = WIDTHS
) -> Classifier | Perception:
    """A judge with fresh weights."""
    if subjects == Subjects(subjects.labels):
        return Classifier(channels, len(subjects.labels), size, widths)
    return Perception(channels, size, subjects, widths)


@dataclass(frozen=True)
class FeatureNetwork:
    """A data set's judge, frozen. Calling it on pictures gives their features and what it reads off them."""

    info: FeatureInfo
    judge: Classifier | Perception

    @property
    def name(self) -> str:
        """The name of the feature space, for every figure measured in it."""
        return f"cgan-{self.info.dataset}"

    @property
    def width(self) -> int:
        """F."""
        return self.judge.width

    @staticmethod
    def load(
        dataset: str, folder: Path = FOLDER, device: torch.device | str = "cpu", data: Any = None
    ) -> FeatureNetwork:
        """The network of a data set, of `data` where its options are known.

        Raises FileNotFoundError if there is none, ValueError if the file is damaged or of another format.
        """
        path = Path(folder) / f"{dataset}.safetensors"
        if not path.is_file():
            names = sorted(file.stem for file in Path(folder).glob("*.safetensors"))
            known = f".{closest(dataset, names)} There is one for: {', '.join(names)}" if names else ""
            raise FileNotFoundError(
                f"no feature network for data set {dataset!r}{known}; make one with: {command(dataset, data)}"
            )
        try:
            info, weights = _read(path)
            with unfilled():  # no memory is taken on the header's word
                judge = info.build()
            judge.load_state_dict(weights, assign=True)
        except (SafetensorError, RuntimeError, TypeError, KeyError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{path.name} is no {FORMAT} file, make it again: {reason}") from error
        return FeatureNetwork(info, judge.float().to(device).fuse())

    def __call__(self, images: Tensor) -> Judgement:
        """Features [N, F] and what is read, on the CPU, of pictures uint8 [N, C, H, W] of its own size.

        Raises ValueError if there is no picture or the pictures have another type or size.
        """
        self._check(images)
        return self.judge.read(images)

    def features(self, images: Tensor) -> Tensor:
        """Features [N, F] alone, sooner. Raises as a call does."""
        self._check(images)
        return self.judge.features(images)

    def _check(self, images: Tensor) -> None:
        shape = (self.info.channels, self.info.size, self.info.size)
        if images.dtype != torch.uint8 or images.shape[1:] != shape or not len(images):
            raise ValueError(
                f"the {self.info.dataset} feature network takes uint8 pictures {['N', *shape]}, "
                f"got {str(images.dtype).removeprefix('torch.')} {list(images.shape)}"
            )


def read_file(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a safetensors file of format `kind` says of itself, and its tensors. Raises SafetensorError,
    OSError, KeyError or ValueError if it is damaged, too large or of another format."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"larger than {LARGEST} bytes")
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        if header.get("format") != kind:
            raise ValueError(f"format {header.get('format')!r}")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    return json.loads(header["info"]), tensors


def _read(path: Path) -> tuple[FeatureInfo, dict[str, Tensor]]:
    info, weights = read_file(path, FORMAT)
    info |= {key: tuple(info[key]) for key in ("classes", "widths", "mask_classes") if key in info}
    info["attributes"] = tuple(_attribute(part) for part in info.get("attributes", ()))
    return FeatureInfo(**info), weights


def _attribute(part: Mapping[str, Any]) -> Attribute:
    return Attribute(**{key: tuple(v) if isinstance(v, list) else v for key, v in part.items()})


def save(judge: Classifier | Perception, info: FeatureInfo, path: Path) -> None:
    """Writes an unfused judge in half precision."""
    weights = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in judge.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        save_file(weights, partial, {"format": FORMAT, "info": json.dumps(dataclasses.asdict(info))})


def recipe(dataset: str, subjects: Subjects) -> Recipe | PerceptionRecipe:
    """How the judge of a data set is trained; one without a recipe here has the usual one."""
    return RECIPES.get(dataset, Recipe() if subjects == Subjects(subjects.labels) else PerceptionRecipe())


def check_pictures(dataset: str, data: Any, test: Any, form: str | None = None) -> None:
    """ValueError if no judge would give figures on a data set with this test split, or none of how far
    condition `form` is obeyed."""
    subjects = Subjects.of(test.targets)
    if subjects == Subjects():
        raise ValueError(
            f"data set {dataset} has nothing that a judge could tell apart: neither two labels, attributes, "
            "two classes of a map nor drawings"
        )
    way = MEASURES[form] if form else None
    if way and not (getattr(subjects, way.reads) and way.needs in asked(data, form, test.targets)):
        raise ValueError(
            f"a judge could read {subjects} off these pictures, but not whether condition {form} is obeyed"
        )
    with unfilled():
        judge = build(test.channels, test.size, subjects, recipe(dataset, subjects).widths)
    least = judge.width + 1  # as `RealReference` needs
    if len(test) < least:
        raise ValueError(f"figures need at least {least} real pictures to test with, there are {len(test)}")


def _choices(kind: type) -> dict[str, Any]:
    """The options of a data set and their types."""
    hints = get_type_hints(kind)
    return {option.name: hints[option.name] for option in dataclasses.fields(kind)}


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit code is 2 after bad input."""
    from cgan.data import DATASETS  # the command's own needs: the library above measures tensors only
    from cgan.metrics.making import train

    parser = Parser(prog="python -m cgan.metrics.features", description=__doc__.splitlines()[0])
    learn = parser.add_subparsers(required=True).add_parser(
        "train", help="train a data set's feature network"
    )
    learn.add_argument("--dataset", required=True)
    learn.add_argument("--data-root", type=Path, required=True, metavar="DATA")
    learn.add_argument("--out", type=Path, help="default: assets/features/DATASET.safetensors, of data "
                       "sets or sizes without a bundled judge DATA/DATASET.safetensors, unless a judge "
                       "for these pictures lies there")  # fmt: skip
    choices = {option: hint for kind in DATASETS.values() for option, hint in _choices(kind).items()}
    for name, hint in choices.items():
        learn.add_argument(
            f"--{name}",
            type=hint if isinstance(hint, type) else str,
            choices=get_args(hint) or None,
            default=SUPPRESS,
            help="as train.py takes it of the data set",
        )
    learn.add_argument("--epochs", type=int)
    learn.add_argument("--seed", type=int, default=0)
    learn.add_argument("--download", action="store_true", help="fetch the data set if it is not there")
    options = parser.parse_args(arguments)
    try:
        kind = DATASETS[options.dataset]
        given = {name: value for name, value in vars(options).items() if name in choices}
        if unknown := sorted(given.keys() - _choices(kind).keys()):
            raise ValueError(f"data set {options.dataset} has no choice of --{unknown[0]}")
        data = kind(**given)
        out, accuracy = train(
            options.dataset,
            data,
            options.data_root,
            out=options.out,
            epochs=options.epochs,
            seed=options.seed,
            download=options.download,
        )
    except (ValueError, OSError, SafetensorError) as error:
        return fail("python -m cgan.metrics.features", error)
    print(f"{out}: {accuracy:.2%} on the real test set")
    return 0


if __name__ == "__main__":
    sys.exit(main())
