"""The configuration's JSON and flags follow from the dataclasses."""

from __future__ import annotations

import json
import re

import pytest

import train
from cgan.conditions.label import Label
from cgan.config import Config, from_json, override, replace, to_json
from cgan.data.vision import MNIST
from cgan.losses.bce import BCE
from cgan.losses.hinge import Hinge
from cgan.networks import DiscriminatorOptions, GeneratorOptions
from cgan.networks.norms import SpectralNorm
from cgan.presets import PRESETS, preset
from cgan.regularizers.gradients import R1


def test_every_part_stands_by_its_defaults():
    config = Config(dataset=MNIST(), condition=Label())
    assert config.discriminator == DiscriminatorOptions()
    assert config.generator == GeneratorOptions()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json_and_say_why(name):
    config = preset(name)
    assert from_json(Config, json.loads(json.dumps(to_json(config)))) == config
    assert PRESETS[name].__doc__


def test_flags_reach_every_depth():
    config = override(
        preset("mnist"),
        {
            "loss": "bce",
            "loss.saturating": "true",
            "discriminator.norm": "spectral",
            "generator.widths": "8,4",
            "regularizers.r1.weight": "1",
            "training.generator_optimizer.lr": "1e-3",
        },
    )
    assert config.loss == BCE(saturating=True)
    assert config.discriminator.norm == SpectralNorm()
    assert config.generator.widths == (8, 4)
    assert config.regularizers["r1"].weight == 1.0
    assert config.training.generator_optimizer.lr == 1e-3


def test_a_flag_switches_a_regularizer_on_and_off():
    config = override(preset("mnist-article"), {"regularizers.r1.weight": "2"})
    assert config.regularizers == {"r1": R1(weight=2.0)}
    assert "r1" not in override(config, {"regularizers.r1.weight": "0"}).regularizers


