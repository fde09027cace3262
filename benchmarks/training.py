"""Our training step against the loop that a tutorial would write, in turns in one run. A table and a JSON.

    python -m benchmarks.training --presets mnist,mnist-article --json training.json
    python -m benchmarks.training --presets mnist --goal 0.99 --kimg 300 --data-root DIR

The plain loop trains the same networks with the same loss in eager float32: the discriminator sees real and
generated pictures one after the other, its gradients are taken in the generator's turn too, a feature map is
enlarged before it is convolved, memory stays as PyTorch lays it out and threads are as many as it takes. It
has neither our regularisers nor our running average, which our step pays for.

Each loop has a process of its own, as its user would: threads and the handling of memory are the process's.
Time is the clock's on the wall, since the two may have different numbers of threads: the machine must do
nothing else meanwhile. The ceiling is the product of two square matrices, measured between the two by our
process in the number format of each.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from benchmarks.measuring import SIDE, Spread, flops, flops_per_s, machine, product, wall
from cgan.config import AdamOptions, Config, replace
from cgan.data import Images
from cgan.evaluation import quick_evaluation
from cgan.inference import resolve_device
from cgan.model import ConditionalGAN
from cgan.networks.generator import Stem
from cgan.networks.layers import StridedConv2d, TransposedConv2d, UpConv2d
from cgan.precision import resolve
from cgan.presets import PRESETS, preset
from cgan.training.graph import WARM_UP
from cgan.training.trainer import Trainer

MEASURED_KIMG = 10  # how often obedience is looked at on the way to a goal
CYCLE = 16  # steps after which every preset's lazy regularisers have all had their turn


@dataclass(frozen=True)
class Row:
    """One preset."""

    preset: str
    batch: int
    plain_images_per_s: Spread
    images_per_s: Spread
    times_plain: Spread  # of the turns' own ratios
    plain_gflop_per_image: float
    gflop_per_image: float
    plain_share: Spread  # of the ceiling in float32
    share: Spread  # of the ceiling in the preset's precision, of each process
    ceiling_gflops: dict[str, Spread]  # by number format


class Plain:
    """The tutorial's loop over the networks of `config`."""

    def __init__(self, config: Config, data: Images, device: torch.device):
        self.config, self.device = config, device
        torch.manual_seed(config.training.seed)
        self.model = ConditionalGAN(config.model(data.targets, data.size, data.channels)).to(device)
        as_written(self.model)
        self.images = data.images.to(device)
        self.raw = self.model.encoder.encode(data.targets).to(device)
        self.model.encoder.remember(self.raw)
        critics = [*self.model.discriminator.parameters(), *self.model.encoder.parameters()]
        self.critic_optimizer = _adam(critics, config.training.discriminator_optimizer)
        self.optimizer = _adam(self.model.generator.parameters(), config.training.generator_optimizer)

    def step(self) -> None:
        """One update of each player."""
        batch, loss, discriminator = self.config.training.batch, self.config.loss, self.model.discriminator
        rows = torch.randint(len(self.images), (batch,), device=self.device)
        real = self.model.from_uint8(self.images[rows])
        cond = self.model.encoder.embed(self.raw[rows])
        given = cond.map(Tensor.detach)
        noise = torch.randn(batch, self.config.generator.noise_dim, device=self.device)
        fake = self.model.generator(noise, given)

        self.critic_optimizer.zero_grad()
        verdicts = discriminator(real, cond).logits, discriminator(fake.detach(), cond).logits
        loss.discriminator(*verdicts).mean().backward()
        self.critic_optimizer.step()

        self.optimizer.zero_grad()
        logits = discriminator(fake, given).logits
        loss.generator(verdicts[0].detach(), logits).mean().backward()
        self.optimizer.step()


class Enlarged(nn.Conv2d):
    """The convolution of a feature map made twice as large."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', 2H, 2W]."""
        return super().forward(F.interpolate(x, scale_factor=2))


