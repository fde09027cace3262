"""What a study is: a baseline, and rows that each change it in one respect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cgan.config import Config, override
from cgan.config import replace as change
from cgan.registry import closest

BASELINE = "baseline"  # the name of the row that all others are measured against


@dataclass(frozen=True)
class Row:
    """One thing done differently."""

    name: str  # of its folder and picture
    title: str
    group: str
    flags: Mapping[str, str]  # what it changes, as train.py's options
    reference: str
    sentence: str  # what it does


@dataclass(frozen=True, kw_only=True)
class Study:
    """Rows that differ from a baseline, each trained with several seeds."""

    name: str
    baseline: Config
    rows: tuple[Row, ...]  # in the order that they run
    seeds: int = 2
    count: int = 10_000  # pictures that score a row, and each point of its curve

    def __post_init__(self):
        if self.seeds < 1:
            raise ValueError(f"--seeds must be at least 1, got {self.seeds}")
        names = [row.name for row in self.rows]
        if len(set(names)) != len(names) or BASELINE not in names:
            raise ValueError(f"a study needs rows of different names, one of them {BASELINE}, got {names}")

    def config(self, row: Row, seed: int) -> Config:
        """The configuration of one run. ValueError names the flag that does not fit."""
        return change(override(self.baseline, row.flags), training__seed=seed)

    def only(self, names: list[str]) -> Study:
        """The study of the rows of these names and of the baseline. ValueError names an unknown one."""
        known = [row.name for row in self.rows]
        for name in names:
            if name not in known:
                accepted = f"Accepted: {', '.join(known)}."
                raise ValueError(f"unknown row {name!r}.{closest(name, known)} {accepted}")
        return replace(self, rows=tuple(row for row in self.rows if row.name in {*names, BASELINE}))
