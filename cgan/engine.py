"""The engine owns the device: weights stay there, noise and conditions go in, uint8 pictures come out.

One worker thread serves a bounded queue. What arrives while it computes is coalesced into its next batch, so
nobody waits for company when it is idle. A large request is computed in turns, so that it does not hold up
small ones.

Shapes: N pictures, C channels, H x W pixels, Z noise width, L directions.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgan.config import to_json
from cgan.dissection import Dissection
from cgan.inference import Sampler, resolve_device
from cgan.inversion import Guess, choices, embed
from cgan.latent import directions, principal
from cgan.model import METRICS, TIMELINE, ConditionalGAN, ModelError, check_size, read_json
from cgan.timeline import Snapshots
from cgan.types import Cond, Raw

DIRECTIONS = 16  # leading directions kept for each model
CONDITIONS, CONDITION_BYTES = 64, 16 * 2**20  # the most remembered for each model, fewer where maps are large
QUEUE_JOBS, QUEUE_PICTURES = 512, 4096  # the most that may wait


class Busy(RuntimeError):
    """The queue is full, or closed; ask again in a second."""


class Superseded(RuntimeError):
    """A newer request of the same client took this one's place before it was begun."""


@dataclass(frozen=True)
class Resident:
    """A model in the engine."""

    name: str
    model: ConditionalGAN  # as it was loaded, on the CPU
    sampler: Sampler  # the same weights on the device, made fast
    folder: Path | None
    directions: Tensor  # [L, Z]
    version: str  # changes with the weights and with the program

    @torch.inference_mode()
    def embed(self, raw: Raw) -> Cond:
        """What the generator sees of raw [N, ...], on the CPU."""
        return self.model.encoder.embed(raw)

    def condition(self, values: Mapping[str, str]) -> Cond:
        """What the generator sees of a condition's fields, of one picture. The latest are remembered: who
        drags the noise asks for the same each time. ValueError as `encoder.parse`."""
        return self._conditions(tuple(sorted(values.items())))()

    def remembers(self, values: Mapping[str, str]) -> bool:
        """Whether `condition` has its answer at hand."""
        return self._conditions(tuple(sorted(values.items()))).cache_info().currsize > 0

    @cached_property
    def _conditions(self) -> Callable[[tuple[tuple[str, str], ...]], Callable[[], Cond]]:
        """By its fields, what makes a condition, once."""
        parse = self.model.encoder.parse
        size = sum(part.nbytes for part in self.unconditional if part is not None)
        count = min(CONDITIONS, max(1, CONDITION_BYTES // size))
        return lru_cache(count)(lambda items: cache(lambda: self.embed(parse(dict(items)))))

    @cached_property
    def unconditional(self) -> Cond:
        """What the generator sees where nothing is asked, of one picture."""
        return self.embed(self.model.encoder.null(1))

    @cached_property
    def snapshots(self) -> Snapshots[Resident] | None:
        """The model along its training, as residents themselves; None where its folder has no timeline that
        can be read, or one without snapshots."""
        try:
            return (self.folder and Snapshots(self.model, self.folder, self._earlier)) or None
        except ModelError:
            return None

    def _earlier(self, model: ConditionalGAN) -> Resident:
        sampler = Sampler(model, self.sampler.device, record=False)  # it will go, and the engine is at work
        return dataclasses.replace(self, model=model, sampler=sampler, folder=None)

    @cached_property
    def dissection(self) -> Dissection:
        """Its generator opened up."""
        return Dissection(self.model)

    @cached_property
    def guess(self) -> Guess:
        """What noise a picture may come from, under each of the labels that can be tried one by one. The
        first asking takes a second."""
        return Guess(self.model, embed(self.model, choices(self.model.encoder)))

    @cached_property
    def principal(self) -> Tensor:
        """Directions [L, Z] by the components of early features. The first asking takes a second."""
        return principal(self.model, DIRECTIONS)

    def metrics(self) -> dict[str, Any]:
        """What its folder's metrics.json says; empty where there is none that can be read."""
        try:
            return read_json(self.folder / METRICS) if self.folder else {}
        except ModelError:
            return {}


@dataclass(eq=False)
class Job:
    """Pictures that somebody waits for."""

    resident: Resident
    noise: Tensor  # [N, Z] or [N, K, Z]
    cond: Cond  # of N pictures
    client: str | None
    future: Future[Tensor] = field(default_factory=Future)  # uint8 [N, C, H, W]
    taken: int = 0  # pictures handed to the device so far
    parts: list[Tensor] = field(default_factory=list)

    def joins(self, other: Job) -> bool:
        """Whether the two can be computed at once."""
        return self.resident is other.resident and self.noise.ndim == other.noise.ndim

    def take(self, most: int) -> tuple[Tensor, Cond]:
        """The next pictures to compute, at most so many."""
        count = len(self.noise)
        rows = slice(self.taken, min(self.taken + most, count))
        self.taken = rows.stop
        if rows == slice(0, count):
            return self.noise, self.cond
        return self.noise[rows], self.cond[rows]

    @property
    def exhausted(self) -> bool:
        """Whether every picture has been taken."""
        return self.taken == len(self.noise)

    def finish(self, result: Tensor | Exception) -> None:
        """Answer, unless whoever asked has gone."""
        if self.future.set_running_or_notify_cancel():
            if isinstance(result, Exception):
                self.future.set_exception(result)
            else:
                self.future.set_result(result)


class Engine:
    """Resident models and the one thread that runs them."""

    def __init__(
        self,
        models: Mapping[str, ConditionalGAN],
        device: str = "auto",
        folders: Mapping[str, Path] | None = None,
    ):
        """`models` by name, the first is the default. ValueError if there is none or the device is not
        there."""
        if not models:
            raise ValueError("the engine needs at least one model")
        self.device = resolve_device(device)
        self.models: dict[str, Resident] = {
            name: Resident(
                name=name,
                model=model,
                sampler=Sampler(model, self.device),
                folder=(folders or {}).get(name),
                directions=directions(model, DIRECTIONS),
                version=version(model, (folders or {}).get(name)),
            )
            for name, model in models.items()
        }
        self._queue: deque[Job] = deque()
        self._newest: dict[str, Job] = {}  # of each client, while nothing of it has been taken
        self._waiting = 0  # pictures not yet taken
        self._aside = False  # whether the last turn was not the oldest's
        self._closed = False
        self._wake = threading.Condition()
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._worker.start()

    @classmethod
    def load(cls, folders: Mapping[str, Path], device: str = "auto") -> Engine:
        """The engine with the models of these folders. Raises ModelError if one can't be used."""
        return cls({name: ConditionalGAN.load(path) for name, path in folders.items()}, device, folders)

    @property
    def queue_depth(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    def resident(self, name: str | None) -> Resident:
        """The model of that name, or the first. ValueError naming those there are."""
        if name is None:
            return next(iter(self.models.values()))
        if name not in self.models:
            raise ValueError(f"model must be one of {', '.join(self.models)}, got {name!r}")
        return self.models[name]

    def submit(
        self, model: str | Resident, noise: Tensor, cond: Cond, client: str | None = None
    ) -> Future[Tensor]:
        """Ask for the pictures of noise [N, Z], or [N, K, Z] for the K places that read it, under a condition
        of N; the future holds uint8 [N, C, H, W] on the CPU. `model`: its name, or a snapshot of one.

        What the same `client` waits for and was not begun is dropped: its futures raise Superseded. What was
        begun is finished, else someone who keeps asking would see nothing. Raises Busy if the queue is full
        and ValueError if the model is unknown or the shapes do not fit.
        """
        resident = model if isinstance(model, Resident) else self.resident(model)
        job = Job(resident, noise, cond, client)
        readers = len(job.resident.model.generator.readers)
        if [*noise.shape[:-1]] not in ([len(cond)], [len(cond), readers]) or not len(cond):
            accepted = f"[N, Z] or [N, {readers}, Z] under N conditions"
            raise ValueError(f"noise must be {accepted}, got {[*noise.shape]} and {len(cond)}")
        with self._wake:
            dropped = self._newest.get(client)
            if dropped:
                self._remove(dropped)
            full = len(self._queue) >= QUEUE_JOBS or self._waiting + len(noise) > QUEUE_PICTURES
            if not full and not self._closed:
                self._queue.append(job)
                self._waiting += len(noise)
                if client is not None:
                    self._newest[client] = job
                self._wake.notify()
        if dropped:
            dropped.finish(Superseded("a newer request of this client took its place"))
        if self._closed:
            raise Busy("the engine is closed")
        if full:
            raise Busy("too many requests wait; ask again in a second")
        return job.future

    def close(self) -> None:
        """Stop the worker; what waits is cancelled."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._worker.join()
        for job in self._queue:
            job.future.cancel()
        self._queue.clear()

    def _remove(self, job: Job) -> None:
        self._queue.remove(job)
        self._waiting -= len(job.noise) - job.taken
        self._begun(job)

    def _begun(self, job: Job) -> None:
        """A newer request no longer takes its place."""
        if job.client is not None and self._newest.get(job.client) is job:
            del self._newest[job.client]

    def _awaited(self) -> bool:
        """Whether anything is to be done, once what nobody waits for any more is forgotten."""
        for job in [job for job in self._queue if job.future.cancelled()]:
            self._remove(job)
        return bool(self._queue)

    def _first(self) -> Job:
        """Whose turn it is. The oldest goes on to its end, so that large ones are ready one after the other
        and not all at once; every other turn belongs to one that a single turn finishes."""
        oldest = self._queue[0]
        if oldest.taken and not self._aside:
            for job in self._queue:
                if job is not oldest and len(job.noise) - job.taken <= job.resident.sampler.batch:
                    self._aside = True
                    return job
        self._aside = False
        return oldest

    def _next_turn(self) -> list[tuple[Job, Tensor, Cond, bool]]:
        """Wait for work, then take what one model can compute at once: (job, noise, cond, whether it is the
        job's last) each. Empty when the engine closes."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._awaited())
            if self._closed:
                return []
            first, turn = self._first(), []
            room = first.resident.sampler.batch
            for job in [first, *self._queue]:
                if not job.joins(first) or job.exhausted:
                    continue
                noise, cond = job.take(room)
                self._waiting -= len(noise)
                room -= len(noise)
                self._begun(job)
                if job.exhausted:
                    self._queue.remove(job)
                turn.append((job, noise, cond, job.exhausted))
                if not room:
                    break
            return turn

    def _work(self) -> None:
        while turn := self._next_turn():
            jobs, noise, cond, last = zip(*turn, strict=True)
            try:
                pictures = jobs[0].resident.sampler(torch.cat(noise), Cond.cat(cond))
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait for an answer
                self._fail(jobs, error)
                continue
            for job, part, done in zip(
                jobs, pictures.split([len(part) for part in noise]), last, strict=True
            ):
                job.parts.append(part)
                if done:
                    job.finish(torch.cat(job.parts) if len(job.parts) > 1 else part)

    def _fail(self, jobs: tuple[Job, ...], error: Exception) -> None:
        with self._wake:
            for job in jobs:
                if job in self._queue:
                    self._remove(job)
        for job in jobs:
            job.finish(error)


def version(model: ConditionalGAN, folder: Path | None = None) -> str:
    """A short digest of what decides the answers about a model: its weights and configuration, the timeline
    and the figures in its folder, and this program with the judges and pictures that it keeps."""
    digest = hashlib.blake2b(program() + json.dumps(to_json(model.config)).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy())
    for path in (folder / METRICS, folder / TIMELINE) if folder else ():
        with suppress(ModelError, OSError):  # what can't be read decides nothing
            check_size(path)
            with open(path, "rb") as file:
                for block in iter(lambda: file.read(2**20), b""):
                    digest.update(block)
    return digest.hexdigest()[:12]


@lru_cache(1)
def program() -> bytes:
    """A digest of this program's modules and of the tensors that it keeps for all models."""
    home = Path(__file__).parent
    digest = hashlib.blake2b()
    for path in sorted([*home.rglob("*.py"), *(home.parent / "assets").glob("*/*.safetensors")]):
        if path.is_file():
            digest.update(path.relative_to(home.parent).as_posix().encode() + path.read_bytes())
    return digest.digest()
