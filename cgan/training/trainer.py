"""The trainer: a resident data set, the step of `steps.py`, a running average, checkpoints.

A run is a pure function of its config and data: every step's randomness is reseeded from (seed, images
seen), so a run that was killed and resumed ends with the weights of an uninterrupted one.

Shapes: N pictures, C channels, H x W pixels.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim import Adam, Optimizer
from tqdm import tqdm

from cgan import memory, timeline
from cgan.config import AdamOptions, Config, from_json, to_json
from cgan.data import Images
from cgan.model import ConditionalGAN
from cgan.networks import Discriminator
from cgan.precision import autocast
from cgan.rng import step_seed
from cgan.training import checkpoint
from cgan.training.ema import EMA
from cgan.training.feed import Feed
from cgan.training.graph import CudaGraphs, Recorded
from cgan.training.health import Watch, pixel_variety
from cgan.training.lasting import goes_on, lasting, with_ranges
from cgan.training.log import Log
from cgan.training.provenance import commit
from cgan.training.steps import Players, due_at, encoder_turn, train_step
from cgan.training.stopping import asked_to_stop

AGREE = 8  # steps after which several processes ask each other whether to stop
Evaluate = Callable[[ConditionalGAN], dict[str, float]]


class TrainingError(RuntimeError):
    """Training can't go on, in one line."""


class Diverged(TrainingError):
    """A loss or a weight is no longer finite."""


