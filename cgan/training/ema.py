"""The running average of a network's weights, which makes better pictures than the weights themselves
(Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training")."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

FIRST = 15  # power iterations of the first average, as many as PyTorch begins with


class EMA:
    """Keeps `average`, a copy of a module whose weights and buffers follow the module's own, but for spectral
    norm's vectors, which are those of the averaged weights."""

    def __init__(self, module: nn.Module, kimg: float):
        self.average = copy.deepcopy(module).eval().requires_grad_(False)
        self._normed = [each for each in self.average.modules() if isinstance(each, ParametrizationList)]
        self._find_singular_vectors(FIRST)
        self.kimg = kimg
        self.weight = torch.zeros((), device=next(module.parameters()).device)  # of the module in an update

    def schedule(self, batch: int, images_seen: int) -> None:
        """Set how far `update` goes after `batch` more pictures. The half-life is `kimg`, or a twentieth of
        the pictures seen while that is less (`ema_rampup` of StyleGAN2-ADA; Karras et al. 2020), so that the
        first average is not the untrained network."""
        half_life = min(self.kimg * 1000, images_seen * 0.05)
        self.weight.fill_(1 - 0.5 ** (batch / max(half_life, 1e-8)))

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move towards `module`."""
        pairs = [
            *zip(self.average.parameters(), module.parameters(), strict=True),
            *zip(self.average.buffers(), module.buffers(), strict=True),
        ]
        followed = [(own, new) for own, new in pairs if own.is_floating_point()]
        torch._foreach_lerp_(*map(list, zip(*followed, strict=True)), [self.weight] * len(followed))
        for own, new in pairs:
            if not own.is_floating_point():
                own.copy_(new)
        self._find_singular_vectors()

    def _find_singular_vectors(self, times: int = 1) -> None:
        """So many power iterations: the average of unit vectors that turn would be too short."""
        for weight in self._normed:
            weight.train()
            for _ in range(times):
                weight()  # which iterates
            weight.eval()
