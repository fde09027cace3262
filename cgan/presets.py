"""Presets: Python functions that make a whole configuration. `python train.py --preset NAME` starts from
one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cgan.conditions.attributes import Attributes
from cgan.conditions.image import Picture
from cgan.conditions.label import Label
from cgan.conditions.mask import Mask
from cgan.conditions.text import Text
from cgan.config import AdamOptions, Config, TrainingOptions, replace
from cgan.data.faces import Faces
from cgan.data.vision import MNIST, FashionMNIST
from cgan.losses.bce import BCE
from cgan.networks import DiscriminatorOptions, GeneratorOptions
from cgan.registry import closest
from cgan.regularizers.auxiliary import Auxiliary
from cgan.regularizers.gradients import R1
from cgan.regularizers.matching import Matching


def mnist_article() -> Config:
    """The article's worked example: 28x28x1, 100 noise numbers, batch 128, 50 epochs; a generator of three
    transposed convolutions with batch norm, ReLU and tanh; the label concatenated at the input and to every
    feature map; a discriminator of strided convolutions whose flattened features meet the label before the
    fully connected layers; binary cross-entropy and Adam with DCGAN's momenta.

    The widths, the initialisation and the learning rate are ours: widths that two CPU cores train in an hour,
    and for so few weights a higher rate than DCGAN's.
    """
    adam = AdamOptions(lr=5e-4, beta1=0.5, beta2=0.999)
    return Config(
        dataset=MNIST(),
        condition=Label(),
        generator=GeneratorOptions(block="transposed", widths=(32, 32), noise_dim=100),
        discriminator=DiscriminatorOptions(widths=(32, 64, 128), head="concat", hidden=128),
        loss=BCE(),
        training=TrainingOptions(
            kimg=3000,
            batch=128,
            threads=1,
            generator_optimizer=adam,
            discriminator_optimizer=adam,
            decay_kimg=1000,
            snapshots=12,
        ),
    )


def mnist() -> Config:
    """Our best for MNIST on two CPU cores.

    Residual blocks whose batch norms read noise and label, and a transposed convolution that makes the
    picture from 14x14: no feature map is 28x28, which halves the cost of a step. The critic has no
    normalisation; lazy R1 keeps it smooth at one step in 16, and a projection head makes it hear the label.
    Learning rates of 1e-3 that fall to 0 reach in 120 kimg what 4e-4 does not reach in thrice that. The
    auxiliary classifier weighs more on the generator than on the critic, which buys obedience with recall;
    docs/quality.md has the figures.
    """
    adam = AdamOptions(lr=1e-3, beta1=0.0, beta2=0.99)
    return Config(
        dataset=MNIST(),
        condition=Label(),
        generator=GeneratorOptions(widths=(32, 64), to_image="transposed", noise_dim=32),
        discriminator=DiscriminatorOptions(widths=(32, 64, 128), head="projection"),
        loss=BCE(),
        regularizers={"r1": R1(weight=0.1), "auxiliary": Auxiliary(weight=0.2, generator_share=2.5)},
        training=TrainingOptions(
            kimg=2400,
            batch=64,
            threads=1,
            generator_optimizer=adam,
            discriminator_optimizer=adam,
            decay_kimg=1600,
            condition_dropout=0.05,
            snapshots=12,
        ),
    )


def fashion_mnist() -> Config:
    """Our best for Fashion-MNIST on two CPU cores: `mnist`, shorter. Shirt, pullover, coat and T-shirt
    overlap in the data, so that a generator that follows the data alone draws some of each under every one of
    these names; at first the auxiliary term keeps them apart."""
    return replace(
        mnist(),
        dataset=FashionMNIST(),
        regularizers={"r1": R1(weight=0.1), "auxiliary": Auxiliary(weight=0.2, generator_share=3.0)},
        training__kimg=800,
        training__decay_kimg=400,
    )


def faces_attributes() -> Config:
    """Cartoon faces from attributes: `mnist`'s recipe at 64x64: 250 pictures a second of one core's time.

    The transposed convolution that makes the picture again spares the generator its dearest resolution; the
    critic goes down to 2x2, so that its heads, as wide as the condition, stay small. The auxiliary head reads
    every attribute off the picture, the small ones too, which a single logit would pass over.
    """
    adam = AdamOptions(lr=1e-3, beta1=0.0, beta2=0.99)
    return Config(
        dataset=Faces(),
        condition=Attributes(),
        generator=GeneratorOptions(widths=(64, 64, 48, 32), to_image="transposed", noise_dim=32),
        discriminator=DiscriminatorOptions(widths=(32, 64, 64, 64, 64), head="projection"),
        loss=BCE(),
        regularizers={"r1": R1(weight=1.0), "auxiliary": Auxiliary(weight=1.0)},
        training=TrainingOptions(
            kimg=580,
            batch=64,
            threads=1,
            generator_optimizer=adam,
            discriminator_optimizer=adam,
            decay_kimg=400,
            condition_dropout=0.05,
            evaluate_kimg=100,
            snapshots=0,
        ),
    )


def faces_text() -> Config:
    """Cartoon faces from a caption: `faces_attributes` with a GRU, an auxiliary head off which it is read
    whether the caption's words are true and, at one step in four, mismatched captions as negatives.

    It begins from the weights of `faces_attributes`: the embedding is as wide as the vector of attributes, so
    that all weights of the networks fit. A generator that can draw every attribute, and a critic that can
    read it, only have to learn the words for it; so at first the encoder learns alone. What a caption leaves
    open the noise chooses, through a mapping network. The auxiliary term weighs much on the critic, who must
    tell short hair from spiky, and little on the generator, who would else paint red all that is said to be
    red.
    """
    base = faces_attributes()
    return replace(
        base,
        condition=Text(embedding=32, width=52),
        generator__mapping=128,
        regularizers={
            **base.regularizers,
            "auxiliary": Auxiliary(weight=12.0, generator_share=0.12),
            "matching": Matching(every=4),
        },
        training__kimg=690,
        training__decay_kimg=230,
        training__encoder_lr=3e-3,
        training__encoder_kimg=200,
    )


def faces_mask() -> Config:
    """Cartoon faces from a segmentation map: SPADE, and a critic that sees the map beside the picture and so
    needs no head of its own for it."""
    return replace(
        faces_attributes(),
        condition=Mask(),
        generator__spatial_hidden=16,
        discriminator__widths=(32, 64, 96, 96),
        regularizers={"r1": R1(weight=1.0)},
        training__kimg=550,
    )


def faces_image() -> Config:
    """Cartoon faces from a line drawing: `faces_mask` with a convolutional encoder, whose coarse maps know
    which lines belong together."""
    return replace(
        faces_mask(),
        condition=Picture(),
        generator__spatial="encoded",
    )


def _gone_on(config: Config, kimg: int, lr: float, **changes: Any) -> Config:
    """Another run of `kimg` with rates that fall from `lr`."""
    return replace(
        config,
        training__kimg=kimg,
        training__generator_optimizer__lr=lr,
        training__discriminator_optimizer__lr=lr,
        **changes,
    )


def _told(config: Config, share: float) -> Config:
    """With `share` of the auxiliary term in the generator's loss."""
    auxiliary = replace(config.regularizers["auxiliary"], generator_share=share)
    return replace(config, regularizers={**config.regularizers, "auxiliary": auxiliary})


