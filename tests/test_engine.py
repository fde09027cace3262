"""The engine: whose picture is whose, turns, coalescing, the queue's bounds."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import CancelledError

import pytest
import torch

from cgan import engine as engine_module
from cgan.config import replace
from cgan.engine import Busy, Engine, Superseded, version
from cgan.model import TIMELINE
from cgan.types import Cond
from tests.conftest import tiny_model

PATIENCE = 20  # seconds


class Gate:
    """A sampler that waits to be let through, and remembers what it was asked for."""

    def __init__(self, sampler):
        self.sampler, self.batch = sampler, sampler.batch
        self.sizes: list[int] = []
        self.entered, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, noise, cond):
        self.sizes.append(len(noise))
        self.entered.release()
        assert self.open.acquire(timeout=PATIENCE)
        return self.sampler(noise, cond)

    def lift(self):
        self.open.release(1000)


@pytest.fixture
def engine(model):
    other = tiny_model(generator__widths=(4, 8))
    with_two = Engine({"one": model, "two": other}, "cpu")
    yield with_two
    for resident in with_two.models.values():
        if isinstance(resident.sampler, Gate):
            resident.sampler.lift()
    with_two.close()


@pytest.fixture
def gate(engine) -> Gate:
    """The first model's sampler, its worker held up by a first request that nobody cares for."""
    resident = engine.models["one"]
    gate = Gate(resident.sampler)
    engine.models["one"] = dataclasses.replace(resident, sampler=gate)
    engine.submit("one", *ask(engine, 1))
    assert gate.entered.acquire(timeout=PATIENCE)
    return gate


def ask(engine, count, seed=0, name="one"):
    model = engine.models[name].model
    return model.noise(seed, count), model.encoder.embed(model.encoder.sample(count, seed))


def expected(engine, count, seed=0, name="one"):
    model = engine.models[name].model
    with torch.inference_mode():
        return model.to_uint8(model.generator(*ask(engine, count, seed, name))).int()


def test_pictures_by_model(engine):
    for name in ("one", "two"):
        found = engine.submit(name, *ask(engine, 3, name=name)).result(PATIENCE)
        assert found.dtype == torch.uint8
        assert (found.int() - expected(engine, 3, name=name)).abs().max() <= 1


def test_a_condition_is_remembered_but_not_an_error(engine, monkeypatch):
    one, two = engine.models["one"], engine.models["two"]
    encoder = one.model.encoder
    asked, parse = [], encoder.parse
    monkeypatch.setattr(encoder, "parse", lambda values: asked.append(values) or parse(values))
    label, other = encoder.classes[:2]
    first = one.condition({"label": label})
    assert torch.equal(first.vector, one.embed(parse({"label": label})).vector)
    assert one.condition({"label": label}) is first
    assert not torch.equal(one.condition({"label": other}).vector, first.vector)
    assert two.condition({"label": label}) is not first
    for _ in range(2):
        with pytest.raises(ValueError, match="unknown label 'nobody'"):
            one.condition({"label": "nobody"})
    assert [values["label"] for values in asked] == [label, other, "nobody", "nobody"]
    assert [one.remembers({"label": name}) for name in (label, other, "nobody")] == [True, True, False]


def test_of_large_conditions_fewer_are_remembered(engine, monkeypatch):
    resident = dataclasses.replace(engine.models["one"])
    label, other = resident.model.encoder.classes[:2]
    monkeypatch.setattr("cgan.engine.CONDITION_BYTES", 1)
    first = resident.condition({"label": label})
    assert resident.condition({"label": label}) is first
    resident.condition({"label": other})
    assert resident.condition({"label": label}) is not first


def test_what_waits_is_computed_together_and_everybody_gets_his_own(engine, gate):
    futures = [engine.submit("one", *ask(engine, 1 + seed % 3, seed)) for seed in range(7)]
    assert engine.queue_depth == 7
    gate.lift()
    for seed, future in enumerate(futures):
        alone = gate.sampler(*ask(engine, 1 + seed % 3, seed))
        assert torch.equal(future.result(PATIENCE), alone), "company changed a picture"
    assert gate.sizes == [1, 13]


def test_requests_for_another_model_are_not_mixed_in(engine, gate):
    futures = [engine.submit(name, *ask(engine, 1, k, name)) for k, name in enumerate(["one", "two", "one"])]
    gate.lift()
    for seed, (name, future) in enumerate(zip(["one", "two", "one"], futures, strict=True)):
        assert torch.equal(future.result(PATIENCE), engine.models[name].sampler(*ask(engine, 1, seed, name)))
    assert gate.sizes == [1, 2, *gate.sizes[2:]]


