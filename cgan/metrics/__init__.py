"""How good, how varied and how obedient a generator is: pure functions on tensors.

`report.evaluate` puts them together; `features` holds the judge that they lean on.
"""

from cgan.metrics.obedience import (
    AttributesObedience,
    ImageObedience,
    LabelObedience,
    MaskObedience,
    Measure,
    TextObedience,
)
from cgan.registry import Registry

MEASURES: Registry[Measure] = Registry(
    "measure of obedience",
    label=LabelObedience,
    attributes=AttributesObedience,
    text=TextObedience,
    image=ImageObedience,
    mask=MaskObedience,
)

__all__ = ["MEASURES", "Measure"]
