"""Distances between the features of two sets of pictures, called FID and KID only in Inception-v3 features.

Shapes: N, M pictures, F feature width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ROWS = 1000  # rows of a distance or kernel matrix held at once


@dataclass(frozen=True)
class Gaussian:
    """Mean and covariance of features."""

    mean: Tensor  # [F] float64
    covariance: Tensor  # [F, F] float64

    @staticmethod
    def of(features: Tensor) -> Gaussian:
        """Of features [N, F]. ValueError unless N is above F, as the covariance would be singular."""
        count, width = features.shape
        if count <= width:
            raise ValueError(
                f"a Fréchet distance in {width} features needs over {width} pictures, got {count}"
            )
        features = features.double()
        return Gaussian(features.mean(0), features.T.cov())


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) (Heusel et al. 2017, equation 6).

    The trace of the root is taken from C_a^(1/2) C_b C_a^(1/2), symmetric and of the same eigenvalues.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    trace = a.covariance.trace() + b.covariance.trace() - 2 * cross
    return ((a.mean - b.mean).square().sum() + trace).item()


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Squared maximum mean discrepancy of features [N, F] and [M, F], unbiased: may be below 0.

    Bińkowski et al. 2018, equation 4, with their kernel (x·y / F + 1)^3, over the whole sets. ValueError if a
    set has fewer than two pictures.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a kernel distance needs at least 2 pictures a side, got {len(a)} and {len(b)}")
    return _mean_kernel(a) + _mean_kernel(b) - 2 * _kernel_sum(a, b) / (len(a) * len(b))


def _mean_kernel(a: Tensor) -> float:
    """Over all pairs of two different pictures."""
    own = (a.double().square().sum(1) / a.shape[1] + 1).pow(3).sum().item()
    return (_kernel_sum(a, a) - own) / (len(a) * (len(a) - 1))


def _kernel_sum(a: Tensor, b: Tensor) -> float:
    a, b = a.double() / a.shape[1], b.double()
    return sum((rows @ b.T).add_(1).pow_(3).sum().item() for rows in a.split(ROWS))