def test_noise_of_each_layer_goes_by_itself(engine, gate):
    noise, cond = ask(engine, 2, 1)
    layers = noise[:, None].repeat(1, len(engine.models["one"].model.generator.readers), 1)
    layers[:, 0] *= -3
    asked = [noise, layers, noise, layers]
    futures = [engine.submit("one", each, cond) for each in asked]
    gate.lift()
    for each, future in zip(asked, futures, strict=True):
        assert torch.equal(future.result(PATIENCE), gate.sampler(each, cond))
    assert gate.sizes == [1, 4, 4]


def test_a_large_request_goes_in_turns_and_lets_others_through(engine, gate):
    finished = []
    large = engine.submit("one", *ask(engine, 60, 1))
    small = engine.submit("two", *ask(engine, 1, 2, "two"))
    large.add_done_callback(lambda _: finished.append("large"))
    small.add_done_callback(lambda _: finished.append("small"))
    gate.lift()
    assert torch.equal(large.result(PATIENCE), gate.sampler(*ask(engine, 60, 1)))
    small.result(PATIENCE)
    assert finished == ["small", "large"]
    assert gate.sizes[:5] == [1, 16, 16, 16, 12]


def test_large_requests_are_ready_one_after_the_other(engine, gate):
    """Not all at once: whoever drags a slider over a grid would see only the last of them."""
    first, second = (engine.submit("one", *ask(engine, 2 * gate.batch, seed)) for seed in (1, 2))
    gate.open.release(3)  # the fixture's request, and two turns
    first.result(PATIENCE)
    assert not second.done()
    gate.lift()
    assert torch.equal(second.result(PATIENCE), gate.sampler(*ask(engine, 2 * gate.batch, 2)))


def test_small_requests_have_every_other_turn(engine, gate):
    large = engine.submit("one", *ask(engine, 3 * gate.batch, 1))
    small = [engine.submit("two", *ask(engine, 1, seed, "two")) for seed in range(2)]
    gate.open.release(2)  # the fixture's request, and one turn of the large one
    for future in small:
        future.result(PATIENCE)
    assert not large.done()


def test_a_newer_request_of_a_client_drops_his_older_ones(engine, gate):
    old = [engine.submit("one", *ask(engine, 1, seed), client="a") for seed in range(3)]
    other = engine.submit("one", *ask(engine, 1, 8), client="b")
    newest = engine.submit("one", *ask(engine, 1, 9), client="a")
    anonymous = [engine.submit("one", *ask(engine, 1, seed)) for seed in range(2)]
    for future in old:
        with pytest.raises(Superseded):
            future.result(PATIENCE)
    assert engine.queue_depth == 4
    gate.lift()
    assert torch.equal(newest.result(PATIENCE), gate.sampler(*ask(engine, 1, 9)))
    assert torch.equal(other.result(PATIENCE), gate.sampler(*ask(engine, 1, 8)))
    for seed, future in enumerate(anonymous):
        assert torch.equal(future.result(PATIENCE), gate.sampler(*ask(engine, 1, seed)))


def test_what_was_begun_is_finished_though_its_client_asks_on(engine, gate):
    begun = engine.submit("one", *ask(engine, 3 * gate.batch, 1), client="a")
    gate.open.release()  # the fixture's request; the worker goes on to the first turn of this one
    assert gate.entered.acquire(timeout=PATIENCE)
    waiting = engine.submit("one", *ask(engine, 1, 2), client="a")
    newest = engine.submit("one", *ask(engine, 1, 3), client="a")
    gate.lift()
    with pytest.raises(Superseded):
        waiting.result(PATIENCE)
    assert torch.equal(begun.result(PATIENCE), gate.sampler(*ask(engine, 3 * gate.batch, 1)))
    assert torch.equal(newest.result(PATIENCE), gate.sampler(*ask(engine, 1, 3)))


def test_a_full_queue_refuses_and_recovers(engine, gate, monkeypatch):
    monkeypatch.setattr(engine_module, "QUEUE_JOBS", 3)
    waiting = [engine.submit("one", *ask(engine, 1)) for _ in range(3)]
    with pytest.raises(Busy):
        engine.submit("one", *ask(engine, 1))
    gate.lift()
    for future in waiting:
        future.result(PATIENCE)
    engine.submit("one", *ask(engine, 1)).result(PATIENCE)


def test_the_queue_is_bounded_in_pictures_too(engine, gate, monkeypatch):
    monkeypatch.setattr(engine_module, "QUEUE_PICTURES", 10)
    first = engine.submit("one", *ask(engine, 10), client="a")
    with pytest.raises(Busy):
        engine.submit("one", *ask(engine, 1))
    replacing = engine.submit("one", *ask(engine, 10), client="a")
    gate.lift()
    with pytest.raises(Superseded):
        first.result(PATIENCE)
    assert len(replacing.result(PATIENCE)) == 10
    engine.submit("one", *ask(engine, 10)).result(PATIENCE)


