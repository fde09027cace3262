"""The benchmarks: what they count. Nothing here is timed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import torch

from benchmarks import engine as benchmark
from benchmarks import training
from benchmarks.visitors import visit
from cgan.conditions.label import Label
from cgan.engine import Engine
from cgan.model import BUNDLED
from cgan.regularizers.gradients import R1
from tests.conftest import tiny_config


class Slow:
    """A server that needs so many seconds for each picture."""

    def __init__(self, seconds: float):
        self.seconds = seconds

    async def picture(self, number: int) -> str:
        await asyncio.sleep(self.seconds)
        return ""


def test_what_comes_after_the_seconds_is_not_served_in_them():
    late = asyncio.run(visit(Slow(0.3), seed=0, rate=10, seconds=0.2))
    assert (len(late.latencies), late.timely) == (2, 0)
    early = asyncio.run(visit(Slow(0), seed=0, rate=2, seconds=1))
    assert len(early.latencies) == early.timely == 2
    assert (late + early).timely == 2


def test_neither_side_of_the_engine_encodes_conditions(monkeypatch):
    engine = Engine.load({"mnist-article": BUNDLED / "mnist-article"}, "cpu")
    case = benchmark.Case(engine, engine.models["mnist-article"], 2)
    monkeypatch.setattr(type(case.plain_model.encoder), "embed", lambda *_: pytest.fail("it encoded"))
    assert (case.plain().float() - case.ours().float()).abs().mean() < 0.25
    engine.close()


def test_a_turn_has_all_that_is_due_in_its_steps(capsys):
    with pytest.raises(SystemExit, match="2"):
        training.main(["--steps", "8"])
    assert "--steps must be a multiple of 16" in capsys.readouterr().err


class Replay:
    """Records as CUDA graphs do: what is replayed is not seen to be done."""

    def run(self, function: Callable[[], object]) -> object:
        return function()

    def record(self, function: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        done = function()
        return lambda: done


def test_work_is_counted_before_it_is_recorded(monkeypatch):
    config = tiny_config(condition=Label(), regularizers={"r1": R1(every=16)})
    plainly = training.warm(training.loop("ours", config))
    monkeypatch.setattr(training.Trainer, "_recorder", lambda self: Replay())
    own = training.loop("ours", config)
    assert training.warm(own) == plainly > 0
    assert training.flops(own.step, 16) == 0, "by now it is recorded"