class Trainer:
    """Trains one model in one folder. The same call on the same folder resumes."""

    def __init__(
        self,
        config: Config,
        data: Images,
        folder: Path,
        evaluate: Evaluate | None = None,
        start: ConditionalGAN | None = None,
    ):
        """`start`: whose weights to begin from, as far as they fit. ValueError if none of the blocks does,
        CheckpointError if the folder's checkpoint is damaged."""
        self.config, self.folder, self.evaluate = config, Path(folder), evaluate
        options = config.training
        self.accelerator = Accelerator(
            cpu=not torch.accelerator.is_available()
        )  # else CPU processes do not meet
        if options.threads:  # after Accelerator, which sets a number of its own in each of several processes
            torch.set_num_threads(options.threads)
        self.device = self.accelerator.device
        if self.device.type == "cpu":
            memory.keep()
        torch.manual_seed(options.seed)
        found, earlier = config.model(data.targets, data.size, data.channels), checkpoint.read(self.folder)
        known = earlier[1].get("condition") if earlier else None
        self.model = ConditionalGAN(with_ranges(found, known, self._tell))
        self.begins_from_another = start is not None
        self.encoder_alone = 1000 * options.encoder_kimg if start else 0.0  # pictures
        if start:
            _begin_from(start, self.model, self._tell)
        self.model.to(self.device, memory_format=torch.channels_last)
        self.feed = Feed(
            data.images.to(self.device),
            self.model.encoder.encode(data.targets).to(self.device),
            self.model,
            options,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        self.model.encoder.remember(self.feed.raw)
        self._fix_references()
        self.sampler = torch.nn.ModuleList([self.model.encoder, self.model.generator])
        self.ema = EMA(self.sampler, options.ema_kimg)
        self.players = Players(
            model=self.model,
            generator_optimizer=_adam(
                options.generator_optimizer, self.device, generator=self.model.generator
            ),
            discriminator_optimizer=_adam(
                options.discriminator_optimizer,
                self.device,
                discriminator=self.model.discriminator,
                encoder=self.model.encoder,
            ),
            autocast=partial(autocast, self.device, options.precision),
            reduce_gradients=self._reduce_gradients,
        )
        share = options.batch // self.accelerator.num_processes
        self.rows = torch.zeros(
            options.discriminator_steps, share, dtype=torch.long, device=self.device
        )  # of the pictures that the next step takes
        self.update = Recorded(self._update, self._recorder())
        self.images_seen, self.seconds = 0, 0.0
        self.commits: list[str] = []  # of the code that trained: several where a run was resumed on another
        self.snapshots: list[tuple[float, dict[str, Tensor]]] = []
        self.curve: list[dict[str, float]] = []
        self.probe = self.feed.batch(0)
        self.watch, self.present_faults = Watch(), set[str]()
        self.faults: list[dict[str, Any]] = []  # what went wrong, and when it began

    def fit(self) -> ConditionalGAN:
        """Train to the end. Returns the averaged model; `folder.finish` makes a model folder of it.

        Raises Diverged, a TrainingError, if a loss or weight is not finite, TrainingError if the folder holds
        another run, CheckpointError if a checkpoint can't be written. Asked to stop it saves a checkpoint of
        its last step and raises KeyboardInterrupt.
        """
        options, total = self.config.training, math.ceil(self.config.training.kimg * 1000)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()
        if (code := commit()) not in self.commits:
            self.commits.append(code)
        log = Log(self.folder, self.images_seen, enabled=self.accelerator.is_main_process)
        started, saved = time.monotonic() - self.seconds, self.images_seen
        several = self.accelerator.num_processes > 1  # which their launcher asks again
        stopped = False
        with closing(log), self._bar(total) as bar, asked_to_stop(patient=several) as stop:
            self._milestones(log)
            while self.images_seen < total:
                before = self.images_seen
                figures = self.step()
                bar.update(self.images_seen - before)
                log.collect(figures)
                stopped = self._all_stop(stop())
                ends = stopped or self.images_seen >= total
                due = ends or self.images_seen - saved >= options.checkpoint_kimg * 1000
                if due or log.full:
                    means, fault = log.flush(self.images_seen)
                    if fault:
                        raise self._failure(fault.name, fault.steps_ago)
                    self._watch(means, log)
                    bar.set_postfix({name: f"{value:.2f}" for name, value in means.items() if "loss" in name})
                self.seconds = time.monotonic() - started
                self._milestones(log)
                self.seconds = time.monotonic() - started  # with the measuring
                if due:
                    self.save_checkpoint()
                    saved = self.images_seen
                if stopped:
                    break
        if stopped:  # by another process: the block above has raised in the one that was asked
            raise KeyboardInterrupt
        return self.averaged()

    def _all_stop(self, asked: bool) -> bool:
        """Whether any process was asked to stop: they all do, at the same step, one in `AGREE`."""
        options = self.config.training
        if self.accelerator.num_processes == 1:
            return asked
        if self.images_seen // (options.batch * options.discriminator_steps) % AGREE:
            return False
        return bool(self.accelerator.reduce(torch.tensor(float(asked), device=self.device)))

    def _tell(self, line: str) -> None:
        """One line on stderr, above the bar, whatever the number of processes."""
        if self.accelerator.is_main_process:
            tqdm.write(line, file=sys.stderr)

    def _bar(self, total: int) -> tqdm:
        return tqdm(
            total=total,
            initial=self.images_seen,
            unit="img",
            unit_scale=True,
            disable=not self.accelerator.is_main_process,
            smoothing=0.05,
            mininterval=1 if sys.stderr.isatty() else 30,
        )

    def step(self) -> dict[str, Tensor]:
        """One step of the run, from wherever it is."""
        options, accelerator = self.config.training, self.accelerator
        torch.manual_seed(step_seed(options.seed, self.images_seen, accelerator.process_index))
        shown = options.batch * options.discriminator_steps
        self._schedule()
        self.ema.schedule(shown, self.images_seen + shown)
        starts = range(self.images_seen, self.images_seen + shown, options.batch)
        torch.stack([self.feed.rows(start) for start in starts], out=self.rows)
        alone = self.images_seen < self.encoder_alone
        figures = self.update(None if alone else due_at(self.config.regularizers, self.images_seen // shown))
        self.images_seen += shown
        return figures

    def _update(self, due: frozenset[str] | None) -> dict[str, Tensor]:
        """What the device does in a step, a function of `due` (None while the encoder learns alone) and of
        tensors that stay: `rows`, the learning rates and the average's weight are written before."""
        batches = [self.feed.at(rows) for rows in self.rows]
        if due is None:
            for batch in batches:
                figures = encoder_turn(self.players, self.config, batch)
        else:
            figures = train_step(self.players, self.config, batches, due)
        self._reduce_statistics()
        self.ema.update(self.sampler)
        return figures

    def _recorder(self) -> CudaGraphs | None:
        if self.device.type != "cuda":
            return None
        if self.accelerator.num_processes > 1:
            self._tell("steps run one launch at a time: no CUDA graph spans several processes")
            return None
        return CudaGraphs(self.device)

    def averaged(self) -> ConditionalGAN:
        """The model with the averaged encoder and generator, in evaluation mode, on the CPU."""
        model = ConditionalGAN(self.model.config)
        encoder, generator = self.ema.average
        model.encoder.load_state_dict(encoder.state_dict())
        model.generator.load_state_dict(generator.state_dict())
        model.discriminator.load_state_dict(self.model.discriminator.state_dict())
        return model.eval().requires_grad_(False)

    def _fix_references(self) -> None:
        """Give virtual batch norm its reference batches: the first real batch, of which every process has
        the whole, and noise under its conditions."""
        first = Feed(self.feed.images, self.feed.raw, self.model, self.config.training).batch(0)
        cond = self.model.encoder.embed(first.raw)
        noise = self.model.noise(self.config.training.seed, len(first.images)).to(self.device)
        self.model.generator.reference.fix(noise, cond)
        for critic in self.model.discriminator.modules():
            if isinstance(critic, Discriminator):
                critic.reference.fix(first.images, cond)

    def _schedule(self) -> None:
        options = self.config.training
        share = options.rate(self.images_seen / 1000)
        for optimizer, adam in (
            (self.players.generator_optimizer, options.generator_optimizer),
            (self.players.discriminator_optimizer, options.discriminator_optimizer),
        ):
            for group in optimizer.param_groups:
                full = (options.encoder_lr if group["part"] == "encoder" else 0.0) or adam.lr
                group["lr"].fill_(full * share)

    def _milestones(self, log: Log) -> None:
        """Snapshots and evaluations that are due at the pictures seen so far."""
        options, kimg = self.config.training, self.images_seen / 1000
        due = timeline.marks(options.kimg, options.snapshots)
        if len(self.snapshots) < len(due) and kimg >= due[len(self.snapshots)]:
            self.snapshots.append((kimg, timeline.compress(self.averaged().sampler_state())))
        if not options.evaluate_kimg or not self.accelerator.is_main_process:
            return
        last = self.curve[-1]["kimg"] if self.curve else 0.0
        if kimg - last >= options.evaluate_kimg or (kimg >= options.kimg and last < kimg):
            model = self.averaged()
            figures = self.evaluate(model) if self.evaluate else {}
            self.curve.append({"kimg": kimg, "seconds": self.seconds, **figures})
            log.evaluation(figures, model, self.images_seen)

    def _watch(self, means: dict[str, float], log: Log) -> None:
        """Name what goes wrong, in the log and in `faults`, when it begins."""
        encoder, generator = self.ema.average
        means["health/variety"] = pixel_variety(
            lambda noise, raw: generator(noise, encoder.embed(raw)),
            (self.model.noise(0, len(self.probe.images)), self.model.noise(1, len(self.probe.images))),
            self.probe,
        )
        faults = self.watch.faults(means)
        for fault in faults:
            if fault not in self.present_faults:
                self.faults.append({"kimg": self.images_seen / 1000, "fault": fault})
                self._tell(f"{self.images_seen / 1000:.0f} kimg: {fault}")
        self.present_faults = set(faults)
        log.health(means["health/variety"], faults, self.images_seen)

    def save_checkpoint(self) -> None:
        """Write the whole state, once all weights are known to be finite."""
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise self._failure(f"the weight {name}")
        tensors = checkpoint.pack("model", self.model.state_dict())
        tensors |= checkpoint.pack("ema", self.ema.average.state_dict())
        tensors |= checkpoint.pack(
            "generator_optimizer", self.players.generator_optimizer.state_dict()["state"]
        )
        tensors |= checkpoint.pack(
            "discriminator_optimizer", self.players.discriminator_optimizer.state_dict()["state"]
        )
        for k, (_, state) in enumerate(self.snapshots):
            tensors |= checkpoint.pack(f"snapshot/{k}", state)
        meta = {
            "config": to_json(self.config),
            "condition": to_json(self.model.config.condition),  # as the data completed it
            "begins_from_another": self.begins_from_another,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "commits": self.commits,
            "snapshots": [kimg for kimg, _ in self.snapshots],
            "curve": self.curve,
            "faults": self.faults,
            "present_faults": sorted(self.present_faults),
            "watch": vars(self.watch),
        }
        if self.accelerator.is_main_process:
            checkpoint.write(self.folder, tensors, meta)

    def _resume(self) -> None:
        found = earlier(self.folder, self.config)
        if found is None:
            return
        tensors, meta = found
        known = to_json(self.model.config.condition)
        if lasting(meta.get("condition", known)) != lasting(known):
            raise TrainingError(
                f"{self.folder} holds a run on data with other classes, attributes or words: "
                "give the same data, or another --out"
            )
        if (began := meta.get("begins_from_another", self.begins_from_another)) != self.begins_from_another:
            how = "began from another model: give the same --init" if began else "began anew: give no --init"
            raise TrainingError(f"{self.folder} holds a run that {how}, or another --out")
        self.model.load_state_dict(checkpoint.unpack("model", tensors))
        self.ema.average.load_state_dict(checkpoint.unpack("ema", tensors))
        for name in ("generator_optimizer", "discriminator_optimizer"):
            checkpoint.load_optimizer(getattr(self.players, name), checkpoint.unpack(name, tensors))
        self.update.forget()
        self.images_seen, self.seconds, self.curve = meta["images_seen"], meta["seconds"], meta["curve"]
        self.commits, self.faults = meta["commits"], meta["faults"]
        self.present_faults, self.watch = set(meta.get("present_faults", [])), Watch(**meta.get("watch", {}))
        self.snapshots = [
            (kimg, checkpoint.unpack(f"snapshot/{k}", tensors)) for k, kimg in enumerate(meta["snapshots"])
        ]

    def _failure(self, what: str, steps_ago: int = 0) -> Diverged:
        path, options = self.folder / checkpoint.CHECKPOINT, self.config.training
        kept = (
            f"the last good checkpoint is {path}" if path.exists() else "no checkpoint had been written yet"
        )
        shown = options.batch * options.discriminator_steps
        step = self.images_seen // shown - steps_ago
        return Diverged(f"{what} is not finite at step {step} ({step * shown} images); {kept}")

    def _reduce_gradients(self, optimizer: Optimizer) -> None:
        """Average gradients over processes. (DistributedDataParallel does not go with gradient penalties.)"""
        if self.accelerator.num_processes == 1:
            return
        gradients = [
            p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        flat = self.accelerator.reduce(torch.cat([g.flatten() for g in gradients]), reduction="mean")
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def _reduce_statistics(self) -> None:
        """Average the encoder's running statistics over processes: the generator learns by them, and a
        checkpoint holds those of one."""
        if self.accelerator.num_processes == 1:
            return
        for name, buffer in self.model.encoder.named_buffers():
            if buffer.is_floating_point() and name != "bank":
                buffer.copy_(self.accelerator.reduce(buffer, reduction="mean"))


def earlier(folder: Path, config: Config) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The checkpoint in the folder, if any, of a run with these options. TrainingError if it has others,
    CheckpointError if it is damaged."""
    found = checkpoint.read(folder)
    if found and not goes_on(from_json(Config, found[1]["config"]), config, found[1]["images_seen"] / 1000):
        raise TrainingError(f"{folder} holds a run with other options: give the same ones, or another --out")
    return found


def _begin_from(start: ConditionalGAN, model: ConditionalGAN, tell: Callable[[str], None]) -> None:
    """Give `model` the weights of `start` that fit, and tell which begin anew, as they must where the data
    have other classes or words (Wang et al. 2018, "Transferring GANs"). ValueError if no block of the
    generator's fits."""
    own, given = model.state_dict(), start.state_dict()
    fitting = {name: t for name, t in given.items() if name in own and own[name].shape == t.shape}
    if not any(name.startswith("generator.blocks.") and t.ndim == 4 for name, t in fitting.items()):
        shapes = " and ".join(str(each.config.generator.widths) for each in (start, model))
        raise ValueError(f"no block of the model to begin from fits: generator.widths are {shapes}")
    model.load_state_dict(fitting, strict=False)
    if anew := sorted(own.keys() - fitting.keys()):
        tell(f"begins anew: {', '.join(anew)}")


def _adam(options: AdamOptions, device: torch.device, **parts: torch.nn.Module) -> Adam:
    """Of each part's weights, with a learning rate of its own in a tensor, of the precision that the fused
    kernel of the device reads."""
    precision = torch.float64 if device.type == "cpu" else torch.float32
    groups = [
        {
            "params": list(weights.parameters()),
            "lr": torch.tensor(options.lr, dtype=precision, device=device),
            "part": name,
        }
        for name, weights in parts.items()
    ]
    return Adam(groups, betas=(options.beta1, options.beta2), fused=True, capturable=True)
