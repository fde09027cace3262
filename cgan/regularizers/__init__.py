"""Regularisers by name."""

from cgan.registry import Registry
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.base import Player, Regularizer, Turn, View
from cgan.regularizers.gradients import R1, R2, GradientPenalty
from cgan.regularizers.matching import Matching

REGULARIZERS: Registry[Regularizer] = Registry(
    "regularizer", r1=R1, r2=R2, gradient_penalty=GradientPenalty, auxiliary=Auxiliary, matching=Matching
)

__all__ = ["REGULARIZERS", "Player", "Regularizer", "Turn", "View"]
