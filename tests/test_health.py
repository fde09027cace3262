"""What goes wrong in training is named when it happens, and not otherwise."""

from __future__ import annotations

import json

import pytest
import torch

from cgan.config import AdamOptions
from cgan.training.folder import finish
from cgan.training.health import Watch, pixel_variety
from cgan.training.log import Log
from cgan.training.trainer import Trainer
from cgan.types import Batch
from tests.conftest import tiny_config, tiny_data

NOISES = (torch.zeros(4, 1), torch.ones(4, 1))
REAL = Batch(torch.tensor([0.0, 1.0, 0.0, 1.0]).view(4, 1, 1, 1), torch.zeros(4, 1))
HEALTHY = {"health/variety": 0.8, "health/order": 0.8, "gradient/generator": 1.0}


def test_noise_variety_by_hand():
    assert pixel_variety(lambda noise, raw: 0.5 * noise.view(4, 1, 1, 1), NOISES, REAL) == pytest.approx(0.5)
    assert pixel_variety(lambda noise, raw: torch.ones(4, 1, 1, 1), NOISES, REAL) == 0


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ([HEALTHY] * 9, []),
        ([HEALTHY, HEALTHY | {"health/variety": 0.02}], ["collapse"]),
        ([HEALTHY | {"health/order": 1.0}] * 2, []),
        ([HEALTHY | {"health/order": 1.0}] * 3, ["discriminator wins"]),
        ([HEALTHY | {"health/order": 1.0}] * 2 + [HEALTHY] + [HEALTHY | {"health/order": 1.0}], []),
        ([HEALTHY] * 3 + [HEALTHY | {"gradient/generator": 50.0}], []),
        ([HEALTHY] * 3 + [HEALTHY | {"gradient/generator": 500.0}], ["exploding gradients"]),
    ],
)
def test_faults_are_named(entries, named):
    watch = Watch()
    assert [watch.faults(entry) for entry in entries][-1] == named


def test_a_run_whose_discriminator_wins_says_so(tmp_path, capsys):
    """A generator that hardly learns loses every pair to a quick discriminator; the model folder tells."""
    config = tiny_config(
        training__kimg=3.2,
        training__checkpoint_kimg=1.0,
        training__generator_optimizer=AdamOptions(lr=1e-9),
        training__discriminator_optimizer=AdamOptions(lr=0.02, beta1=0.5),
    )
    trainer = Trainer(config, tiny_data(), tmp_path)
    trainer.fit()
    finish(trainer, command="python train.py")
    assert "discriminator wins" in [fault["fault"] for fault in trainer.faults]
    assert "kimg: discriminator wins" in capsys.readouterr().err
    assert json.loads((tmp_path / "metrics.json").read_text())["faults"] == trainer.faults
    resumed = Trainer(config, tiny_data(), tmp_path)
    resumed.fit()
    assert resumed.present_faults == trainer.present_faults != set()


def test_what_goes_wrong_before_and_after_a_run_is_resumed_is_told_once(tmp_path, monkeypatch):
    """A win takes several entries to be seen, and the resumed run's first entry ends none."""
    flush, won = Log.flush, {"health/order": 1.0}
    monkeypatch.setattr(Log, "flush", lambda self, seen: (flush(self, seen)[0] | won, None))
    whole = Trainer(tiny_config(), tiny_data(), tmp_path / "whole")
    whole.fit()
    (fault,) = whole.faults
    broken = Trainer(tiny_config(), tiny_data(), tmp_path / "broken")
    step = broken.step

    def broken_off():
        if broken.images_seen == 256:
            raise KeyboardInterrupt
        return step()

    broken.step = broken_off
    with pytest.raises(KeyboardInterrupt):
        broken.fit()
    resumed = Trainer(tiny_config(), tiny_data(), tmp_path / "broken")
    resumed.fit()
    assert broken.faults == resumed.faults == whole.faults == [fault]
    assert resumed.watch == whole.watch
