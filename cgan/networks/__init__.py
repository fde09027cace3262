"""Generator, discriminator and what they are built of."""

from cgan.networks.discriminator import Discriminator, DiscriminatorOptions
from cgan.networks.generator import Generator, GeneratorOptions
from cgan.networks.norms import Batch, Layer, NoNorm, Norm, Spectral, Virtual
from cgan.registry import Registry

NORMS: Registry[Norm] = Registry(
    "norm", none=NoNorm, batch=Batch, layer=Layer, virtual=Virtual, spectral=Spectral
)

__all__ = ["NORMS", "Discriminator", "DiscriminatorOptions", "Generator", "GeneratorOptions", "Norm"]
