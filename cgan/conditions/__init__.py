"""Forms of condition by name."""

from cgan.conditions.base import Choice, Condition, ConditionEncoder, Field
from cgan.conditions.label import Label
from cgan.registry import Registry

CONDITIONS: Registry[Condition] = Registry("condition", label=Label)

__all__ = ["CONDITIONS", "Choice", "Condition", "ConditionEncoder", "Field"]
