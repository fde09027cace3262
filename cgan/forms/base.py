"""The forms that the page tells of, each with its words, a bundled model and what to ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """One form of condition. `rows` are what the strip asks for, a line of pictures each, with their words;
    without any, the model's own examples."""

    model: str
    title: str
    first: str  # a newcomer's first sentence
    generator: str
    discriminator: str
    references: str
    rows: Mapping[str, Mapping[str, str]] | None = None


FACE = {"skin_tone": "0.3", "smile": "0.8", "eye_openness": "0.7", "mouth_open": "0.3", "background": "blue"}
FACE |= {"hair_style": "long", "hair_colour": "red", "eye_colour": "green", "clothes": "green"}
SAD = FACE | {"smile": "-0.9", "mouth_open": "0"}
ROUND = SAD | {"glasses": "round"}
CURLY = ROUND | {"hair_style": "curly", "hair_colour": "blue"}

FORMS = (
    Form(
        "mnist",
        "A label",
        "You name one of a few classes, “a 3”, and the noise decides which 3.",
        "The label is a row of weights over the classes, 1 for the class asked for, so that “half 3, half "
        "8” is a row too. It joins the noise, and at every resolution a linear layer turns both into a "
        "scale and a shift for each channel: conditional batch norm.",
        "The picture's features give one score, whatever was asked; the inner product of the features with "
        "the label's own vector is added to it: the projection head. An auxiliary classifier names the "
        "class.",
        "Mirza & Osindero 2014 (conditional GAN); de Vries et al. 2017 (conditional batch norm); Miyato & "
        "Koyama 2018 (projection); Odena, Olah & Shlens 2017 (auxiliary classifier)",
        {
            "3": {"label": "3"},
            "8": {"label": "8"},
            "half 3, half 8": {"label": "3:0.5,8:0.5"},
            "4": {"label": "4"},
            "7": {"label": "7"},
        },
    ),
    Form(
        "mnist-article",
        "A label, the article's way",
        "The same question, put in the simplest way: the label is glued on wherever there is room.",
        "The label stands beside the noise at the input and, as maps that say the same at every pixel, "
        "beside the channels of every feature map.",
        "The label stands beside the flattened features, and a fully connected layer compares the two.",
        "Mirza & Osindero 2014",
        {name: {"label": name} for name in "38471"},
    ),
    Form(
        "faces-attributes",
        "Attributes",
        "You fill in a form: long red hair, a smile of 0.8, no hat. What has no line in the form, such as "
        "the colour of the glasses, the noise decides.",
        "Each number is scaled to −1 … 1, each choice is a row of weights, and one last number says that "
        "there is an answer at all. This vector enters as a label does.",
        "As for a label, by projection. A single score overlooks small things, so an auxiliary head reads "
        "every attribute off the picture, and the generator is trained so that it reads them correctly.",
        "As for the label; Perarnau et al. 2016 (attributes of faces)",
        {
            "long red hair, a smile": FACE,
            "the same, sad": SAD,
            "with round glasses": ROUND,
            "with curly blue hair": CURLY,
            "with a fedora and a moustache": CURLY | {"hat": "fedora", "facial_hair": "moustache"},
        },
    ),
    Form(
        "faces-text",
        "Text",
        "You write a sentence; what it doesn't say the noise decides.",
        "A recurrent network (GRU) reads word after word; max-pooling over time keeps the highest value of "
        "each of its states. A linear layer makes this one vector, which enters as a label does. It is "
        "trained jointly with the GAN; if training starts from another model, first on its own. Words it "
        "never met are named to you and left out.",
        "By projection. In training it also sees real pictures under other pictures' captions and learns to "
        "refuse these, since otherwise any good picture would pass, whatever the caption. From the auxiliary "
        "head's vector each word, with those around it, must be found true of its own picture and untrue of "
        "the others, and another word in its place untrue: a small nose counts as much as the whole "
        "background, and left is not right.",
        "Reed et al. 2016 (matching-aware discriminator); Cho et al. 2014 (GRU); Conneau et al. 2017 (max-"
        "pooling); Li et al. 2019 (judging word by word); Clark et al. 2020 (words exchanged)",
    ),
    Form(
        "faces-image",
        "A picture",
        "You draw lines; the noise decides on colours and light.",
        "A convolutional encoder makes the drawing small step by step. At each resolution its feature maps "
        "give a scale and a shift for every channel at every pixel, so that a line stays where it was "
        "drawn.",
        "The drawing is appended to the picture as further channels: a picture that does not follow it looks "
        "wrong.",
        "Isola et al. 2017 (pix2pix); Park et al. 2019 (the scale and shift at every pixel)",
    ),
    Form(
        "faces-mask",
        "A segmentation map",
        "You paint by classes: here hair, there a hat; the noise decides how they look.",
        "Each class is a map of zeros and ones. Averaged down to each resolution, two convolutions turn the "
        "maps into a scale and a shift for every channel at every pixel: SPADE.",
        "The maps are appended to the picture as further channels.",
        "Park et al. 2019 (SPADE); Isola et al. 2017",
    ),
)
