"""Drawing cartoon faces: by this process, and by as many as there are cores. A table and a JSON.

    python -m benchmarks.faces --json faces.json
    python -m benchmarks.faces --faces 8000 --size 96 --turns 3

Turns alternate, each with faces of its own. "all cores" is `Faces.draw` as a first run calls it, from the
start of the processes to the last array. Time is the wall's, since several processes share it: leave the
machine alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from functools import partial
from pathlib import Path

import torch

from benchmarks.measuring import Spread, machine, wall
from cgan.data.faces.dataset import SEVERAL, Faces, cores

CPU = torch.device("cpu")


def compare(faces: int, size: int, turns: int) -> dict[str, Spread]:
    """Faces a second of every way, `turns` times in turn."""
    draw = Faces(size=size).draw

    def one_process(first: int) -> None:
        for start in range(first, first + faces, SEVERAL - 1):
            draw("train", start, min(SEVERAL - 1, first + faces - start))

    ways = {"one process": one_process, "all cores": lambda first: draw("train", first, faces)}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    one_process(0)  # imports the drawing library
    for first in range(0, turns * faces, faces):
        for name, way in ways.items():
            spent[name].append(wall(partial(way, first), 1, CPU))
    return {name: Spread.of([faces / s for s in seconds]) for name, seconds in spent.items()}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--faces", type=int, default=4000, metavar="N", help=f"a turn, {SEVERAL} or more (%(default)s)"
    )
    parser.add_argument("--size", type=int, default=64, help="pixels of a face (%(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="how often each way has its turn (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the table here too")
    arguments = parser.parse_args(argv)
    if arguments.faces < SEVERAL:
        parser.error(f"fewer than {SEVERAL} faces are drawn by one process anyway")
    found = compare(arguments.faces, arguments.size, arguments.turns)
    print(f"{cores()} cores, faces of {arguments.size} pixels\n{'':20} faces/s")
    for name, rate in found.items():
        print(f"{name:20} {rate}")
    if arguments.json:
        rows = {name: dataclasses.asdict(rate) for name, rate in found.items()}
        about = {"faces": arguments.faces, "size": arguments.size, **machine(CPU)}
        arguments.json.write_text(json.dumps({**about, "faces_per_s": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