def test_a_request_that_nobody_waits_for_any_more_disturbs_nobody(engine, gate):
    gone = engine.submit("one", *ask(engine, 1, 1))
    kept = engine.submit("one", *ask(engine, 1, 2))
    assert gone.cancel()
    gate.lift()
    assert torch.equal(kept.result(PATIENCE), gate.sampler(*ask(engine, 1, 2)))
    assert gate.sizes == [1, 1], "it was not computed"


def test_a_request_is_given_up_between_two_turns(engine, gate, monkeypatch):
    large = engine.submit("one", *ask(engine, 3 * gate.batch, 1))
    gate.open.release()  # the fixture's request; the worker goes on to the first turn of this one
    assert gate.entered.acquire(timeout=PATIENCE)
    assert large.cancel()
    gate.lift()
    monkeypatch.setattr(engine_module, "QUEUE_PICTURES", gate.batch)
    while engine.queue_depth:
        time.sleep(0.001)
    kept = engine.submit("one", *ask(engine, gate.batch, 2))
    assert torch.equal(kept.result(PATIENCE), gate.sampler(*ask(engine, gate.batch, 2)))
    assert gate.sizes == [1, gate.batch, gate.batch]


def test_a_fault_reaches_those_it_concerns_and_the_engine_lives_on(engine, gate):
    bad = engine.submit("one", torch.zeros(40, 3), ask(engine, 40)[1])
    gate.lift()
    with pytest.raises(RuntimeError):
        bad.result(PATIENCE)
    assert engine.queue_depth == 0
    assert len(engine.submit("one", *ask(engine, 2)).result(PATIENCE)) == 2
    assert len(engine.submit("one", *ask(engine, 4000)).result(PATIENCE)) == 4000


def test_closing_cancels_what_waits(model):
    engine = Engine({"one": model}, "cpu")
    resident = engine.models["one"]
    gate = Gate(resident.sampler)
    engine.models["one"] = dataclasses.replace(resident, sampler=gate)
    running = engine.submit("one", *ask(engine, 1))
    assert gate.entered.acquire(timeout=PATIENCE)
    waiting = engine.submit("one", *ask(engine, 1))
    gate.lift()
    engine.close()
    assert running.done()
    with pytest.raises(CancelledError):
        waiting.result(0) if not waiting.done() or waiting.cancelled() else pytest.fail("was computed")
    with pytest.raises(Busy, match="closed"):
        engine.submit("one", *ask(engine, 1))


@pytest.mark.parametrize(
    ("name", "noise", "message"),
    [
        ("three", torch.zeros(1, 5), "model must be one of one, two, got 'three'"),
        ("one", torch.zeros(0, 5), "noise must be"),
        ("one", torch.zeros(5), "noise must be"),
        ("one", torch.zeros(2, 5), "noise must be"),
        ("one", torch.zeros(1), "noise must be"),
        ("one", torch.zeros(1, 2, 5), r"noise must be \[N, Z\] or \[N, 3, Z\]"),
    ],
)
def test_bad_requests(engine, name, noise, message):
    with pytest.raises(ValueError, match=message):
        engine.submit(name, noise, Cond(torch.zeros(1, 3)))


def test_no_models_no_engine():
    with pytest.raises(ValueError, match="at least one model"):
        Engine({})


def test_the_version_follows_the_weights(model):
    again, other = tiny_model(), tiny_model()
    other.generator.stem.bias[0] += 1
    assert version(again) == version(model)
    assert version(other) != version(model)
    other.generator.stem.bias[0] -= 1
    assert version(other) == version(model)
    other.discriminator.projection.weight[0] += 1
    assert version(other) != version(model), "the discriminator's scores are answers too"


def test_the_version_follows_the_figures(model, tmp_path):
    bare = version(model, tmp_path)
    assert bare == version(model)
    (tmp_path / "metrics.json").write_text("{}")
    assert version(model, tmp_path) != bare
    figured = version(model, tmp_path)
    (tmp_path / TIMELINE).write_bytes(b"a timeline")
    assert version(model, tmp_path) != figured


def test_the_version_follows_the_configuration_and_the_program(model, monkeypatch):
    known = version(model)
    other = tiny_model()
    other.config = replace(other.config, generator__noise="uniform")
    assert version(other) != known
    monkeypatch.setattr("cgan.engine.program", lambda: b"another program")
    assert version(model) != known


def test_load_from_folders(tmp_path, model):
    model.save(tmp_path / "one")
    engine = Engine.load({"one": tmp_path / "one"}, "cpu")
    try:
        assert engine.resident(None).metrics() == {}
        (tmp_path / "one" / "metrics.json").write_text('{"training": {"kimg": 3}}')
        assert engine.resident("one").metrics() == {"training": {"kimg": 3}}
        found = engine.submit("one", *ask(engine, 2)).result(PATIENCE)
        assert (found.int() - expected(engine, 2)).abs().max() <= 1
    finally:
        engine.close()
