"""Simulated visitors who drag a slider; the newest value wins.

Every visitor asks for a new picture `rate` times a second and has one request under way at most; what they
ask for meanwhile replaces what they asked for before. A latency runs from the asking to the last byte.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass
class Tally:
    """What some visitors met."""

    latencies: list[float] = field(default_factory=list)  # seconds, of pictures served
    failures: list[str] = field(default_factory=list)
    timely: int = 0  # pictures served while their visitor still dragged

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.latencies + other.latencies, self.failures + other.failures, self.timely + other.timely
        )


class Connection:
    """HTTP/1.1 over one kept socket, in few instructions: the clients share the server's cores."""

    def __init__(self, port: int):
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def _head(self, request: str, rest: bytes) -> tuple[int, bytes]:
        """Status and, in lower case, the head of the answer. Where the server has closed a socket that was
        idle for long, it is asked again on a new one, as a browser does."""
        message = f"{request}\r\nHost: localhost\r\n".encode() + rest
        try:
            return await self._ask(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.writer = None
            return await self._ask(message)

    async def _ask(self, message: bytes) -> tuple[int, bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(message)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        return int(head[9:12]), head

    async def _body(self, head: bytes) -> bytes:
        if b"transfer-encoding: chunked" in head:
            return b"".join([chunk async for chunk in self._chunks()])
        _, found, rest = head.partition(b"content-length:")
        return await self.reader.readexactly(int(rest.split(b"\r\n", 1)[0]) if found else 0)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readline(), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readline()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        status, head = await self._head(f"GET {path} HTTP/1.1", b"\r\n")
        return status, await self._body(head)

    async def post(self, path: str, data: Any) -> tuple[int, bytes]:
        """Status and body of the answer to a JSON."""
        body = json.dumps(data).encode()
        headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        status, head = await self._head(f"POST {path} HTTP/1.1", headers.encode() + body)
        return status, await self._body(head)

    async def events(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Server-sent events, until the server ends them."""
        _, head = await self._head(f"GET {path} HTTP/1.1", b"\r\n")
        if b"transfer-encoding: chunked" not in head:
            raise ConnectionError((await self._body(head)).decode())
        text = b""
        async for chunk in self._chunks():
            *whole, text = (text + chunk).split(b"\n\n")
            for event in whole:
                yield json.loads(event.removeprefix(b"data: "))


class Slider(Protocol):
    """Where a visitor drags."""

    async def picture(self, number: int) -> str:
        """Ask for picture `number` and read it. "" or what went wrong."""


class Route:
    """Ours: one request for the picture."""

    def __init__(self, connection: Connection, seed: int):
        self.connection, self.seed = connection, seed

    @classmethod
    def open(cls, port: int, seed: int) -> Route:
        return cls(Connection(port), seed)

    async def picture(self, number: int) -> str:
        value = f"z={number % 1000 * 0.005:.3f},{number // 1000}"
        status, body = await self.connection.get(
            f"/frame.png?seed={self.seed}&label=3&{value}&client=visitor{self.seed}"
        )
        whole = body.startswith(b"\x89PNG") and body.endswith(b"IEND\xaeB`\x82")
        return "" if status == 200 and whole else f"{status} {body[:100]!r}"


class Queue:
    """The stock recipe's, as Gradio's own page does it: join the queue, listen, fetch the picture's file."""

    def __init__(self, connection: Connection, stream: Connection, seed: int):
        self.connection, self.stream, self.seed = connection, stream, seed

    @classmethod
    def open(cls, port: int, seed: int) -> Queue:
        return cls(Connection(port), Connection(port), seed)

    async def picture(self, number: int) -> str:
        session = f"visitor{self.seed}"
        data = [self.seed % 2**31, number % 1600 * 0.005 - 4]
        join = {"data": data, "fn_index": 0, "session_hash": session, "event_data": None, "trigger_id": None}
        status, body = await self.connection.post("/gradio_api/queue/join", join)
        if status != 200:
            return f"{status} {body[:100]!r}"
        result: dict[str, Any] = {}
        async for event in self.stream.events(f"/gradio_api/queue/data?session_hash={session}"):
            if event["msg"] == "process_completed":
                result = event
        if not result.get("success"):
            return str(result)[:100]
        file = result["output"]["data"][0]["url"]
        status, body = await self.connection.get(file[file.index("/gradio_api/") :])
        whole = body.startswith(b"RIFF") and body[8:12] == b"WEBP"
        return "" if status == 200 and whole else f"{status} {body[:100]!r}"


KINDS = {"ours": Route, "stock": Queue}


async def visit(slider: Slider, seed: int, rate: float, seconds: float) -> Tally:
    """One visitor who drags for so long. No two visitors, and no two requests, are for the same picture."""
    tally = Tally()
    begin = time.perf_counter() + random.Random(seed).random() / rate
    last, sent = int(rate * seconds) - 1, -1
    while sent < last:
        newest = min(int((time.perf_counter() - begin) * rate), last)
        if newest <= sent or time.perf_counter() < begin:
            await asyncio.sleep(max(0.0, begin + (sent + 1) / rate - time.perf_counter()))
            continue
        sent = newest
        if failure := await slider.picture(sent):
            tally.failures.append(failure)
        else:
            now = time.perf_counter()
            tally.latencies.append(now - (begin + sent / rate))
            tally.timely += now <= begin + seconds
    return tally


def crowd(kind: str, port: int, seeds: range, rate: float, seconds: float) -> Tally:
    """Visitors of one client process."""

    async def together() -> list[Tally]:
        sliders = [KINDS[kind].open(port, seed) for seed in seeds]
        drags = (visit(slider, seed, rate, seconds) for slider, seed in zip(sliders, seeds, strict=True))
        return await asyncio.gather(*drags)

    return sum(asyncio.run(together()), Tally())