def test_a_part_chosen_by_name_starts_from_its_own_defaults():
    base = replace(preset("mnist"), loss=BCE(saturating=True))
    assert override(base, {"loss": "hinge"}).loss == Hinge()
    assert override(base, {"loss": "bce"}).loss == BCE()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"loss": "hing"}, "Did you mean 'hinge'"),
        ({"loss": "hinge", "loss.saturating": "true"}, "unknown option loss.saturating. It has no options."),
        ({"generator.widths": "a,b"}, "--generator.widths must be a whole number, got 'a'"),
        ({"training.kimg": "-1"}, "training.kimg"),
        ({"training.precision": "float8"}, "training.precision must be one of auto, float32, bfloat16"),
        ({"generator.noise_in_blocks": "maybe"}, "generator.noise_in_blocks must be true or false"),
        ({"regularizers.r1.weight": "-1"}, "weight"),
        ({"training.generator_optimizer.lr": "nan"}, "lr"),
        ({"training.generator_optimizer.lr": "inf"}, "finite lr"),
        ({"training.kimg": "nan"}, "training.kimg and training.checkpoint_kimg must be numbers above 0"),
        ({"training.checkpoint_kimg": "inf"}, "training.kimg and training.checkpoint_kimg must be"),
        ({"training.clip_gradients": "-1"}, "training.clip_gradients must be a number from 0 up, got -1.0"),
        ({"training.decay_kimg": "nan"}, "training.decay_kimg must be a number from 0 up, got nan"),
        ({"training.ema_kimg": "inf"}, "training.ema_kimg must be a number from 0 up"),
        ({"training.evaluate_kimg": "-1"}, "training.evaluate_kimg must be a number from 0 up"),
        ({"training.threads": "-1"}, "training.threads must be a number from 0 up"),
        ({"training.snapshots": "-1"}, "training.snapshots must be a number from 0 up"),
        ({"loss": "wasserstein", "regularizers.r1.weight": "0"}, "loss wasserstein needs something that"),
        (
            {"training.clip_weights": "0.01", "discriminator.norm": "spectral"},
            "training.clip_weights does not go",
        ),
        (
            {"generator.block": "transposed"},
            "generator.to_image transposed does not go with generator.block transposed",
        ),
        ({"discriminator.combine": "hardest"}, "combine hardest needs discriminator.count above 1"),
        ({"discriminator.norm": "batch"}, "discriminator.norm batch does not go with r1"),
        ({"training.seed": "-1"}, "training.seed must be a whole number from 0 to"),
        ({"generator.norm.momentum": "nan"}, "norm.momentum must be above 0 and at most 1, got nan"),
        ({"regularizers.auxiliary.generator_share": "-1"}, "auxiliary.generator_share must be a number from"),
        (
            {"discriminator.minibatch_std": "true", "training.batch": "66"},
            "discriminator.minibatch_std needs a training.batch (got 66) that is divisible by 4",
        ),
        (
            {
                "discriminator.minibatch_std": "true",
                "discriminator.norm": "virtual",
                "discriminator.norm.reference": "30",
            },
            "a training.batch (got 64) and a discriminator.norm.reference (got 30) that is divisible by 4",
        ),
    ],
)
def test_bad_flags_say_what_is_accepted(flags, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        override(preset("mnist"), flags)


def test_unknown_keys_in_json_are_refused():
    data = to_json(preset("mnist"))
    data["generator"]["width"] = 3
    with pytest.raises(ValueError, match=r"unknown option config.generator.width\. Did you mean 'widths'"):
        from_json(Config, data)


def test_dry_run_prints_the_config_and_both_sizes(capsys):
    assert train.main(["--preset", "mnist", "--loss", "hinge", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert '"name": "hinge"' in out
    assert "generator: " in out
    assert "discriminator: " in out


@pytest.mark.parametrize(
    ("more", "begins"),
    [
        ([], "begins from the weights of .*/models/faces-attributes\nthen, from the weights before: "),
        (["--training.seed", "1", "--init", "x"], "begins from the weights of x\n$"),
        (["--training.seed", "1"], "add --data-root DATA\n$"),
    ],
)
def test_dry_run_names_the_weights_that_a_run_begins_from(more, begins, capsys):
    assert train.main(["--preset", "faces-text", "--dry-run", *more]) == 0
    assert re.search(begins, capsys.readouterr().out)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--preset", "mnst", "--dry-run"], "Did you mean 'mnist'"),
        (["--preset", "mnist", "--generator.widths", "4,4,4,4,4", "--dry-run"], "do not fit 28x28"),
        (["--preset", "mnist"], "--data-root and --out are needed"),
        (["--preset", "mnist", "--data-root", "/nowhere", "--out", "/nowhere"], "--data-root must be"),
        (["--preset", "mnist", "--data-root", "/", "--out", __file__], "--out must be a folder that can be"),
        (["--preset", "mnist", "--data-root", "/", "--out", f"{__file__}/out"], "test_config.py is none"),
        (["--preset", "mnist", "--data-root", "/", "--init", "a", "--out", "./a"], "folder than --init's, a"),
        (["--preset", "mnist", "--rows", "hinge", "--dry-run"], "--rows, --seeds and --processes go with"),
        (["--preset", "mnist", "--processes", "2"], "--rows, --seeds and --processes go with --study"),
        (["--preset", "mnist", "--generator.wdths=4"], "Did you mean '--generator.widths'"),
        (["--preset", "mnist", "--resume"], "--resume. The same command again resumes."),
        (["--preset", "mnist", "--training.kimg"], "argument --training.kimg: expected one argument"),
        (["--study", "techniques", "--seeds", "x"], "invalid int value: 'x'"),
        ([], "one of the arguments --preset --study is required"),
    ],
)
def test_bad_command_lines_end_with_one_line_and_status_2(argv, message, capsys):
    try:
        status = train.main(argv)
    except SystemExit as left:
        status = left.code
    assert status == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_help_is_readable(capsys):
    with pytest.raises(SystemExit) as end:
        train.main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "--regularizers.r1.weight" in out
    assert "--loss NAME" in out
    assert "bce, lsgan" in out
    titles = [line for line in out.splitlines() if line.endswith(":") and line[0] != " "]
    assert {"loss bce:", "dataset folder:", "generator.norm batch:"} <= {*titles}
    assert len({*titles}) == len(titles)
    assert "colour (Krizhevsky 2009).\n  Also --dataset.size." in out
    assert "`weight` is their\n  gamma.\n" in out, "no text is cut"
    assert "loss hinge:" not in out, "it has no options"
