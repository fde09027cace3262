"""Imports point down only, and gradio stays above."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS: list[set[str]] = [
    {"registry", "types", "rng", "precision", "memory", "cli", "atomic", "sheet"},
    {"conditions", "networks", "losses", "regularizers", "augment", "data", "metrics"},
    {"config"},
    {"presets", "study", "neighbours", "specimens"},
    {"model"},
    {"timeline", "card", "preview"},
    {"hub", "evaluation", "latent", "inference", "dissection", "critic", "inversion", "forms"},
    {"engine", "training"},
    {"ui"},
    {"__main__"},
]
FILES = sorted((ROOT / "cgan").rglob("*.py"))


def layer(part: str) -> int:
    return next(level for level, parts in enumerate(LAYERS) if part in parts)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, by full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT / "cgan")
    return relative.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    own = part_of(path)
    if own == "__init__":
        return
    entry = path.name == "__main__.py" or (own == "metrics" and path.name == "features.py")
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "cgan" or len(parts) < 2 or parts[1] == "__version__":
            continue
        other = parts[1]
        if other == own or (entry and other == "data"):
            continue
        assert layer(other) < layer(own), f"{path} imports {name}, which does not lie below it"
        assert (own, other) != ("ui", "training"), f"{path}: the page trains nothing"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_interface_imports_gradio(path):
    if part_of(path) != "ui":
        assert not {name for name in imports(path) if name.split(".")[0] in {"gradio", "fastapi", "uvicorn"}}
