"""How good, how varied and how obedient a generator is: pure functions on tensors.

`report.evaluate` puts them together; `features` holds the judge that they lean on.
"""

from cgan.metrics.obedience import LabelObedience, Measure
from cgan.registry import Registry

MEASURES: Registry[Measure] = Registry("measure of obedience", label=LabelObedience)

__all__ = ["MEASURES", "Measure"]