def as_written(network: nn.Module) -> None:
    """Put in place of what we compute otherwise the layers that a tutorial has, of the same weights."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, UpConv2d):
                setattr(module, name, layer := Enlarged(child.in_channels, child.out_channels, 3, padding=1))
            elif isinstance(child, StridedConv2d):
                layer = nn.Conv2d(child.in_channels, child.out_channels, 4, 2, 1)
                setattr(module, name, layer)
            elif isinstance(child, TransposedConv2d):
                layer = nn.ConvTranspose2d(child.in_channels, child.out_channels, 4, 2, 1)
                setattr(module, name, layer)
            elif isinstance(child, Stem):
                layer = nn.ConvTranspose2d(child.in_channels, child.out_channels, child.kernel_size)
                setattr(module, name, nn.Sequential(nn.Unflatten(1, (child.in_channels, 1, 1)), layer))
            else:
                continue
            layer.load_state_dict(child.state_dict())


def _adam(parameters, options: AdamOptions) -> Adam:
    return Adam(parameters, lr=options.lr, betas=(options.beta1, options.beta2))


def pictures(config: Config, count: int) -> Images:
    """As many as are needed, of the data set's form: noise where nothing but labels is asked for."""
    dataset = config.dataset
    if dataset.classes:
        shape = (count, dataset.channels, dataset.size, dataset.size)
        labels = torch.arange(count) % len(dataset.classes)
        noise = torch.randint(0, 256, shape, dtype=torch.uint8)
        return Images(noise, {"label": labels, "classes": dataset.classes})
    with tempfile.TemporaryDirectory() as folder:
        return dataclasses.replace(dataset, count=count).load(Path(folder), "train")


def loop(kind: str, config: Config) -> Plain | Trainer:
    """The tutorial's or ours, on pictures of its own."""
    data = pictures(config, 8 * config.training.batch)
    if kind == "plain":
        return Plain(config, data, resolve_device("auto"))
    with tempfile.TemporaryDirectory() as folder:
        return Trainer(config, data, Path(folder))


def warm(own: Plain | Trainer) -> float:
    """FLOPs of a step, and none that follows is the first of its kind. They are counted before CUDA graphs
    are recorded, whose replays show none."""
    recorded = own.update if isinstance(own, Trainer) and own.update.recorder else None
    if not recorded:
        return flops(own.step, CYCLE)
    recorder, recorded.recorder = recorded.recorder, None
    counted = flops(own.step, CYCLE)
    recorded.recorder = recorder
    for _ in range(CYCLE * (WARM_UP + 1)):
        own.step()
    return counted


def follow(config: Config, meeting: dict[str, str]) -> None:
    """One of our further processes: its steps wait for those of the first."""
    os.environ.update(meeting)
    own = loop("ours", config)
    while True:
        own.step()


def work(kind: str, config: Config, side: int, meeting: dict[str, str], pipe: Connection) -> None:
    """The process of one loop: tells its FLOPs of a step, then answers how long was asked for takes: so many
    steps, or products in a number format."""
    os.environ.update(meeting)
    device, own = resolve_device("auto"), loop(kind, config)
    products = {name: product(name, device, side) for name in ("float32", "bfloat16")}
    pipe.send(warm(own))
    while asked := pipe.recv():
        what, times = asked
        pipe.send(wall(products.get(what, own.step), times, device))


