"""cGAN Explorer: conditional GANs, the trainer that makes them and the engine that plays them."""

__version__ = "0.2.0"
