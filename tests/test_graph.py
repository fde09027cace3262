"""Recording a step: on a tape of what PyTorch dispatches, which knows no Python, as a CUDA graph does not."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch.utils import _pytree as tree
from torch.utils._python_dispatch import TorchDispatchMode

from cgan.conditions.text import Text
from cgan.config import replace
from cgan.data import Images
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.gradients import R1
from cgan.regularizers.matching import Matching
from cgan.training.graph import WARM_UP, Recorded
from cgan.training.trainer import Trainer
from tests.conftest import tiny_config, tiny_data
from tests.test_training import VARIANTS, same

WAITS = {  # for the device, or copy a number of Python's to it: no CUDA graph records these
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.lift_fresh.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
}
TURNS = {torch.ops.aten.transpose_.default}  # a tensor stays turned: nothing to repeat


class Taped(TorchDispatchMode):
    """Notes every operation with the tensors that it took and gave."""

    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert function not in WAITS, function
        given = function(*args, **(kwargs or {}))
        if function not in TURNS:
            kept = tree.tree_map_only(torch.Tensor, torch.Tensor.detach, given)
            self.operations.append((function, args, kwargs or {}, kept))
        return given


class Tapes:
    """Stands in for CudaGraphs."""

    def __init__(self, trainer: Trainer):
        self.trainer = trainer

    def run(self, function):
        return function()

    def record(self, function):
        state = list(everything(self.trainer).values())
        before, drawn = [tensor.clone() for tensor in state], torch.get_rng_state()
        with Taped() as tape:
            output = function()
        with torch.no_grad():
            for tensor, kept in zip(state, before, strict=True):
                tensor.copy_(kept)
        torch.set_rng_state(drawn)

        @torch.no_grad()
        def replay():
            for operation, args, kwargs, given in tape.operations:
                again = operation(*args, **kwargs)
                for old, new in zip(tree.tree_leaves(given), tree.tree_leaves(again), strict=True):
                    if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)
            return output

        return replay


def everything(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All that a step moves."""
    state = {f"model/{name}": tensor for name, tensor in trainer.model.state_dict().items()}
    state |= {f"ema/{name}": tensor for name, tensor in trainer.ema.average.state_dict().items()}
    for player in ("generator", "discriminator"):
        optimizer = getattr(trainer.players, f"{player}_optimizer")
        for k, moments in optimizer.state_dict()["state"].items():
            state |= {f"{player}/{k}/{name}": tensor for name, tensor in moments.items()}
    return state


def captions(count: int = 64) -> Images:
    data = tiny_data(count)
    texts = [[("a dark one", "bright", "neither, nor")[label]] for label in data.targets["label"].tolist()]
    return Images(data.images, {"text": texts})


RECORDED = {name: (changes, tiny_data) for name, changes in VARIANTS.items()} | {
    "captions": (
        {
            "condition": Text(),
            "regularizers": {"matching": Matching(), "auxiliary": Auxiliary(every=2), "r1": R1(every=3)},
            "training__condition_dropout": 0.2,
            "training__clip_weights": 0.5,
            "augment__cutout": 0.3,
            "augment__brightness": 0.2,
        },
        captions,
    )
}


@pytest.mark.parametrize(("changes", "data"), RECORDED.values(), ids=RECORDED)
def test_a_replay_is_a_step(tmp_path, changes, data):
    config = replace(tiny_config(**changes), training__kimg=1.0, training__decay_kimg=0.9)
    plain, taped = (Trainer(config, data(), tmp_path / name) for name in ("plain", "taped"))
    calls = Counter()

    def update(due):
        calls[due] += 1
        return taped._update(due)

    taped.update = Recorded(update, Tapes(taped))
    collected = []
    for _ in range(24):
        figures = plain.step()
        collected.append((figures, taped.step()))
    for figures, replayed in collected:  # after all: a replay leaves earlier figures as they were
        assert same(figures, replayed)
    assert same(everything(plain), everything(taped))
    assert max(calls.values()) == WARM_UP + 1


def test_what_can_not_be_recorded_runs_as_it_is(tmp_path, capsys):
    class Failing(Tapes):
        def record(self, function):
            super().record(function)
            raise RuntimeError("the operation is not permitted\nwhen a stream is capturing")

    plain, failing = (Trainer(tiny_config(), tiny_data(), tmp_path / name) for name in ("plain", "failing"))
    failing.update = Recorded(failing._update, Failing(failing))
    for _ in range(WARM_UP + 3):
        assert same(plain.step(), failing.step())
    assert same(everything(plain), everything(failing))
    assert capsys.readouterr().err.splitlines() == [
        "steps run one launch at a time: no CUDA graph of them (the operation is not permitted)"
    ]


def test_a_step_that_breaks_off_leaves_the_discriminator_learning(tmp_path, monkeypatch):
    trainer = Trainer(tiny_config(), tiny_data(), tmp_path)

    def broken():
        raise RuntimeError

    monkeypatch.setattr(trainer.players.generator_optimizer, "step", broken)
    with pytest.raises(RuntimeError):
        trainer.step()
    assert all(weight.requires_grad for weight in trainer.model.parameters())


def test_a_resumed_run_is_recorded_anew(tmp_path):
    trainer = Trainer(tiny_config(), tiny_data(), tmp_path / "broken")
    trainer.folder.mkdir()
    trainer.update = Recorded(trainer._update, Tapes(trainer))
    for _ in range(WARM_UP + 2):
        trainer.step()
    trainer.save_checkpoint()
    trainer.fit()  # its optimisers' tensors are others now
    whole = Trainer(tiny_config(), tiny_data(), tmp_path / "whole")
    whole.fit()
    assert same(everything(whole), everything(trainer))
