"""Tiny seeded networks and data, for every test."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cgan.conditions.label import Label
from cgan.config import Config, TrainingOptions, replace
from cgan.data import Images
from cgan.data.vision import MNIST
from cgan.engine import Engine
from cgan.model import ConditionalGAN
from cgan.networks import DiscriminatorOptions, GeneratorOptions

if TYPE_CHECKING:
    from fastapi import FastAPI

torch.set_num_threads(1)  # tiny networks gain nothing from two, and lose tenfold on a busy machine

CLASSES = ("zero", "one", "two")


def tiny_config(**changes: Any) -> Config:
    """A run of a few thousand parameters on 8x8 pictures; changes by dotted path with '__' for the dot."""
    config = Config(
        dataset=MNIST(size=8),
        condition=Label(classes=CLASSES),
        generator=GeneratorOptions(widths=(4, 4), noise_dim=5),
        discriminator=DiscriminatorOptions(widths=(4, 8), head="projection"),
        training=TrainingOptions(
            kimg=0.32, batch=16, checkpoint_kimg=0.064, evaluate_kimg=0, snapshots=3, threads=1
        ),
    )
    return replace(config, **changes)


def tiny_data(count: int = 64, channels: int = 1, size: int = 8) -> Images:
    """Noise pictures whose brightness follows their class."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % len(CLASSES)
    images = torch.randint(0, 100, (count, channels, size, size), generator=generator)
    images += 50 * labels[:, None, None, None]
    return Images(images.to(torch.uint8), {"label": labels, "classes": CLASSES})


def tiny_model(**changes: Any) -> ConditionalGAN:
    """An untrained tiny model, the same at every call, of weights that half precision holds."""
    torch.manual_seed(0)
    config = tiny_config(**changes)
    model = ConditionalGAN(config.model({"classes": CLASSES}, config.dataset.size, config.dataset.channels))
    for tensor in model.requires_grad_(False).state_dict().values():
        if tensor.is_floating_point() and tensor.ndim > 1:
            tensor.copy_(tensor.half())
    return model.eval()


@pytest.fixture
def config() -> Callable[..., Config]:
    return tiny_config


@pytest.fixture
def data() -> Images:
    return tiny_data()


@pytest.fixture
def model() -> ConditionalGAN:
    return tiny_model()


def served(engine: Engine) -> FastAPI:
    """The picture routes before an engine."""
    from fastapi import FastAPI  # here: what is below the page is tested where there is no web server

    from cgan.ui.routes import PictureRoutes

    app = FastAPI()
    PictureRoutes(engine).add_to(app)
    return app


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    """The picture routes before a test file's own `engine`."""
    return served(engine)
