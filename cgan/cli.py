"""What the command lines have in common."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")  # as launchers call it


class Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def fail(program: str, error: object, status: int = 2) -> int:
    """One line on stderr; returns the exit status."""
    print(f"{program}: {error}", file=sys.stderr)
    return status


def first_process() -> bool:
    """Whether this is the first of the processes that a launcher has started, which speaks for all, or the
    only one."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)
