"""Adversarial losses by name."""

from cgan.losses.base import Loss
from cgan.losses.bce import BCE
from cgan.losses.hinge import Hinge
from cgan.losses.lsgan import LSGAN
from cgan.losses.relativistic import Relativistic
from cgan.losses.wasserstein import Wasserstein
from cgan.registry import Registry

LOSSES: Registry[Loss] = Registry(
    "loss", bce=BCE, lsgan=LSGAN, wasserstein=Wasserstein, hinge=Hinge, relativistic=Relativistic
)

__all__ = ["LOSSES", "Loss"]
