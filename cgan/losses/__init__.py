"""Adversarial losses by name."""

from cgan.losses.base import Loss
from cgan.losses.bce import BCE
from cgan.losses.hinge import Hinge
from cgan.registry import Registry

LOSSES: Registry[Loss] = Registry("loss", bce=BCE, hinge=Hinge)

__all__ = ["LOSSES", "Loss"]
