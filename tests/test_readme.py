"""The README and the lesson keep up with what they speak of.

`python -m tests.test_readme` prints the README's tables of results.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import train
from cgan.__main__ import parser
from cgan.presets import PRESETS, preset
from cgan.ui import server

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSON = (ROOT / "docs/lesson.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python ((?:-m cgan|app\.py|train\.py).*)$", f"{README}\n{LESSON}", re.MULTILINE)
LABELS = [name for name in PRESETS if preset(name).condition.form == "label"]
MEANS = {
    "score": "attributes {}",
    "term_accuracy": "terms {}",
    "iou": "IoU {}",
    "f1": "lines F1 {}",
}


def evaluation(name: str) -> dict[str, Any]:
    path = ROOT / "assets/models" / name / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8"))["evaluation"]


def table(corner: str, heads: list[str], rows: list[tuple[str, list[str]]]) -> str:
    lines = [f"| {corner} | {' | '.join(heads)} |".replace("|  |", "| |"), f"|{' --- |' * (len(heads) + 1)}"]
    return "\n".join(lines + [f"| {title} | {' | '.join(cells)} |" for title, cells in rows])


def percent(own: dict[str, Any], real: float) -> str:
    return f"{100 * own['mean']:.2f} ± {100 * own['std']:.2f} % ({100 * real:.2f} %)"


def spread(own: dict[str, Any], real: float) -> str:
    return f"{own['mean']:.3f} ± {own['std']:.3f} ({real:.3f})"


def frechet(e: dict[str, Any]) -> str:
    return f"{e['ratio']['frechet']:.1f} ({e['real']['frechet']:.4f} is 1)"


def results() -> str:
    """The table of the models that take labels, from their metrics.json."""
    parts = [evaluation(name) for name in LABELS]
    pairs = [(e["generated"], e["real"]) for e in parts]
    rows = [
        ("obedience", [percent(g["obedience"]["accuracy"], r["obedience"]["accuracy"]) for g, r in pairs]),
        ("Fréchet distance ÷ floor", [frechet(e) for e in parts]),
    ]
    for key in ("precision", "recall", "coverage"):
        rows.append((key, [f"{g[key]['mean']:.3f} ({r[key]:.3f})" for g, r in pairs]))
    rows.append(("variety within a class", [f"{g['variety']['ratio']['mean']:.2f}" for g, _ in pairs]))
    pupils = [e["usefulness"] for e in parts]
    rows.append(("usefulness", [percent(p["generated"], p["real"]["mean"]) for p in pupils]))
    return table("", [f"`{name}`" for name in LABELS], rows)


def forms() -> str:
    """The table of the models that take anything else, a line each."""
    rows = []
    for name in [name for name in PRESETS if name not in LABELS]:
        e = evaluation(name)
        own, real, key = e["generated"], e["real"], e["headline"]
        cells = [MEANS[key].format(spread(own["obedience"][key], real["obedience"][key])), frechet(e)]
        cells += [f"{own[k]['mean']:.3f} ({real[k]:.3f})" for k in ("precision", "recall", "coverage")]
        cells.append(f"{own['noise_variety']['mean']:.2f}")
        if "noise_variety" in real:
            cells[-1] += f" ({real['noise_variety']:.2f})"
        rows.append((f"`{name}`", cells))
    heads = ["obedience", "Fréchet distance ÷ floor", "precision", "recall", "coverage", "variety by noise"]
    return table("", heads, rows)


def test_the_tables_of_results_are_what_was_measured():
    assert results() in README
    assert forms() in README


def test_every_file_it_names_is_there():
    link = re.compile(r"\]\(((?!http)[^)#]+)[^)]*\)")
    named = link.findall(README)
    assert len(named) >= 5
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [name for name in link.findall(LESSON) if not (ROOT / "docs" / name).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command):
    match shlex.split(command.replace("--data-root DATA --download ", "")):
        case "train.py", *flags:
            assert train.main([*flags, "--dry-run"]) == 0
        case "app.py", *flags:
            server.parser().parse_args(flags)
        case "-m", "cgan", *flags:
            parser().parse_args(flags)


def test_space_front_matter_pins_what_the_space_needs():
    front = README.split("---")[1]
    for key in ("sdk: gradio", "app_file: app.py", "python_version:", "models:"):
        assert key in front
    version = re.search(r"sdk_version: (\S+)", front).group(1)
    assert re.fullmatch(r"6\.31\.\d+", version)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_named(name):
    assert f"`{name}`" in README


if __name__ == "__main__":
    print(results(), forms(), sep="\n\n")
