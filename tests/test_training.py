"""The trainer: one page of arithmetic, resuming, and failing well."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator, PartialState
from safetensors import SafetensorError
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import train
from cgan import timeline
from cgan.card import write_card
from cgan.conditions.label import Label
from cgan.config import AdamOptions, replace
from cgan.data import Images
from cgan.evaluation import record
from cgan.losses.hinge import Hinge
from cgan.losses.relativistic import Relativistic
from cgan.losses.wasserstein import Wasserstein
from cgan.model import CARD, METRICS, SAMPLES, TIMELINE, ConditionalGAN
from cgan.networks.norms import SpectralNorm, VirtualBatchNorm
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.gradients import R1, R2, GradientPenalty
from cgan.timeline import Snapshots, Timeline
from cgan.training import checkpoint
from cgan.training.ema import EMA
from cgan.training.feed import Feed
from cgan.training.folder import History, finish
from cgan.training.health import Watch
from cgan.training.log import Log, save_samples
from cgan.training.stopping import asked_to_stop
from cgan.training.trainer import AGREE, Trainer, TrainingError
from tests.conftest import tiny_config, tiny_data, tiny_model

ROOT = Path(__file__).parent.parent


def working_threads() -> int:
    """All but the one that watches tqdm's bars, which stays."""
    return sum(type(thread).__name__ != "TMonitor" for thread in threading.enumerate())


def weights(path: Path) -> dict[str, torch.Tensor]:
    tensors, _ = checkpoint.read(path)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("snapshot/")}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


VARIANTS = {
    "plain": {},
    "all techniques": {
        "regularizers": {"r1": R1(every=2), "auxiliary": Auxiliary()},
        "augment__translation": 0.2,
        "discriminator__dropout": 0.3,
        "training__condition_dropout": 0.2,
        "training__decay_kimg": 0.1,
        "training__discriminator_steps": 2,
        "loss": Hinge(),
    },
    "several discriminators": {
        "loss": Relativistic(),
        "regularizers": {"r1": R1(every=2), "r2": R2(every=2)},
        "discriminator__count": 2,
        "discriminator__multi_scale": True,
        "discriminator__norm": SpectralNorm(),
        "training__clip_gradients": 1.0,
    },
    "virtual batches": {
        "loss": Wasserstein(),
        "regularizers": {"gradient-penalty": GradientPenalty()},
        "generator__norm": VirtualBatchNorm(reference=4),
        "discriminator__norm": VirtualBatchNorm(reference=4),
    },
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, changes):
    config, data = tiny_config(**changes), tiny_data()
    Trainer(config, data, tmp_path / "whole").fit()
    broken = Trainer(config, data, tmp_path / "broken")
    broken.folder.mkdir()
    for _ in range(3):
        broken.step()
    broken.save_checkpoint()
    for _ in range(2):
        broken.step()  # lost when the run breaks off here
    Trainer(config, data, tmp_path / "broken").fit()
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))


LAUNCH = (sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2")
LAUNCH += ("--main_process_port", "0")
KILLED = """
import sys, time
from pathlib import Path
from cgan.training.trainer import Trainer
from tests.conftest import tiny_config, tiny_data, tiny_model
trainer = Trainer(tiny_config(training__kimg=0.8), tiny_data(), Path(sys.argv[1]))
if len(sys.argv) > 2:
    step = trainer.step
    trainer.step = lambda: (time.sleep(0.03), step())[1]
trainer.fit()
"""


def run_killed_script(folder: Path, *arguments: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), *arguments], env=environment, stderr=subprocess.PIPE
    )


def test_a_killed_process_resumes_to_identical_weights(tmp_path):
    process = run_killed_script(tmp_path / "killed", "slowly")
    path = tmp_path / "killed" / checkpoint.CHECKPOINT
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.12)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    seen = checkpoint.read(tmp_path / "killed")[1]["images_seen"]
    assert 0 < seen < 800, "the kill came in the middle"
    for name in ("killed", "whole"):
        resumed = run_killed_script(tmp_path / name)
        _, error = resumed.communicate()
        assert resumed.returncode == 0, error
    assert same(weights(tmp_path / "killed"), weights(tmp_path / "whole"))


