"""The engine against plain eager PyTorch with the same weights, in turns in one run. A table and a JSON.

    python -m benchmarks.engine --json engine.json
    python -m benchmarks.engine --model assets/models/mnist --batches 1,8,64,1024 --device cuda

What is timed of the engine is all of it: from `submit` to the uint8 pictures on the CPU. Plain is the
model's generator on the same device, in PyTorch's own layout, its pictures brought to the CPU too. Both are
given what the encoder made of the conditions, once, and make their pictures on one thread of a CPU.

The floor is what the arithmetic and the weights alone would take at the rates that this machine reaches with
a product of two matrices and with a copy; a batch can't be made sooner without less of either.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.measuring import Spread, flops, flops_per_s, machine, product, seconds
from cgan.engine import Engine, Resident
from cgan.model import BUNDLED, ConditionalGAN

COPIED = 2**26  # bytes of the copy whose rate is the ceiling of memory


@dataclass(frozen=True)
class Row:
    """One model at one batch."""

    model: str
    batch: int
    plain_pictures_per_s: Spread
    pictures_per_s: Spread
    times_plain: Spread  # of the turns' own ratios
    ms: Spread  # for the batch, by the clock of `measuring`
    wall_ms: Spread  # for the batch, as somebody waits for it
    floor_ms: float


class Case:
    """One model and a batch: what either side computes."""

    def __init__(self, engine: Engine, resident: Resident, batch: int):
        self.engine, self.name, self.device = engine, resident.name, engine.device
        self.noise = resident.model.noise(0, batch)
        self.cond = resident.embed(resident.model.encoder.sample(batch, 0))
        self.plain_model = ConditionalGAN.load(resident.folder).to(self.device)

    def ours(self) -> Tensor:
        return self.engine.submit(self.name, self.noise, self.cond).result()

    @torch.no_grad()
    def plain(self) -> Tensor:
        made = self.plain_model.generator(self.noise.to(self.device), self.cond.to(self.device))
        return self.plain_model.to_uint8(made).cpu()

    def floor(self, arithmetic: float, memory: float) -> float:
        """Seconds, at so many FLOPs and bytes a second."""
        weights = sum(p.numel() * p.element_size() for p in self.plain_model.generator.parameters())
        made = self.plain().numel() + self.noise.numel() * self.noise.element_size()
        return max(flops(self.plain, 1) / arithmetic, (weights + made) / memory)


def ceilings(device: torch.device) -> tuple[float, float]:
    """FLOPs and bytes a second: the best of some products of float32 matrices, and of some copies."""
    multiply = product("float32", device)
    source = torch.zeros(COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    spent = min(seconds(multiply, 3, device) for _ in range(4))
    copied = min(seconds(lambda: target.copy_(source), 3, device) for _ in range(4))
    return flops_per_s(spent), 2 * COPIED / copied


def wall(case: Case) -> float:
    """Seconds until the pictures are there."""
    started = time.perf_counter()
    case.ours()
    return time.perf_counter() - started


def measure(case: Case, batch: int, turns: int, ceiling: tuple[float, float]) -> Row:
    """Both sides, `turns` times in turn, each time for at least so many calls as make 64 pictures."""
    calls = max(1, 64 // batch)
    off = (case.ours().float() - case.plain().float()).abs()
    if off.mean() > 0.25:  # of 255 levels; half precision rounds
        raise SystemExit(f"{case.name}: the engine's pictures are not those of plain PyTorch")
    plain, ours, waits = [], [], []
    for _ in range(turns):
        plain.append(seconds(case.plain, calls, case.device))
        ours.append(seconds(case.ours, calls, case.device))
        waits += [wall(case) for _ in range(min(calls, 8))]
    return Row(
        model=case.name,
        batch=batch,
        plain_pictures_per_s=Spread.of([batch / t for t in plain]),
        pictures_per_s=Spread.of([batch / t for t in ours]),
        times_plain=Spread.of([a / b for a, b in zip(plain, ours, strict=True)]),
        ms=Spread.of([1000 * t for t in ours]),
        wall_ms=Spread.of([1000 * t for t in waits]),
        floor_ms=round(1000 * case.floor(*ceiling), 4),
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", action="append", type=Path, metavar="FOLDER", help="default: the bundled")
    parser.add_argument("--batches", default="1,8,64,1024", metavar="N,N", help="%(default)s")
    parser.add_argument("--turns", type=int, default=5, help="how often each side has its turn (%(default)s)")
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda")
    parser.add_argument("--json", type=Path, help="write the table here too")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    folders = arguments.model or sorted(path.parent for path in BUNDLED.glob("*/config.json"))
    engine = Engine.load({path.name: path for path in folders}, arguments.device)
    ceiling = ceilings(engine.device)
    print(f"ceilings: {ceiling[0] / 1e9:.1f} GFLOP/s in float32, {ceiling[1] / 1e9:.1f} GB/s")
    print(f"{'model':18} batch  {'plain pictures/s':24} {'pictures/s':24} {'times plain':22}", end="")
    print(f"{'ms':24} {'wall ms':22} floor ms")
    rows = []
    for name, resident in engine.models.items():
        for batch in map(int, arguments.batches.split(",")):
            row = measure(Case(engine, resident, batch), batch, arguments.turns, ceiling)
            rows.append(dataclasses.asdict(row))
            print(
                f"{name:18} {batch:5}  {row.plain_pictures_per_s!s:24} {row.pictures_per_s!s:24}",
                f"{row.times_plain!s:21} {row.ms!s:24} {row.wall_ms!s:22} {row.floor_ms}",
                flush=True,
            )
    engine.close()
    if arguments.json:
        found = {"flops_per_s": ceiling[0], "bytes_per_s": ceiling[1], **machine(engine.device)}
        arguments.json.write_text(json.dumps({**found, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
