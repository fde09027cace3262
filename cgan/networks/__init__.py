"""Generator, discriminator and what they are built of."""

from cgan.networks.discriminator import Discriminator, DiscriminatorOptions
from cgan.networks.generator import Generator, GeneratorOptions
from cgan.networks.norms import BatchNorm, LayerNorm, NoNorm, Norm, SpectralNorm, VirtualBatchNorm
from cgan.registry import Registry

NORMS: Registry[Norm] = Registry(
    "norm", none=NoNorm, batch=BatchNorm, layer=LayerNorm, virtual=VirtualBatchNorm, spectral=SpectralNorm
)

__all__ = ["NORMS", "Discriminator", "DiscriminatorOptions", "Generator", "GeneratorOptions", "Norm"]