def test_a_finished_run_leaves_a_whole_model_folder(tmp_path):
    config = tiny_config(training__snapshots=12, training__evaluate_kimg=0.1)
    trainer = Trainer(config, tiny_data(), tmp_path, evaluate=lambda model: {"obedience": 0.5})
    averaged = trainer.fit()
    finish(trainer, command="python train.py --preset tiny")
    loaded = ConditionalGAN.load(tmp_path)
    noise, raw = loaded.noise(0, 4), loaded.encoder.sample(4, 0)
    drawn, kept = averaged.sample(noise, raw).int(), loaded.sample(noise, raw).int()
    assert (drawn - kept).abs().max() <= 2  # half precision
    assert len(Timeline(tmp_path)) == 12
    assert Timeline(tmp_path).kimg[0] == 0
    assert (tmp_path / "samples.png").stat().st_size > 0
    assert "python train.py --preset tiny" in (tmp_path / "README.md").read_text()
    assert list((tmp_path / "log").iterdir())
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["training"]["command"] == "python train.py --preset tiny"
    assert metrics["training"]["kimg"] == 0.32
    assert [point["obedience"] for point in metrics["curve"]] == [0.5, 0.5, 0.5]


def test_a_run_without_snapshots_leaves_no_timeline(tmp_path):
    finish(Trainer(tiny_config(training__snapshots=0), tiny_data(), tmp_path), "the command")
    assert ConditionalGAN.load(tmp_path)
    assert not (tmp_path / TIMELINE).exists()


def test_what_was_measured_of_other_weights_is_forgotten(tmp_path):
    """A run that becomes longer, or begins anew in the same folder."""

    def figures() -> dict:
        return {name: json.loads((tmp_path / METRICS).read_text()).get(name) for name in measured}

    measured = {"evaluation": {"generated": {"frechet": 1.0}}, "timeline": [{"kimg": 0.0}]}
    for again in (False, True):
        trainer = Trainer(tiny_config(training__kimg=0.16), tiny_data(), tmp_path)
        trainer.fit()
        finish(trainer, "the command")
        assert not again or figures() == measured, "the same weights"
        record(tmp_path, measured)
    (tmp_path / checkpoint.CHECKPOINT).unlink()
    longer = Trainer(tiny_config(training__snapshots=0), tiny_data(), tmp_path)
    longer.fit()
    finish(longer, "the command")
    assert figures() == {"evaluation": None, "timeline": None}
    assert "frechet" not in (tmp_path / CARD).read_text()
    assert not (tmp_path / TIMELINE).exists(), "its snapshots were another run's"


WRITERS = {
    "timeline": lambda folder, model: timeline.write(folder, []),
    "metrics": lambda folder, model: record(folder, {"curve": []}),
    "samples": lambda folder, model: save_samples(torch.zeros(1, 4, 4, dtype=torch.uint8), folder / SAMPLES),
    "card": lambda folder, model: write_card(folder, model, "another name"),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_folder_s_file_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch, writer):
    def full_disk(handle):
        raise OSError(errno.ENOSPC, "the disk is full")

    trainer = Trainer(tiny_config(), tiny_data(), tmp_path)
    finish(trainer, "the command")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="full"):
        writer(tmp_path, trainer.averaged())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_every_epoch_shows_every_picture_once(tmp_path):
    trainer = Trainer(tiny_config(), tiny_data(64), tmp_path)
    shown = []
    for _ in range(8):
        shown.append(trainer.feed.batch(16 * len(shown)).images)
    first, second = torch.cat(shown[:4]), torch.cat(shown[4:])
    assert len(first.unique(dim=0)) == len(second.unique(dim=0)) == 64
    assert not torch.equal(first, second)


def test_every_parameter_is_in_exactly_one_optimiser(tmp_path):
    trainer = Trainer(tiny_config(), tiny_data(), tmp_path)
    optimisers = (trainer.players.generator_optimizer, trainer.players.discriminator_optimizer)
    held = [id(p) for o in optimisers for group in o.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in trainer.model.parameters())


def test_turns_move_only_their_own_player(tmp_path):
    config = tiny_config(training__generator_optimizer=AdamOptions(lr=1e-30))
    trainer = Trainer(config, tiny_data(), tmp_path)
    before = {name: p.clone() for name, p in trainer.model.named_parameters()}
    trainer.step()
    moved = {
        name.split(".")[0]
        for name, p in trainer.model.named_parameters()
        if (p - before[name]).abs().max() > 1e-20
    }
    assert moved == {"discriminator"}
    assert all(p.requires_grad for p in trainer.model.parameters())


def gradient_norm(parameters) -> float:
    return torch.cat([p.grad.flatten() for p in parameters]).norm().item()


def test_clipped_gradients_are_at_the_bound(tmp_path):
    free = Trainer(tiny_config(), tiny_data(), tmp_path).step()
    bound = 0.5 * min(free["gradient/generator"], free["gradient/discriminator"]).item()
    trainer = Trainer(tiny_config(training__clip_gradients=bound), tiny_data(), tmp_path)
    figures = trainer.step()
    assert figures["gradient/discriminator"] == free["gradient/discriminator"], (
        "the log shows the norm before"
    )
    assert gradient_norm(trainer.model.discriminator.parameters()) == pytest.approx(bound, rel=1e-3)
    assert gradient_norm(trainer.model.generator.parameters()) == pytest.approx(bound, rel=1e-3)


