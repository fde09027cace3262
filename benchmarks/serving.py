"""Load on the server, and on the stock recipe in the same run. Loopback, bounded; a table and a JSON.

    python -m benchmarks.serving --visitors 1,8,30,100,300 --seconds 20 --turns 3 --json serving.json
    python -m benchmarks.serving --visitors 30 --frames 100000 --baseline no

The stock recipe (`benchmarks/stock.py`) shows the first of the models. Both servers run all the time and are
loaded in turns, for every number of visitors. With --frames the load on ours goes on until so many pictures
have been served, and the table shows what memory does meanwhile.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Spread
from benchmarks.visitors import Tally, crowd

ROOT = Path(__file__).parents[1]
FIRST = ROOT / "assets" / "models" / "mnist"  # what app.py shows first where no model is named
VISITORS_PER_PROCESS = 150


@dataclass(frozen=True)
class Row:
    """One turn of one server."""

    server: str
    visitors: int
    offered_per_s: float
    served_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int
    server_cpu_ms_per_frame: float
    server_mb: float
    served: int  # some after the seconds were over, whose latency and work count too


def measure(kind: str, at: tuple[int, int], visitors: int, rate: float, seconds: float) -> Row:
    """Load the server at (port, process id) with so many visitors."""
    port, process = at
    step, base = VISITORS_PER_PROCESS, random.SystemRandom().randrange(2**40)
    groups = [range(base + first, base + min(first + step, visitors)) for first in range(0, visitors, step)]
    cpu = cpu_seconds(process)
    with ProcessPoolExecutor(len(groups), multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(crowd, kind, port, group, rate, seconds) for group in groups]
        tally = sum((job.result(seconds + 120) for job in jobs), Tally())
    served = len(tally.latencies)
    for failure in sorted(set(tally.failures))[:3]:
        print(f"  failed: {failure}", file=sys.stderr)
    cuts = statistics.quantiles(tally.latencies, n=100) if served > 1 else [float("nan")] * 99
    return Row(
        server=kind,
        visitors=visitors,
        offered_per_s=visitors * rate,
        served_per_s=round(tally.timely / seconds, 1),
        p50_ms=round(cuts[49] * 1000, 2),
        p95_ms=round(cuts[94] * 1000, 2),
        p99_ms=round(cuts[98] * 1000, 2),
        failed=len(tally.failures),
        server_cpu_ms_per_frame=round((cpu_seconds(process) - cpu) * 1000 / max(served, 1), 3),
        server_mb=resident_mb(process),
        served=served,
    )


def cpu_seconds(process: int) -> float:
    """User and system time of a process so far; not a number where there is no /proc."""
    try:
        parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float:
    """Memory of a process; not a number where there is no /proc."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS"))


@contextmanager
def running(command: list[str], paths: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """A server that prints its address: (port, process id), once it has answered at these paths. Prints how
    long the first answer took from the start."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            if "http://" not in line:
                raise SystemExit(f"the server did not start: {' '.join(command)}")
            port = int(line.rpartition(":")[2])
            for path in paths:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read()
                if path is paths[0]:
                    print(f"started: {path} after {time.perf_counter() - began:.2f} s", flush=True)
            yield port, process.pid
        finally:
            process.terminate()


@contextmanager
def server(models: list[str]) -> Iterator[tuple[int, int]]:
    """A server of our own, with its page (its import must not disturb the measurement)."""
    options = [part for model in models for part in ("--model", model)]
    command = [sys.executable, str(ROOT / "app.py"), "--port", "0", *options]
    with running(command, ("/frame.png?label=3", "/")) as at:
        yield at


@contextmanager
def stock(models: list[str]) -> Iterator[tuple[int, int]]:
    """The stock recipe with the first of the models, which must be a folder."""
    folder = models[0] if models else str(FIRST)
    with running([sys.executable, "-m", "benchmarks.stock", folder], ("/",)) as at:
        yield at


SERVERS = {"stock": stock, "ours": server}
FIGURES = ("served_per_s", "p50_ms", "p95_ms", "server_cpu_ms_per_frame", "server_mb")


def summary(rows: list[Row]) -> dict[str, Spread]:
    """The turns of one server under one load."""
    return {name: Spread.of([getattr(row, name) for row in rows]) for name in FIGURES}


def soak(at: tuple[int, int], visitors: int, rate: float, seconds: float, frames: int) -> list[Row]:
    """Load ours, so many seconds at a time, until so many pictures have been served."""
    rows: list[Row] = []
    while (done := sum(row.served for row in rows)) < frames:
        rows.append(measure("ours", at, visitors, rate, seconds))
        if not rows[-1].served:
            raise SystemExit("the server serves nothing any more")
        print(f"{done + rows[-1].served:8} pictures {rows[-1].server_mb:8} MB", flush=True)
    return rows


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", default="1,8,30", metavar="N,N", help="how many (%(default)s)")
    parser.add_argument("--rate", type=float, default=5.0, help="requests a visitor and second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of a turn (%(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="of each server and number (%(default)s)")
    parser.add_argument("--baseline", default="yes", choices=("yes", "no"), help="(%(default)s)")
    parser.add_argument("--frames", type=int, help="serve so many pictures instead, and watch memory")
    parser.add_argument("--model", action="append", default=[], help="as for app.py")
    parser.add_argument("--json", type=Path, help="write the table here too")
    arguments = parser.parse_args(argv)
    load = arguments.rate, arguments.seconds
    kinds = ["ours"] if arguments.frames or arguments.baseline == "no" else ["stock", "ours"]
    rows: list[Row] = []
    summaries = []
    with ExitStack() as stack:
        at = {kind: stack.enter_context(SERVERS[kind](arguments.model)) for kind in kinds}
        for visitors in map(int, arguments.visitors.split(",")):
            if arguments.frames:
                rows += soak(at["ours"], visitors, *load, arguments.frames)
                continue
            found = {kind: [] for kind in kinds}
            for _ in range(arguments.turns):
                for kind in kinds:
                    found[kind].append(measure(kind, at[kind], visitors, *load))
            for kind, turns in found.items():
                figures, failed = summary(turns), sum(row.failed for row in turns)
                summaries.append({"server": kind, "visitors": visitors, "failed": failed, **figures})
                told = "  ".join(f"{name} {figure}" for name, figure in figures.items())
                print(f"{visitors:4} {kind:6} of {visitors * arguments.rate:g}/s: {told}  failed {failed}")
                sys.stdout.flush()
                rows += turns
    if arguments.json:
        summaries = [
            {key: dataclasses.asdict(v) if isinstance(v, Spread) else v for key, v in entry.items()}
            for entry in summaries
        ]
        turns = [dataclasses.asdict(row) for row in rows]
        found = {"load": os.getloadavg(), "cores": os.cpu_count(), "rows": summaries, "turns": turns}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
