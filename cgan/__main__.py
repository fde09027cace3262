"""python -m cgan sample | evaluate | push | info: models without a browser."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cgan import hub
from cgan.atomic import replacing
from cgan.cli import Parser, fail
from cgan.config import to_json
from cgan.inference import Sampler, resolve_device
from cgan.model import FOLDER_FILES, METRICS, ConditionalGAN, read_json, write_json
from cgan.rng import SEED_LIMIT
from cgan.timeline import Timeline
from cgan.types import Raw

LARGEST = 2**33  # bytes of pictures in one file


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 2 after one line on what was wrong with the input, 1 if a file can't be written, 130
    after Ctrl-C."""
    arguments = parser().parse_args(argv)
    program = f"python -m cgan {arguments.command}"
    try:
        arguments.run(arguments)
    except (ValueError, FileNotFoundError) as error:
        return fail(program, error)
    except OSError as error:
        return fail(program, error, status=1)
    except KeyboardInterrupt:
        return fail(program, "stopped", status=130)
    return 0


def parser() -> Parser:
    """The command line; every command names the function that runs it."""
    top = Parser(prog="python -m cgan", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    model = {"required": True, "metavar": "FOLDER_OR_REPO"}

    command = commands.add_parser("sample", help="draw pictures into a NumPy file")
    command.add_argument("--model", **model, help="a model folder, or USER/NAME[@REVISION] on the Hub")
    command.add_argument("--count", required=True, metavar="N", help="how many pictures")
    command.add_argument("--condition", metavar="JSON", help="""what they show, such as '{"label": "3"}'; """
                         "without it, as the data has them, but labels each as often")  # fmt: skip
    command.add_argument("--seed", default="0", metavar="S", help="picture k depends on the seed and k alone")
    command.add_argument("--device", default="auto", metavar="auto|cpu|cuda")
    command.add_argument("--out", required=True, type=Path, metavar="FILE.npz")
    command.set_defaults(run=sample)

    command = commands.add_parser("evaluate", help="measure a model on its data set")
    command.add_argument("--model", **model, help="a model folder, or USER/NAME[@REVISION] on the Hub")
    command.add_argument(
        "--data-root", required=True, type=Path, metavar="DIR", help="where the data set lies"
    )
    command.add_argument(
        "--download", action="store_true", help="let torchvision fetch it if it is not there"
    )
    command.add_argument("--count", default="10000", metavar="N", help="pictures a seed")
    command.add_argument("--processes", default="1", metavar="N", help="processes that share the seeds")
    command.add_argument("--seeds", default="3", metavar="S", help="how many sample seeds, from 1 up")
    command.add_argument(
        "--usefulness",
        default="0",
        metavar="N",
        help="also train classifiers on N generated and on N real pictures, and test both on real ones",
    )
    command.add_argument(
        "--inception", action="store_true", help="also the standard FID, if its weights can be had"
    )
    command.add_argument(
        "--timeline", action="store_true", help="also the quality of every snapshot of its training"
    )
    command.add_argument(
        "--record", action="store_true", help="put the figures into the folder's metrics.json and card"
    )
    command.add_argument("--json", required=True, type=Path, metavar="FILE")
    command.set_defaults(run=evaluate)

    command = commands.add_parser("push", help="publish a model on the Hugging Face Hub, with a card")
    command.add_argument("--model", required=True, type=Path, metavar="FOLDER")
    command.add_argument("--repo", required=True, metavar="USER/NAME", help="created if it isn't there")
    command.add_argument("--private", action="store_true", help="if it is created, only you can see it")
    command.set_defaults(run=push)

    command = commands.add_parser("info", help="what a model is, takes and was made by")
    command.add_argument("--model", **model, help="a model folder, or USER/NAME[@REVISION] on the Hub")
    command.set_defaults(run=info)
    return top


def sample(arguments: argparse.Namespace) -> None:
    """Write `images` uint8 [N, H, W, C] and, by name, what each of them was asked for."""
    seed = whole("--seed", arguments.seed, 0, SEED_LIMIT - 1)
    device = resolve_device(arguments.device)
    check_out(arguments.out)
    torch.set_num_threads(1)  # a picture is too small for two to share it; each core makes its own
    model = ConditionalGAN.load(hub.fetch(arguments.model))
    size, channels = model.config.size, model.config.channels
    count = whole("--count", arguments.count, 1, LARGEST // (size * size * channels))
    raw = condition(model, arguments.condition, count, seed)
    sampler, embed = Sampler(model, device), torch.inference_mode()(model.encoder.embed)
    images = np.empty((count, size, size, channels), dtype=np.uint8)

    def draw(first: int) -> None:
        rows = slice(first, min(first + sampler.batch, count))
        noise = model.noise(seed, rows.stop - first, first)
        images[rows] = sampler(noise, embed(raw[rows])).permute(0, 2, 3, 1).numpy()

    with ThreadPoolExecutor(1 if device.type == "cuda" else min(os.cpu_count() or 1, 8)) as pool:
        list(pool.map(draw, range(0, count, sampler.batch)))
    save(arguments.out, {"images": images, **model.encoder.decode(raw)})
    print(f"{arguments.out}: {count} pictures of {size}x{size}x{channels}")


def condition(model: ConditionalGAN, text: str | None, count: int, seed: int) -> Raw:
    """raw [N, ...]: what the JSON asks of every picture, or drawn from the data's prior."""
    if text is None:
        return model.encoder.sample(count, seed)
    accepted = f"--condition must be a JSON object with {', '.join(f.name for f in model.encoder.fields())}"
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{accepted} ({error})") from error
    if not isinstance(values, dict):
        raise ValueError(f"{accepted}, got {text[:60]!r}")
    raw = model.encoder.parse(values)
    for remark in model.encoder.remarks(values):
        print(remark.text, file=sys.stderr)
    return raw.expand(count, *raw.shape[1:])


def check_out(path: Path) -> None:
    """ValueError, before any work is done, if a file of that name can't be written."""
    if path.suffix != ".npz" or path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"--out must be a file FILE.npz in a folder that exists, got {str(path)!r}")


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write a NumPy archive, whole or not at all."""
    with replacing(path) as partial, open(partial, "wb") as file:
        np.savez(file, **arrays)


def evaluate(arguments: argparse.Namespace) -> None:
    """Write every figure of a model to a JSON file, and the main ones to the terminal."""
    from cgan import card, evaluation
    from cgan.metrics.report import Extent

    seeds, pupils = (
        whole("--seeds", arguments.seeds, 1, 100),
        whole("--usefulness", arguments.usefulness, 0, 10**6),
    )
    count = whole("--count", arguments.count, 1, 10**6)
    processes = whole("--processes", arguments.processes, 1, 256)
    if arguments.json.is_dir() or not arguments.json.parent.is_dir():
        raise ValueError(f"--json must be a file in a folder that exists, got {str(arguments.json)!r}")
    if arguments.record and not hub.local(arguments.model):
        raise ValueError(f"--record needs a model folder of your own, {arguments.model} is none")
    torch.set_num_threads(1)  # two were up to eight times slower than one on a machine with other work
    folder = hub.fetch(arguments.model)
    model = ConditionalGAN.load(folder)
    if arguments.timeline:
        Timeline(folder)  # there and whole, before minutes of measuring
    report = evaluation.evaluate_model(
        model,
        arguments.data_root,
        download=arguments.download,
        seeds=seeds,
        count=count,
        extent=Extent(pupil_count=pupils, inception=arguments.inception),
        processes=processes,
        progress=lambda line: print(line, file=sys.stderr),
    )
    entries: dict[str, Any] = {"evaluation": report}
    if arguments.timeline:
        fewer = min(count, evaluation.QUICK_COUNT)
        entries["timeline"] = evaluation.timeline_curve(
            folder, arguments.data_root, arguments.download, fewer
        )
    write_json(arguments.json, entries)
    if arguments.record:
        evaluation.record(folder, entries)
        own = folder.is_absolute()  # where on this machine a folder lies is nobody's business
        card.write_card(folder, model, folder.name if own else arguments.model)
    for figure in card.figures(report):
        print(figure.row())


def push(arguments: argparse.Namespace) -> None:
    """Publish a model folder."""
    print(hub.push(arguments.model, arguments.repo, private=arguments.private))


def info(arguments: argparse.Namespace) -> None:
    """Print what is known of a model as JSON."""
    folder = hub.fetch(arguments.model)
    model = ConditionalGAN.load(folder)
    known: dict[str, Any] = {
        "folder": str(folder),
        "accepts": {field.name: to_json(field) for field in model.encoder.fields()},
        "parameters": {
            name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()
        },
        "bytes": {n: (folder / n).stat().st_size for n in FOLDER_FILES if (folder / n).exists()},
        "model": to_json(model.config),
    }
    if (folder / METRICS).exists():
        known["metrics"] = read_json(folder / METRICS)
    print(json.dumps(known, indent=1, ensure_ascii=False))


def whole(flag: str, text: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`. ValueError names the flag."""
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if not low <= value <= high:
        raise ValueError(f"{flag} must be a whole number from {low} to {high}, got {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
