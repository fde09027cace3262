"""The study that comes with the program: its table and pictures as files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cgan.study.table import TABLE, read


@dataclass(frozen=True)
class BundledStudy:
    """A study's table and pictures, read once. A program without them has no rows."""

    path: Path = TABLE

    @cached_property
    def table(self) -> dict[str, Any]:
        """As `cgan.study.table` describes it. ValueError if the file is something else."""
        return read(self.path) if self.path.exists() else {"rows": []}

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The table's rows by name."""
        return {row["name"]: row for row in self.table["rows"]}

    @cached_property
    def files(self) -> dict[str, tuple[bytes, str]]:
        """What can be asked for, by its path below /study/, and of which type it is."""
        if not self.rows:
            return {}
        name, folder = self.path.name, self.path.with_suffix("")
        pictures = {row: folder / f"{row}.webp" for row, about in self.rows.items() if about["picture"]}
        found = {
            f"{folder.name}/{row}.webp": (path.read_bytes(), "image/webp") for row, path in pictures.items()
        }
        return {name: (self.path.read_bytes(), "application/json"), **found}

    @cached_property
    def version(self) -> str:
        """Of all files together, for addresses that may be kept for ever."""
        return hashlib.blake2s(b"".join(file for file, _ in self.files.values()), digest_size=8).hexdigest()
