"""The README keeps up with what it speaks of. `python -m tests.test_readme` prints its table of results."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS = ("mnist", "mnist-article", "fashion-mnist")


def results() -> str:
    """The table, from the bundled models' metrics.json."""
    evaluations = {
        name: json.loads((ROOT / "assets/models" / name / "metrics.json").read_text())["evaluation"]
        for name in MODELS
    }
    lines = [f"| | {' | '.join(f'`{name}`' for name in MODELS)} |", f"|{' --- |' * (len(MODELS) + 1)}"]

    def row(title: str, cells: list[str]) -> None:
        lines.append(f"| {title} | {' | '.join(cells)} |")

    def percent(own: dict, real: float) -> str:
        return f"{100 * own['mean']:.2f} ± {100 * own['std']:.2f} % ({100 * real:.2f} %)"

    parts = list(evaluations.values())
    row(
        "obedience",
        [percent(e["generated"]["obedience"]["accuracy"], e["real"]["obedience"]["accuracy"]) for e in parts],
    )
    row(
        "Fréchet distance ÷ floor",
        [f"{e['ratio']['frechet']:.1f} ({e['real']['frechet']:.4f} is 1)" for e in parts],
    )
    for key in ("precision", "recall", "coverage"):
        row(key, [f"{e['generated'][key]['mean']:.3f} ({e['real'][key]:.3f})" for e in parts])
    row("variety within a class", [f"{e['generated']['variety']['ratio']['mean']:.2f}" for e in parts])
    row(
        "usefulness",
        [percent(e["usefulness"]["generated"], e["usefulness"]["real"]["mean"]) for e in parts],
    )
    return "\n".join(lines)


def test_the_table_of_results_is_what_was_measured():
    assert results() in README


def test_every_file_it_names_is_there():
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert len(named) >= 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_space_front_matter_pins_what_the_space_needs():
    front = README.split("---")[1]
    for key in ("sdk: gradio", "app_file: app.py", "python_version:", "models:"):
        assert key in front
    version = re.search(r"sdk_version: (\S+)", front).group(1)
    assert re.fullmatch(r"6\.31\.\d+", version)


@pytest.mark.parametrize("preset", MODELS)
def test_every_preset_is_named(preset):
    assert f"`{preset}`" in README


if __name__ == "__main__":
    print(results())
