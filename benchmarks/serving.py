"""Load on the server: visitors drag a slider, the newest value wins. Loopback, bounded; a table and a JSON.

    python benchmarks/serving.py --visitors 1,8,30,100,300 --seconds 20 --json serving.json

Every visitor wishes for a new picture `rate` times a second and has one request under way at most; what he
wishes for meanwhile replaces what he wished for before. A latency runs from the wish to the last byte.
"""

from __future__ import annotations

import argparse
import asyncio
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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
VISITORS_PER_PROCESS = 150


@dataclass
class Tally:
    """What some visitors met."""

    latencies: list[float] = field(default_factory=list)  # seconds, of pictures served
    failures: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.latencies + other.latencies, self.failures + other.failures)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    visitors: int
    offered_per_s: float
    served_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int
    server_cpu_ms_per_frame: float | None
    server_mb: float | None


class Connection:
    """HTTP/1.1 over one kept socket, in few instructions: the clients share the server's cores."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        _, found, rest = head.partition(b"content-length:")
        length = int(rest.split(b"\r\n", 1)[0]) if found else 0
        return int(head[9:12]), await self.reader.readexactly(length)


async def visit(port: int, seed: int, rate: float, seconds: float) -> Tally:
    """One visitor who drags for so long. No two visitors, and no two wishes, are for the same picture."""
    tally, connection = Tally(), await Connection.open(port)
    begin = time.perf_counter() + random.Random(seed).random() / rate
    last, sent = int(rate * seconds) - 1, -1
    while sent < last:
        newest = min(int((time.perf_counter() - begin) * rate), last)
        if newest <= sent or time.perf_counter() < begin:
            await asyncio.sleep(max(0.0, begin + (sent + 1) / rate - time.perf_counter()))
            continue
        sent = newest
        path = (
            f"/frame.png?seed={seed}&label=3&z={sent % 1000 * 0.005:.3f},{sent // 1000}&client=visitor{seed}"
        )
        status, body = await connection.get(path)
        if status == 200 and body.startswith(b"\x89PNG") and body.endswith(b"IEND\xaeB`\x82"):
            tally.latencies.append(time.perf_counter() - (begin + sent / rate))
        else:
            tally.failures.append(f"{status} {body[:100]!r}")
    return tally


def crowd(port: int, seeds: range, rate: float, seconds: float) -> Tally:
    """Visitors of one client process."""

    async def together() -> list[Tally]:
        return await asyncio.gather(*(visit(port, seed, rate, seconds) for seed in seeds))

    return sum(asyncio.run(together()), Tally())


def measure(port: int, process: int, visitors: int, rate: float, seconds: float) -> Row:
    """Load the server with so many visitors."""
    step, base = VISITORS_PER_PROCESS, random.SystemRandom().randrange(2**40)
    groups = [range(base + first, base + min(first + step, visitors)) for first in range(0, visitors, step)]
    cpu = cpu_seconds(process)
    with ProcessPoolExecutor(len(groups), multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(crowd, port, group, rate, seconds) for group in groups]
        tally = sum((job.result(seconds + 120) for job in jobs), Tally())
    served = len(tally.latencies)
    for failure in sorted(set(tally.failures))[:3]:
        print(f"  failed: {failure}", file=sys.stderr)
    cuts = statistics.quantiles(tally.latencies, n=100) if served > 1 else [float("nan")] * 99
    used = None if cpu is None else (cpu_seconds(process) - cpu) * 1000 / max(served, 1)
    return Row(
        visitors=visitors,
        offered_per_s=visitors * rate,
        served_per_s=round(served / seconds, 1),
        p50_ms=round(cuts[49] * 1000, 2),
        p95_ms=round(cuts[94] * 1000, 2),
        p99_ms=round(cuts[98] * 1000, 2),
        failed=len(tally.failures),
        server_cpu_ms_per_frame=None if used is None else round(used, 3),
        server_mb=resident_mb(process),
    )


def cpu_seconds(process: int) -> float | None:
    """User and system time of a process so far; None where there is no /proc."""
    try:
        parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float | None:
    """Memory of a process; None where there is no /proc."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS"))


@contextmanager
def server(models: list[str]) -> Iterator[tuple[int, int]]:
    """A server of our own, with its page: (port, process id)."""
    options = [part for model in models for part in ("--model", model)]
    command = [sys.executable, str(ROOT / "app.py"), "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if "http://" not in line:
                raise SystemExit("the server did not start")
            port = int(line.rpartition(":")[2])
            for path in ("/healthz", "/"):  # the page too: its import must not disturb the measurement
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read()
            yield port, process.pid
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--visitors", default="1,8,30", help="numbers of visitors, comma-separated (%(default)s)"
    )
    parser.add_argument("--rate", type=float, default=5.0, help="wishes per visitor and second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each number (%(default)s)")
    parser.add_argument("--model", action="append", default=[], help="as for app.py")
    parser.add_argument("--json", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    rows = []
    print("visitors  offered/s  served/s   p50 ms   p95 ms   p99 ms  failed  CPU ms/frame    MB")
    with server(arguments.model) as (port, process):
        for visitors in map(int, arguments.visitors.split(",")):
            row = measure(port, process, visitors, arguments.rate, arguments.seconds)
            rows.append(dataclasses.asdict(row))
            print(
                f"{row.visitors:8} {row.offered_per_s:10.0f} {row.served_per_s:9} {row.p50_ms:8}",
                f"{row.p95_ms:8} {row.p99_ms:8} {row.failed:7} {row.server_cpu_ms_per_frame!s:>13}",
                f"{row.server_mb!s:>5}",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps({"load": os.getloadavg(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