def test_clipped_weights_are_within_their_bound(tmp_path):
    trainer = Trainer(tiny_config(loss=Wasserstein(), training__clip_weights=0.01), tiny_data(), tmp_path)
    assert max(p.abs().max() for p in trainer.model.discriminator.parameters()) > 0.01
    trainer.step()
    assert max(p.abs().max() for p in trainer.model.discriminator.parameters()) <= 0.01
    assert max(p.abs().max() for p in trainer.model.generator.parameters()) > 0.01


def test_virtual_batches_are_the_first_real_one_and_noise_under_its_conditions(tmp_path):
    norm = VirtualBatchNorm(reference=4)
    trainer = Trainer(tiny_config(generator__norm=norm, discriminator__norm=norm), tiny_data(), tmp_path)
    first = trainer.feed.batch(0)
    assert torch.equal(trainer.model.discriminator.reference.inputs, first.images[:4])
    assert torch.equal(trainer.model.generator.reference.vector, first.raw[:4])
    before = trainer.model.generator.reference.inputs.clone()
    trainer.step()
    assert torch.equal(trainer.ema.average[1].reference.inputs, before)


def test_processes_have_the_same_reference_batches(tmp_path, monkeypatch):
    norm = VirtualBatchNorm(reference=16)
    config = tiny_config(generator__norm=norm, discriminator__norm=norm, training__condition_dropout=0.2)
    buffers = [dict(Trainer(config, tiny_data(), tmp_path).model.named_buffers())]
    monkeypatch.setattr(Accelerator, "num_processes", 2)
    for rank in 0, 1:
        monkeypatch.setattr(Accelerator, "process_index", rank)
        buffers.append(dict(Trainer(config, tiny_data(), tmp_path).model.named_buffers()))
    alone, first, second = buffers
    assert same(first, alone)
    assert same(second, alone)


def test_condition_dropout_withholds_labels(tmp_path):
    trainer = Trainer(tiny_config(training__condition_dropout=0.25), tiny_data(), tmp_path)
    raw = torch.cat([trainer.feed.batch(16 * k).raw for k in range(40)])
    assert (raw.sum(1) == 0).float().mean().item() == pytest.approx(0.25, abs=0.06)


def test_a_penalty_is_due_at_the_first_step_and_every_so_many_after(tmp_path, monkeypatch):
    due = []
    monkeypatch.setattr("cgan.training.trainer.train_step", lambda *given: due.append(given[-1]) or {})
    trainer = Trainer(tiny_config(regularizers={"r1": R1(every=4)}), tiny_data(), tmp_path)
    for _ in range(6):
        trainer.step()
    assert [bool(names) for names in due] == [True, False, False, False, True, False]


def test_learning_rates_fall_to_zero_at_the_end(tmp_path):
    trainer = Trainer(tiny_config(training__decay_kimg=0.16), tiny_data(), tmp_path)
    rates = []
    while trainer.images_seen < 320:
        trainer.step()
        rates.append(trainer.players.generator_optimizer.param_groups[0]["lr"].item())
    assert rates[:10] == [2e-4] * 10
    assert rates[10:] == sorted(rates[10:], reverse=True)
    for optimizer in (trainer.players.generator_optimizer, trainer.players.discriminator_optimizer):
        assert [group["lr"].item() for group in optimizer.param_groups] == pytest.approx(
            [2e-5] * len(optimizer.param_groups)
        )


def test_a_run_shorter_than_its_fall_begins_at_full_rates():
    """`--training.kimg 4` of a preset whose rates fall over 400 would else train at a hundredth of them."""
    options = length(4, 400).training
    assert [options.rate(kimg) for kimg in (0, 1, 4)] == [1, 0.75, 0]


def test_ema_half_life():
    module = torch.nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(0.0)
    ema = EMA(module, kimg=1.0)
    module.weight.data.fill_(1.0)
    ema.schedule(100, images_seen=10**6)
    for _ in range(10):
        ema.update(module)
    assert ema.average.weight.item() == pytest.approx(0.5)


def test_ema_follows_a_batch_norm_s_statistics_and_begins_with_a_twentieth_of_what_was_seen():
    module = torch.nn.BatchNorm1d(1)
    ema = EMA(module, kimg=1.0)
    module.running_mean.fill_(1.0)
    ema.schedule(100, images_seen=2000)  # a half-life of 100
    ema.update(module)
    assert ema.average.running_mean.item() == pytest.approx(0.5)


