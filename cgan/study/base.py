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
    chosen: frozenset[str] | None = None  # names of the rows to train now; None for all

    def __post_init__(self):
        if self.seeds < 1:
            raise ValueError(f"--seeds must be at least 1, got {self.seeds}")
        names = [row.name for row in self.rows]
        if len(set(names)) != len(names) or BASELINE not in names:
            raise ValueError(f"a study needs rows of different names, one of them {BASELINE}, got {names}")

    @property
    def jobs(self) -> list[tuple[Row, int]]:
        """The runs to train, each a row and a seed."""
        rows = [row for row in self.rows if self.chosen is None or row.name in self.chosen]
        return [(row, seed) for seed in range(self.seeds) for row in rows]

    def config(self, row: Row, seed: int) -> Config:
        """The configuration of one run. ValueError names the flag that does not fit."""
        return change(override(self.baseline, row.flags), training__seed=seed)

    def only(self, names: list[str]) -> Study:
        """The study with only the rows of these names and the baseline to train; its table keeps what else
        is done. ValueError names an unknown one."""
        known = [row.name for row in self.rows]
        for name in names:
            if name not in known:
                accepted = f"Accepted: {', '.join(known)}."
                raise ValueError(f"unknown row {name!r}.{closest(name, known)} {accepted}")
        return replace(self, chosen=frozenset((*names, BASELINE)))
