"""What the command lines have in common."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Says what was wrong in one line, without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def fail(program: str, error: object, status: int = 2) -> int:
    """One line on stderr; returns the exit status."""
    print(f"{program}: {error}", file=sys.stderr)
    return status
