"""Forms of condition by name."""

from cgan.conditions.attributes import Attributes
from cgan.conditions.base import (
    Caption,
    Choice,
    Condition,
    ConditionEncoder,
    Field,
    Paint,
    Range,
    Sketch,
)
from cgan.conditions.image import Picture
from cgan.conditions.label import Label
from cgan.conditions.mask import Mask
from cgan.conditions.text import Text
from cgan.registry import Registry

CONDITIONS: Registry[Condition] = Registry(
    "condition", label=Label, attributes=Attributes, text=Text, image=Picture, mask=Mask
)

__all__ = [
    "CONDITIONS",
    "Caption",
    "Choice",
    "Condition",
    "ConditionEncoder",
    "Field",
    "Paint",
    "Range",
    "Sketch",
]
