"""What is freed is kept."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cgan import memory

FAULTS = """
import resource, sys
import torch
from cgan import memory
if "keep" in sys.argv:
    assert memory.keep()
x = torch.zeros(2**20)
for _ in range(3):
    x.add(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    x.add(1)
    torch.ones(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_blocks_are_mapped_once():
    root = Path(__file__).parent.parent

    def faults(*arguments: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", FAULTS, *arguments], cwd=root, capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert faults("keep") < 2**16 < faults()  # twenty blocks of 2**13 pages, mapped once or twenty times


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not memory.keep()


LOADED = """
import sys
from pathlib import Path
from cgan.model import ConditionalGAN
for folder in Path("assets/models").iterdir():
    ConditionalGAN.load(folder)
print(*[name for name in ("sympy", "torch._dynamo") if name in sys.modules])
"""


def test_no_bundled_model_needs_the_compiler():
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=root, capture_output=True, text=True, check=True
    )
    assert not done.stdout.split()