def _mnist_stages() -> list[Config]:
    """`mnist`, then twice with less of the auxiliary term, so that the hard digits are drawn too."""
    shown = replace(mnist(), training__snapshots=2)
    return [
        mnist(),
        _gone_on(_told(shown, 1.5), 800, 5e-4, training__decay_kimg=800, training__seed=1),
        _gone_on(_told(shown, 0.5), 600, 4e-4, training__decay_kimg=600, training__seed=2),
    ]


def _fashion_stages() -> list[Config]:
    """`fashion_mnist`, then twice with less of the auxiliary term, so that unusual clothes are drawn too."""
    shown = replace(fashion_mnist(), training__snapshots=2)
    return [
        fashion_mnist(),
        _gone_on(_told(shown, 0.5), 800, 5e-4, training__decay_kimg=800, training__seed=1),
        _gone_on(_told(shown, 0.15), 900, 1e-3, training__decay_kimg=600, training__seed=2),
    ]


def _faces_text_stages() -> list[Config]:
    """`faces_text`, then longer, with an encoder that knows its words and learns with the networks, and last
    with captions that weigh a little more."""
    known = replace(faces_text(), training__encoder_kimg=0.0)
    return [
        faces_text(),
        _gone_on(_told(known, 0.12), 650, 1e-3, training__decay_kimg=490, training__seed=1),
        _gone_on(_told(known, 0.2), 90, 4e-4, training__decay_kimg=90, training__seed=2),
    ]


def _faces_image_stages() -> list[Config]:
    """`faces_image`, then a little longer at half the rates."""
    return [
        faces_image(),
        _gone_on(faces_image(), 150, 5e-4, training__decay_kimg=150, training__seed=1),
    ]


PRESETS: dict[str, Callable[[], Config]] = {
    "mnist": mnist,
    "mnist-article": mnist_article,
    "fashion-mnist": fashion_mnist,
    "faces-attributes": faces_attributes,
    "faces-text": faces_text,
    "faces-image": faces_image,
    "faces-mask": faces_mask,
}

STAGES: dict[str, Callable[[], list[Config]]] = {
    "mnist": _mnist_stages,
    "fashion-mnist": _fashion_stages,
    "faces-text": _faces_text_stages,
    "faces-image": _faces_image_stages,
}
BEGINNINGS = {"faces-text": "faces-attributes"}  # whose weights a preset begins from, where not from none


def stages(name: str) -> list[Config]:
    """All that made the bundled model of a preset: the preset, then those that each go on from the weights
    before."""
    return STAGES[name]() if name in STAGES else [preset(name)]


def preset(name: str) -> Config:
    """The preset of that name. ValueError naming the closest matches and all accepted names."""
    if name not in PRESETS:
        raise ValueError(
            f"unknown preset {name!r}.{closest(name, list(PRESETS))} Accepted: {', '.join(PRESETS)}."
        )
    return PRESETS[name]()
