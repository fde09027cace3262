"""Files that are replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The name of a file beside `path`, for the block to write, that takes its place when the block ends. If
    the block fails, what was there stays and nothing is left beside it: an interrupted write or a full disk
    does no harm."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
