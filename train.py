"""Train a conditional GAN: argv -> Config -> Trainer(config).fit().

    python train.py --preset mnist --data-root DATA --out OUT   makes the bundled model
    python train.py --preset mnist --init FOLDER_OR_REPO ...    goes on from a model's weights
    python train.py --study techniques --data-root DATA --out OUT [--processes N] [--rows NAME,NAME]
    accelerate launch --multi_gpu --num_processes N train.py --preset mnist ...    on N GPUs or CPU cores

The same command again resumes. Every option of the configuration is a flag: --loss hinge
--regularizers.r1.weight 1. With --study it changes the baseline, and with it every row: --training.kimg 3000.
Some bundled models were made by several runs, each from the weights of the one before, the first of
faces-text from those of faces-attributes. A preset alone makes all of them; with --init or any option of the
configuration it is its first, begun from --init's weights or from none.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from cgan.cli import Parser, fail, first_process
from cgan.config import Config, add_flags, override
from cgan.model import BUNDLED
from cgan.presets import BEGINNINGS, PRESETS, preset, stages
from cgan.registry import closest
from cgan.study import STUDIES, Study

OWN = ("preset", "study", "rows", "seeds", "processes", "data_root", "download", "out", "init", "dry_run")


def parser() -> Parser:
    """The command line. Option flags follow from the configuration's dataclasses."""
    parser = Parser(
        prog="train.py",
        usage="train.py (--preset NAME | --study NAME) --data-root DATA --out OUT [--OPTION VALUE ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--preset", metavar="NAME", help=f"what to start from: {', '.join(PRESETS)}")
    what.add_argument("--study", metavar="NAME", help=f"rows to train and compare: {', '.join(STUDIES)}")
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="DATA",
        help="where the data set lies, as torchvision lays it out, or the folder of your own pictures",
    )
    parser.add_argument(
        "--download", action="store_true", help="let torchvision fetch the data set if it is not there"
    )
    parser.add_argument("--out", type=Path, metavar="OUT", help="the run's folder; becomes a model folder")
    parser.add_argument(
        "--init", metavar="FOLDER_OR_REPO", help="begin from the weights of this model that fit"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the resolved configuration, network sizes and runs"
    )
    parser.add_argument(
        "--rows", metavar="A,B", help="rows of the study to train, beside its baseline (default: all)"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="training seeds of each row of the study")
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="processes that share the rows of the study"
    )
    parser.add_argument(
        "--data", dest="dataset", metavar="NAME", default=argparse.SUPPRESS, help="the same as --dataset"
    )
    add_flags(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Train. 0 on success, 2 after one line on what was wrong with the input, 1 if training itself failed,
    130 if it was stopped, by Ctrl-C or, in training, by SIGTERM."""
    arguments = read(argv)
    named = argparse.Namespace(**{name: arguments.pop(name) for name in OWN})
    try:
        study = chosen(named) if named.study else None
        if not study and (named.rows or named.seeds is not None or named.processes != 1):
            raise ValueError("--rows, --seeds and --processes go with --study")
        config = override(study.baseline if study else preset(named.preset), arguments)
        if study and "training.seed" in arguments:
            raise ValueError("--training.seed goes with --preset: a study's rows have --seeds of them")
        configs, init = [config], named.init
        if not (study or arguments or init):
            configs, init = stages(named.preset), beginning(named.preset)
        if named.dry_run:
            from cgan.preview import dry_run

            dry_run(configs, named.data_root, named.download, init)
            return 0
        if not named.data_root or not named.out:
            raise ValueError("--data-root and --out are needed to train")
        if study and named.init:
            raise ValueError("--init goes with --preset: every row of a study starts anew")
        if named.init and named.out.resolve() == Path(named.init).resolve():
            raise ValueError(f"--out must be another folder than --init's, {named.init}, which has to stay")
        check_out(named.out)
        if study:
            compare(replace(study, baseline=config), named)
        else:
            train(configs, named.data_root, named.out, named.download, init)
    except (ValueError, FileNotFoundError, PermissionError) as error:
        return fail("train.py", error)
    except (RuntimeError, OSError, SafetensorError) as error:
        if type(error) is RuntimeError:  # a fault of ours, not a diagnosed failure of the run
            raise
        return fail("train.py", error, status=1)
    except KeyboardInterrupt:
        return fail("train.py", "stopped; the same command goes on from the last checkpoint", status=130)
    return 0


def read(argv: list[str] | None) -> dict[str, Any]:
    """The command line's values by name. SystemExit with the closest flag if one is unknown."""
    known = parser()
    found, unknown = known.parse_known_args(argv)
    if unknown:
        hint = closest(unknown[0].partition("=")[0], list(known._option_string_actions))
        hint = " The same command again resumes." if unknown[0] == "--resume" else hint
        known.error(f"unrecognized arguments: {' '.join(unknown)}.{hint}")
    return vars(found)


def check_out(out: Path) -> None:
    """ValueError, before any data is read, if no run can be kept there."""
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ValueError(f"--out must be a folder that can be written to, {there} is none")


def chosen(named: argparse.Namespace) -> Study:
    """The study that was asked for. ValueError names what is unknown."""
    if named.study not in STUDIES:
        known = list(STUDIES)
        raise ValueError(
            f"unknown study {named.study!r}.{closest(named.study, known)} Accepted: {', '.join(known)}."
        )
    if named.processes < 1:
        raise ValueError(f"--processes must be at least 1, got {named.processes}")
    study = STUDIES[named.study]
    study = study if named.seeds is None else replace(study, seeds=named.seeds)
    return study.only(named.rows.split(",")) if named.rows else study


def compare(study: Study, named: argparse.Namespace) -> None:
    """Train and score the rows of `study`, alone or with other processes, and leave their table."""
    from cgan.training.study import share, work

    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError("--study shares its rows by --processes, not by accelerate launch")
    command = f"python train.py {shown(sys.argv[1:])}"
    if named.processes > 1:
        share(study, named.data_root, named.out, named.download, command, named.processes)
    else:
        work(study, named.data_root, named.out, named.download, command)


def beginning(name: str) -> str | None:
    """The bundled model whose weights a preset begins from."""
    return str(BUNDLED / BEGINNINGS[name]) if name in BEGINNINGS else None


def train(
    configs: Sequence[Config], data_root: Path, out: Path, download: bool, init: str | None = None
) -> None:
    """Train each of `configs`, the first from the weights of the model `init`, if any, the others from those
    of the one before, on the data under `data_root`, and leave a model folder in `out`, the earlier ones in
    out/1, out/2 ..."""
    from cgan import hub
    from cgan.evaluation import quick_evaluation
    from cgan.model import ConditionalGAN
    from cgan.preview import tell
    from cgan.training.folder import History, finish
    from cgan.training.trainer import Trainer, earlier

    folders = [*(out / str(number) for number in range(1, len(configs))), out]
    for config, folder in zip(configs, folders, strict=True):
        earlier(folder, config)  # another run there is told before hours of training
    dataset, condition = configs[0].dataset, configs[0].condition
    data, evaluate = dataset.load(data_root, "train", download), None
    condition.fit(data.targets)  # whether the data tell what the condition needs, before more is read
    if first_process():
        tell(data)
    if configs[0].training.evaluate_kimg:
        try:
            evaluate = quick_evaluation(dataset, condition.form, data_root, download, train=data)
        except (ValueError, FileNotFoundError) as error:
            if first_process():
                fail("train.py", f"sample grids but no figures: {error}")
    start = hub.fetch(init) if init else None
    if launched_alone(os.environ):
        print("train.py: one process; without GPUs accelerate launch needs --multi_gpu too", file=sys.stderr)
    for config, folder in zip(configs, folders, strict=True):
        trainer = Trainer(config, data, folder, evaluate, ConditionalGAN.load(start) if start else None)
        before = History.of(start, trainer.model.config) if start else None
        trainer.fit()
        finish(trainer, f"python train.py {shown(sys.argv[1:])}", before)
        trainer.accelerator.wait_for_everyone()
        start = folder


def launched_alone(environment: Mapping[str, str]) -> bool:
    """Whether `accelerate launch` was asked for several processes but started one, as it does without GPUs:
    it then says where they would meet, but not how many they are."""
    sizes = {"WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE"}
    return "MASTER_ADDR" in environment and not sizes & environment.keys()


def shown(argv: list[str]) -> str:
    """The arguments as others would give them: with DIR for this machine's folders."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--") else [word])]
    return shlex.join("DIR" if is_folder(a, b) else b for a, b in zip([None, *words], words, strict=False))


def is_folder(flag: str | None, value: str) -> bool:
    """Whether a flag's value is a folder of this machine; --init also takes a bundled model or one on the
    Hub."""
    own = Path(value).exists() and not Path(value).is_relative_to("assets")
    return flag in ("--data-root", "--out") or (flag == "--init" and own)


if __name__ == "__main__":
    sys.exit(main())