@contextmanager
def running(kind: str, config: Config, side: int, processes: int = 1) -> Iterator[Connection]:
    """A loop in a process of its own, or in several that share each batch."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    first, *others = meetings(processes)
    process = context.Process(target=work, args=(kind, config, side, first, there), daemon=True)
    followers = [context.Process(target=follow, args=(config, other), daemon=True) for other in others]
    for each in (process, *followers):
        each.start()
    try:
        yield here
    finally:
        for each in followers:  # they wait for a step that does not come
            each.kill()
        here.send(None)
        process.join()


def meetings(processes: int) -> list[dict[str, str]]:
    """What tells each of several processes where they meet, as `accelerate launch` would."""
    if processes == 1:
        return [{}]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    shared |= {"OMP_NUM_THREADS": "1"}
    return [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(processes)]


def measure(name: str, config: Config, turns: int, steps: int, processes: int = 1, side: int = SIDE) -> Row:
    """Both loops of one preset, `steps` at a time, `turns` times in turn."""
    batch = config.training.batch
    precision = resolve(resolve_device("auto"), config.training.precision)
    formats = sorted({"float32", precision})
    spent: dict[str, list[float]] = {key: [] for key in ("plain", "ours", *formats)}
    with running("plain", config, side) as other, running("ours", config, side, processes) as own:
        work = {"plain": other.recv(), "ours": own.recv()}

        def turn(key: str, pipe: Connection, times: int) -> float:
            pipe.send((key, times))
            return pipe.recv()

        for key in formats:
            turn(key, own, 3)
        for _ in range(turns):
            spent["plain"].append(turn("plain", other, steps))
            spent["ours"].append(turn("ours", own, steps))
            for key in formats:
                spent[key].append(turn(key, own, 4))
    ceiling = {key: [1e-9 * flops_per_s(t, side) for t in spent[key]] for key in formats}

    def share(kind: str, top: list[float]) -> Spread:
        pairs = zip(spent[kind], top, strict=True)
        return Spread.of([1e-9 * work[kind] / t / most for t, most in pairs])

    return Row(
        preset=name,
        batch=batch,
        plain_images_per_s=Spread.of([batch / t for t in spent["plain"]]),
        images_per_s=Spread.of([batch / t for t in spent["ours"]]),
        times_plain=Spread.of([a / b for a, b in zip(spent["plain"], spent["ours"], strict=True)]),
        plain_gflop_per_image=work["plain"] / batch / 1e9,
        gflop_per_image=processes * work["ours"] / batch / 1e9,
        plain_share=share("plain", ceiling["float32"]),
        share=share("ours", ceiling[precision]),
        ceiling_gflops={key: Spread.of(values) for key, values in ceiling.items()},
    )


def reach(config: Config, data_root: Path, goal: float) -> dict[str, float]:
    """Seconds of training, without those of measuring, until the averaged generator's obedience is `goal`:
    {"kimg", "obedience", "seconds", "recording_seconds", "cpu_seconds", "reached"}."""
    data = config.dataset.load(data_root, "train")
    evaluate = quick_evaluation(config.dataset, config.condition.form, data_root)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, data, Path(folder))
    wall = cpu = obedience = 0.0
    while obedience < goal and trainer.images_seen < 1000 * config.training.kimg:
        started, began = time.perf_counter(), time.process_time()
        due = trainer.images_seen + 1000 * MEASURED_KIMG
        while trainer.images_seen < min(due, 1000 * config.training.kimg):
            trainer.step()
        if trainer.device.type == "cuda":
            torch.cuda.synchronize(trainer.device)
        wall, cpu = wall + time.perf_counter() - started, cpu + time.process_time() - began
        obedience = evaluate(trainer.averaged())["obedience"]
        print(f"  {trainer.images_seen / 1000:g} kimg, {wall:.1f} s: {obedience:.4f}", file=sys.stderr)
    return {
        "kimg": trainer.images_seen / 1000,
        "obedience": obedience,
        "seconds": wall - trainer.update.seconds,
        "recording_seconds": trainer.update.seconds,  # of CUDA graphs
        "cpu_seconds": cpu,
        "reached": obedience >= goal,
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", default=",".join(PRESETS), metavar="A,B", help="%(default)s")
    parser.add_argument("--turns", type=int, default=5, help="how often each loop has its turn (%(default)s)")
    parser.add_argument("--steps", type=int, default=CYCLE, help="of a turn (%(default)s)")
    parser.add_argument("--threads", type=int, help="of ours on a CPU, in place of the preset's")
    parser.add_argument("--processes", type=int, default=1, help="that share our batches (%(default)s)")
    parser.add_argument("--goal", type=float, help="train to this obedience instead, and tell the seconds")
    parser.add_argument("--kimg", type=float, help="at most so long, at learning rates that then are 0")
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="for --goal")
    parser.add_argument("--json", type=Path, help="write the table here too")
    arguments = parser.parse_args(argv)
    if arguments.steps < 1 or arguments.steps % CYCLE:
        parser.error(
            f"--steps must be a multiple of {CYCLE}: a turn of fewer may miss what is due in one of them"
        )
    if arguments.goal and not arguments.data_root:
        parser.error("--goal needs --data-root")
    rows = []
    if not arguments.goal:
        print(
            "preset             plain images/s          ours images/s           times plain           share"
        )
    for name in arguments.presets.split(","):
        config = preset(name)
        if arguments.threads:
            config = replace(config, training__threads=arguments.threads)
        if arguments.goal:
            kimg = arguments.kimg or config.training.kimg
            config = replace(config, training__kimg=kimg)
            rows.append({"preset": name, **reach(config, arguments.data_root, arguments.goal)})
            print(rows[-1], flush=True)
            continue
        row = measure(name, config, arguments.turns, arguments.steps, arguments.processes)
        rows.append(dataclasses.asdict(row))
        print(
            f"{name:18} {row.plain_images_per_s!s:23} {row.images_per_s!s:23} {row.times_plain!s:21}",
            f"{row.share}",
            flush=True,
        )
    if arguments.json:
        device = resolve_device("auto")
        arguments.json.write_text(json.dumps({**machine(device), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
