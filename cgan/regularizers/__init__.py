"""Regularisers by name."""

from cgan.registry import Registry
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.base import Player, Regularizer, Turn, View
from cgan.regularizers.r1 import R1

REGULARIZERS: Registry[Regularizer] = Registry("regularizer", r1=R1, auxiliary=Auxiliary)

__all__ = ["REGULARIZERS", "Player", "Regularizer", "Turn", "View"]