@pytest.mark.parametrize("init", [torch.nn.init.orthogonal_, torch.nn.init.normal_])
def test_averaged_weights_have_their_own_largest_singular_value(init):
    """The average of spectral norm's unit vectors, which turn, would be too short, and the norm above 1."""
    torch.manual_seed(0)
    layer = SpectralNorm().weight(torch.nn.Linear(6, 8))
    init(layer.parametrizations.weight.original)
    ema = EMA(layer, kimg=1.0)
    ema.schedule(100, images_seen=10**6)
    norms = [torch.linalg.matrix_norm(ema.average.weight, ord=2).item()]
    for _ in range(100):
        layer.parametrizations.weight.original.data.add_(torch.randn(8, 6), alpha=0.1)
        layer(torch.zeros(1, 6))
        ema.update(layer)
    norms.append(torch.linalg.matrix_norm(ema.average.weight, ord=2).item())
    assert norms == pytest.approx([1, 1], abs=0.01)


def test_training_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    config = tiny_config(training__kimg=3.2)
    trainer = Trainer(config, tiny_data(), tmp_path)
    step, threads = trainer.step, working_threads()

    def poisoned():
        if trainer.images_seen == 160:
            trainer.model.generator.stem.bias.data.fill_(float("nan"))
        return step()

    trainer.step = poisoned
    with pytest.raises(
        TrainingError, match=r"not finite at step 11 \(176 images\); the last good checkpoint is"
    ):
        trainer.fit()
    tensors, meta = checkpoint.read(tmp_path)
    assert meta["images_seen"] == 128
    assert working_threads() == threads, "the log is closed"
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_a_run_that_is_stopped_by_hand_ends_with_one_line(tmp_path, monkeypatch, capsys):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", stop)
    assert train.main(["--preset", "mnist", "--data-root", "x", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "train.py: stopped; the same command goes on from the last checkpoint\n"


def test_a_disk_that_is_full_at_the_end_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    def full(*arguments):
        raise SafetensorError("Error while serializing: No space left on device")

    monkeypatch.setattr(train, "train", full)
    assert train.main(["--preset", "mnist", "--data-root", "x", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "train.py: Error while serializing: No space left on device\n"


def test_a_preset_may_be_several_runs(tmp_path, monkeypatch):
    """Each from the weights of the one before; the same command again resumes; an option makes it one run."""
    runs = [tiny_config(), tiny_config(training__seed=1)]
    monkeypatch.setattr(train, "stages", lambda name: runs)
    monkeypatch.setattr(train, "preset", lambda name: runs[0])
    monkeypatch.setattr(type(runs[0].dataset), "load", lambda *arguments: tiny_data())
    begin = ["--preset", "mnist", "--data-root", str(tmp_path), "--out"]
    assert train.main([*begin, str(tmp_path / "all")]) == 0
    first, last = (json.loads((tmp_path / of / METRICS).read_text()) for of in ("all/1", "all"))
    assert last["training"]["began_from"] == first["training"]
    assert last["training"]["kimg"] == 2 * first["training"]["kimg"]
    Trainer(runs[1], tiny_data(), tmp_path / "alone", start=ConditionalGAN.load(tmp_path / "all/1")).fit()
    made = weights(tmp_path / "all")
    assert same(weights(tmp_path / "alone"), made)
    assert train.main([*begin, str(tmp_path / "all")]) == 0
    assert same(weights(tmp_path / "all"), made)
    assert train.main([*begin, str(tmp_path / "one"), "--training.seed", "0"]) == 0
    assert same(weights(tmp_path / "one"), weights(tmp_path / "all/1"))
    assert not (tmp_path / "one/1").exists()


def test_a_preset_of_several_runs_begins_none_where_another_run_is(tmp_path, monkeypatch, capsys):
    runs = [tiny_config(), tiny_config(training__seed=1)]
    monkeypatch.setattr(train, "stages", lambda name: runs)
    monkeypatch.setattr(train, "preset", lambda name: runs[0])
    monkeypatch.setattr(type(runs[0].dataset), "load", lambda *arguments: tiny_data())
    Trainer(tiny_config(training__seed=2), tiny_data(), tmp_path).fit()
    words = ["--preset", "mnist", "--data-root", str(tmp_path), "--out", str(tmp_path)]
    assert train.main(words) == 1
    assert f"{tmp_path} holds a run with other options" in capsys.readouterr().err
    assert not (tmp_path / "1").exists()


@pytest.fixture
def in_front():
    """Ctrl-C as it is where a command runs in front: in the background of a script it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("in_front")
@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_a_run_that_is_stopped_by_hand_goes_on_where_it_was(tmp_path, changes):
    config, data = tiny_config(**changes), tiny_data()
    Trainer(config, data, tmp_path / "whole").fit()
    stopped = Trainer(config, data, tmp_path / "stopped")
    step, stop_after = stopped.step, 5 * 16 * config.training.discriminator_steps

    def interrupted():
        if stopped.images_seen + 16 * config.training.discriminator_steps == stop_after:
            signal.raise_signal(signal.SIGINT)  # before anything of the step is done
        return step()

    stopped.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        stopped.fit()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert checkpoint.read(tmp_path / "stopped")[1]["images_seen"] == stop_after, "not of the 64 before"
    Trainer(config, data, tmp_path / "stopped").fit()
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


@pytest.mark.usefixtures("in_front")
def test_a_second_ctrl_c_does_not_wait():
    reached = []

    def stopped_thrice():
        with asked_to_stop() as stop:
            for _ in range(3):
                reached.append(stop())
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        stopped_thrice()
    assert reached == [False, True]


def test_a_signal_that_is_ignored_stays_ignored():
    """As in a script's background, where Ctrl-C is meant for what runs in front."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with asked_to_stop() as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_outside_the_main_thread_trains(tmp_path):
    thread = threading.Thread(target=Trainer(tiny_config(), tiny_data(), tmp_path).fit)
    thread.start()
    thread.join()
    assert checkpoint.read(tmp_path)[1]["images_seen"] == 320


def test_a_process_that_is_terminated_saves_its_last_step(tmp_path):
    process = run_killed_script(tmp_path, "slowly")
    path, deadline = tmp_path / checkpoint.CHECKPOINT, time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.terminate()
    _, error = process.communicate(timeout=60)
    assert error.decode().endswith("KeyboardInterrupt\n")
    assert checkpoint.read(tmp_path)[1]["images_seen"] < 800


SLOW = """
import sys, time
from pathlib import Path
from cgan.training.trainer import Trainer
from tests.conftest import tiny_config, tiny_data
folder = Path(sys.argv[1])
trainer = Trainer(tiny_config(training__kimg=8, training__checkpoint_kimg=8), tiny_data(), folder)
step = trainer.step
def slowly():
    (folder / f"begun{trainer.accelerator.process_index}").touch()
    time.sleep(0.03 + 0.02 * trainer.accelerator.process_index)
    return step()
trainer.step = slowly
trainer.fit()
"""


def test_several_processes_that_are_interrupted_save_the_same_step(tmp_path):
    run, script = tmp_path / "run", tmp_path / "slow.py"
    script.write_text(SLOW)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    process = subprocess.Popen(
        [*LAUNCH, script, run], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(list(run.glob("begun*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    # As a terminal does: to the launcher, who passes it on, and to the processes.
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60)
    seen = checkpoint.read(run)[1]["images_seen"]
    assert 0 < seen < 8000
    assert seen % (16 * AGREE) == 0


def test_a_run_that_another_process_was_asked_to_stop_is_not_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "_all_stop", lambda self, asked: True)
    with pytest.raises(KeyboardInterrupt):
        Trainer(tiny_config(), tiny_data(), tmp_path).fit()
    assert checkpoint.read(tmp_path)[1]["images_seen"] == 16


def test_a_resumed_run_keeps_the_last_figures_of_its_log(tmp_path):
    for _ in range(2):
        Trainer(tiny_config(), tiny_data(), tmp_path).fit()
        events = EventAccumulator(str(tmp_path / "log")).Reload()
        assert [event.step for event in events.Scalars("loss/generator")] == [64, 128, 192, 256, 320]


def test_figures_whose_sum_is_too_large_for_their_format_have_a_mean(tmp_path):
    log = Log(tmp_path, 0, enabled=False)
    for _ in range(50):
        log.collect({"loss": torch.tensor(1e37)})
    means, fault = log.flush(1)
    assert (means["loss"], fault) == (pytest.approx(1e37), None)


def test_another_config_does_not_resume_a_run(tmp_path):
    Trainer(tiny_config(), tiny_data(), tmp_path).fit()
    with pytest.raises(TrainingError, match="other options"):
        Trainer(tiny_config(loss=Hinge()), tiny_data(), tmp_path).fit()


def length(kimg, decay_kimg, **changes):
    """A tiny run of that length, without snapshots."""
    return tiny_config(training__kimg=kimg, training__decay_kimg=decay_kimg, training__snapshots=0, **changes)


@pytest.mark.parametrize("now", [length(0.48, 0.2), length(0.24, 0.05, training__checkpoint_kimg=1)])
def test_a_run_may_become_longer_or_shorter_until_its_rates_fall(tmp_path, now):
    Trainer(now, tiny_data(), tmp_path / "whole").fit()
    begun = Trainer(length(0.32, 0.1), tiny_data(), tmp_path)
    for _ in range(160 // 16):
        begun.step()
    begun.save_checkpoint()
    Trainer(now, tiny_data(), tmp_path).fit()
    assert same(weights(tmp_path / "whole"), weights(tmp_path))


def test_a_run_that_ended_within_a_batch_may_become_longer(tmp_path):
    Trainer(length(0.2, 0), tiny_data(), tmp_path / "whole").fit()
    for kimg in (0.07, 0.2):
        Trainer(length(kimg, 0), tiny_data(), tmp_path).fit()
    assert same(weights(tmp_path / "whole"), weights(tmp_path))


@pytest.mark.parametrize(
    ("begun", "now"),
    [
        (length(0.32, 0.2), length(0.48, 0.2)),
        (length(0.32, 0.1), length(0.32, 0.2)),
        (length(0.32, 0.1), length(0.1, 0)),
        (length(0.32, 0.1), length(0.32, 0.1, training__batch=32)),
        (tiny_config(), tiny_config(training__kimg=0.48)),
    ],
)
def test_a_run_whose_rates_fall_keeps_its_length(tmp_path, begun, now):
    trainer = Trainer(begun, tiny_data(), tmp_path)
    for _ in range(160 // 16):
        trainer.step()
    trainer.save_checkpoint()
    with pytest.raises(TrainingError, match="other options"):
        Trainer(now, tiny_data(), tmp_path).fit()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_write_that_fails_keeps_the_last_good_checkpoint(tmp_path, monkeypatch, code):
    checkpoint.write(tmp_path, {"a": torch.ones(2)}, {"images_seen": 1})

    def broken(tensors, path, metadata):
        Path(path).write_bytes(b"half a file")
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(checkpoint, "save_file", broken)
    with pytest.raises(checkpoint.CheckpointError, match="the last good checkpoint is kept"):
        checkpoint.write(tmp_path, {"a": torch.zeros(2)}, {"images_seen": 2})
    tensors, meta = checkpoint.read(tmp_path)
    assert meta == {"images_seen": 1}
    assert torch.equal(tensors["a"], torch.ones(2))
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.CHECKPOINT]


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(checkpoint.CheckpointError, match="can't write"):
        checkpoint.write(tmp_path / "file", {"a": torch.ones(1)}, {})


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = checkpoint.write(tmp_path, {"a": torch.ones(1000)}, {})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(checkpoint.CheckpointError, match="damaged"):
        checkpoint.read(tmp_path)


def test_too_few_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"training\.batch is 16, the data set has only 8 pictures"):
        Trainer(tiny_config(), tiny_data(8), tmp_path)


TOGETHER = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from cgan.training.trainer import Trainer
from tests.conftest import tiny_config, tiny_data, tiny_model
trainer = Trainer(tiny_config(), tiny_data(), Path(sys.argv[1]))
rows, shown, pictures = trainer.feed.rows, [], []
def watched(start):
    found = rows(start)
    shown.append(start), pictures.append(trainer.feed.at(found).images)
    return found
trainer.feed.rows = watched
trainer.fit()
seen = {"shown": torch.tensor(shown), "pictures": torch.cat(pictures)}
weights = {name: p.detach().contiguous() for name, p in trainer.model.named_parameters()}
save_file(seen | weights, Path(sys.argv[1]) / f"process{trainer.accelerator.process_index}.safetensors")
"""


def test_two_processes_go_on_where_one_was_and_train_one_model(tmp_path):
    run, script = tmp_path / "run", tmp_path / "together.py"
    alone = Trainer(tiny_config(), tiny_data(), run)
    run.mkdir()
    for _ in range(4):
        alone.step()
    alone.save_checkpoint()
    script.write_text(TOGETHER)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([*LAUNCH, script, run], env=environment, check=True, capture_output=True, timeout=240)
    first, second = (load_file(run / f"process{k}.safetensors") for k in (0, 1))
    assert first.pop("shown").tolist() == second.pop("shown").tolist() == list(range(64, 320, 16))
    pictures = torch.cat([part.pop("pictures") for part in (first, second)])
    different, times = pictures.unique(dim=0, return_counts=True)
    assert len(different) == 64, "every picture of the data"
    assert times.tolist() == [4] * 64, "once in each of the four epochs that were left"
    assert same(first, second), "the gradients were averaged"
    tensors, meta = checkpoint.read(run)
    assert meta["images_seen"] == 320
    tensors = checkpoint.unpack("model", tensors)
    assert all(torch.equal(tensors[name], weight) for name, weight in first.items())
    resumed = Trainer(tiny_config(), tiny_data(), run)
    resumed.fit()
    assert same(dict(resumed.model.named_parameters()), first), "one process reads what two have written"


@pytest.mark.parametrize("main", [True, False])
def test_of_several_processes_the_main_one_speaks(tmp_path, monkeypatch, capsys, main):
    monkeypatch.setattr(PartialState, "is_main_process", main)
    monkeypatch.setattr(Watch, "faults", lambda self, means: ["collapse"])
    other = ConditionalGAN(tiny_config(condition=Label()).model({"classes": ("a", "b")}, 8, 1))
    Trainer(tiny_config(), tiny_data(), tmp_path, start=other).fit()
    error = capsys.readouterr().err
    assert ("begins anew" in error, "kimg: collapse" in error) == (main, main)


def test_threads_are_as_asked_for_whatever_accelerate_sets(tmp_path, monkeypatch):
    class Setting(Accelerator):
        def __init__(self, **options):
            super().__init__(**options)
            torch.set_num_threads(2)  # as it does in each of several processes on CPUs

    monkeypatch.setattr("cgan.training.trainer.Accelerator", Setting)
    Trainer(tiny_config(), tiny_data(), tmp_path)
    assert torch.get_num_threads() == 1


def test_a_launch_of_several_that_started_one_is_seen():
    assert train.launched_alone({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"})
    assert not train.launched_alone({"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "2", "RANK": "0"})
    assert not train.launched_alone({})


def test_processes_share_a_batch_and_show_every_picture_once(tmp_path):
    whole = Trainer(tiny_config(), tiny_data(), tmp_path).feed
    parts = [Feed(whole.images, whole.raw, whole.model, whole.options, k, 2) for k in (0, 1)]
    for shown in (0, 16, 64):
        halves = torch.cat([part.batch(shown).images for part in parts])
        assert len(halves) == 16
        assert torch.equal(halves.unique(dim=0), whole.batch(shown).images.unique(dim=0))
    with pytest.raises(ValueError, match=r"training\.batch must be divisible by the 3 processes, got 16"):
        Feed(whole.images, whole.raw, whole.model, whole.options, 0, 3)


def test_processes_do_not_split_the_groups_of_minibatch_std(tmp_path):
    whole = Trainer(tiny_config(discriminator__minibatch_std=True), tiny_data(), tmp_path).feed
    Feed(whole.images, whole.raw, whole.model, whole.options, 0, 4)
    with pytest.raises(ValueError, match="divisible by 4 for each of the 8 processes, got 16"):
        Feed(whole.images, whole.raw, whole.model, whole.options, 0, 8)


def test_a_run_begins_from_the_weights_and_the_history_of_another(tmp_path):
    first = Trainer(tiny_config(), tiny_data(), tmp_path / "first")
    first.fit()
    finish(first, "the first command")
    start = tmp_path / "first"
    told = json.loads((start / "config.json").read_text())
    del told["model"]["generator"]["mapping"]  # as a version that did not know of it
    (start / "config.json").write_text(json.dumps(told))
    model = ConditionalGAN.load(start)
    config = tiny_config(training__seed=5, training__evaluate_kimg=0.1)
    second = Trainer(config, tiny_data(), tmp_path / "second", start=model)
    assert same(second.model.state_dict(), model.state_dict())
    second.fit()
    finish(second, "the second command", History.of(start, second.model.config))
    metrics = json.loads((tmp_path / "second" / "metrics.json").read_text())
    training = metrics["training"]
    assert metrics["curve"][0]["kimg"] == training["began_from"]["kimg"] + second.curve[0]["kimg"]
    assert training["began_from"]["command"] == "the first command"
    assert training["kimg"] == 2 * training["began_from"]["kimg"]
    kimg = Timeline(tmp_path / "second").kimg
    assert kimg == sorted(set(kimg))
    assert kimg[: len(first.snapshots)] == Timeline(start).kimg


@pytest.mark.parametrize("began", [True, False])
def test_a_run_goes_on_from_where_it_began(tmp_path, began):
    """Without its --init it would teach its encoder otherwise, and tell nothing of the earlier training; with
    one that it never had it would tell of another's."""
    model = tiny_model()
    Trainer(tiny_config(), tiny_data(), tmp_path, start=model if began else None).fit()
    with pytest.raises(TrainingError, match="began from another model" if began else "began anew"):
        Trainer(tiny_config(), tiny_data(), tmp_path, start=None if began else model).fit()
    Trainer(tiny_config(), tiny_data(), tmp_path, start=model if began else None).fit()


@pytest.mark.parametrize("same_condition", [True, False])
def test_another_model_s_history_is_not_this_one_s(tmp_path, same_condition):
    """Snapshots that would not fit are left behind, as is a curve of another question."""
    first = Trainer(tiny_config(training__evaluate_kimg=0.1), tiny_data(), tmp_path / "first")
    first.fit()
    finish(first, "the first command")
    data = tiny_data()
    if not same_condition:
        data = Images(data.images, {**data.targets, "classes": ("a", "b", "c")})
        config = tiny_config(condition=Label())
    else:
        config = tiny_config(generator__mapping=4)
    second = Trainer(config, data, tmp_path / "second", start=ConditionalGAN.load(tmp_path / "first"))
    second.fit()
    finish(second, "the second command", History.of(tmp_path / "first", second.model.config))
    since = first.images_seen / 1000
    assert Timeline(tmp_path / "second").kimg == [kimg + since for kimg, _ in second.snapshots]
    Snapshots(ConditionalGAN.load(tmp_path / "second"), tmp_path / "second", lambda model: model)[0]
    metrics = json.loads((tmp_path / "second" / "metrics.json").read_text())
    assert metrics["curve"] == (first.curve if same_condition else [])
    assert metrics["training"]["began_from"]["command"] == "the first command"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (TIMELINE, "version https://git-lfs.github.com/spec/v1"),
        (METRICS, '{"curve": null}'),
        (METRICS, '{"training": null}'),
        (METRICS, '{"training": {"kimg": "many"}}'),
    ],
)
def test_a_broken_history_is_told_before_training(tmp_path, monkeypatch, capsys, name, content):
    start = tmp_path / "start"
    finish(Trainer(tiny_config(), tiny_data(), start), "the command")
    (start / name).write_text(content)
    monkeypatch.setattr(train, "preset", lambda name: tiny_config())
    monkeypatch.setattr(type(tiny_config().dataset), "load", lambda *arguments: tiny_data())
    monkeypatch.setattr(Trainer, "fit", lambda self: pytest.fail("it trained"))
    words = ["--preset", "mnist", "--data-root", str(tmp_path), "--out", str(tmp_path / "out")]
    assert train.main([*words, "--init", str(start)]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert str(start / name) in line


def test_a_run_begins_from_what_fits(tmp_path, capsys):
    other = ConditionalGAN(tiny_config(condition=Label()).model({"classes": ("a", "b")}, 8, 1))
    model = Trainer(tiny_config(), tiny_data(), tmp_path, start=other).model
    fits = {
        name: torch.equal(weight, other.state_dict()[name])
        for name, weight in model.state_dict().items()
        if weight.shape == other.state_dict()[name].shape
    }
    assert fits.pop("generator.blocks.0.conv1.weight")
    assert all(fits.values())
    anew = model.state_dict().keys() - fits.keys() - {"generator.blocks.0.conv1.weight"}
    assert "discriminator.projection.weight" in anew
    assert f"begins anew: {', '.join(sorted(anew))}" in capsys.readouterr().err


def test_a_run_that_begins_from_another_has_a_reference_batch_of_its_own(tmp_path):
    """That of other classes does not fit."""
    config = tiny_config(
        generator__norm=VirtualBatchNorm(reference=4), discriminator__norm=VirtualBatchNorm(reference=4)
    )
    other = ConditionalGAN(replace(config, condition=Label()).model({"classes": ("a", "b")}, 8, 1))
    anew = Trainer(config, tiny_data(), tmp_path / "anew").model
    begun = Trainer(config, tiny_data(), tmp_path / "begun", start=other).model
    for name in ("generator", "discriminator"):
        reference, expected = (getattr(model, name).reference for model in (begun, anew))
        assert expected.vector.any()
        assert same(reference.state_dict(), expected.state_dict())


def test_a_run_begins_from_no_other_network(tmp_path):
    other = tiny_model(generator__widths=(6, 3))
    with pytest.raises(ValueError, match=r"generator.widths are \(6, 3\) and \(4, 4\)"):
        Trainer(tiny_config(), tiny_data(), tmp_path, start=other)


def test_the_recorded_command_tells_no_path_of_this_machine(tmp_path):
    given = ["--preset", "mnist", "--init", str(tmp_path), f"--out={tmp_path}", "--data-root", str(tmp_path)]
    assert train.shown(given) == "--preset mnist --init DIR --out DIR --data-root DIR"
    assert train.shown(["--init", "someone/faces"]) == "--init someone/faces"
    assert train.shown(["--condition.classes", "a top,a boot"]) == "--condition.classes 'a top,a boot'"
