"""The standard FID, in Inception-v3 features, where its weights can be had.

Shapes: N, M pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from torch import Tensor

BATCH = 50


def inception_v3_fid(real: Tensor, other: Tensor) -> float:
    """Fréchet Inception distance (Heusel et al. 2017) of pictures uint8 [N, C, H, W] and [M, C, H, W].

    By torchmetrics and torch-fidelity, which downloads the weights once (about 90 MB); slow on a CPU.
    ValueError if torch-fidelity or the weights can't be had, or either side has under 2 pictures.
    """
    if min(len(real), len(other)) < 2:
        raise ValueError(f"FID needs at least 2 pictures a side, got {len(real)} and {len(other)}")
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance

        metric = FrechetInceptionDistance(feature=2048)
    except ImportError as error:
        raise ValueError("the standard FID needs: pip install torchmetrics torch-fidelity") from error
    except OSError as error:
        raise ValueError(
            f"the weights of Inception-v3 for the standard FID can't be downloaded: {error}"
        ) from error
    for images, is_real in ((real, True), (other, False)):
        for batch in images.split(BATCH):
            metric.update(batch.expand(-1, 3, -1, -1), real=is_real)
    return metric.compute().item()
