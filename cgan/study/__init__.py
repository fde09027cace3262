"""Studies by name: what each technique does, measured."""

from cgan.study.base import BASELINE, Row, Study
from cgan.study.techniques import TECHNIQUES

STUDIES: dict[str, Study] = {"techniques": TECHNIQUES}

__all__ = ["BASELINE", "STUDIES", "Row", "Study"]
