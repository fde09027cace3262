"""States worth seeing, each a link with its picture: where to begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from cgan.conditions import Field
from cgan.engine import Resident
from cgan.ui.i18n import text
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api


@dataclass(frozen=True)
class Example:
    """A state of a tab, as the address holds it."""

    key: str  # of the line that says what to notice
    model: str
    tab: str
    state: str  # the tab's parameters
    path: str  # the route of its picture
    page: str = ""  # parameters that only the page knows
    extra: str = ""  # parameters that only the picture has

    @property
    def address(self) -> str:
        """Where the page shows it."""
        return f"?tab={self.tab}&model={self.model}&{self.state}{self.page}"

    @property
    def picture(self) -> str:
        """Its picture."""
        return f"{self.path}?model={self.model}&{self.state}{self.extra}"


FACE = (
    "hair_style=curly&hair_colour=red&glasses=round&eye_colour=green&clothes=green&background=blue&smile=0.9"
    "&facial_hair=none&hat=none"
)
OPENINGS = {"faces-attributes": FACE}
"""The condition that a model's page opens with, where its fields' own defaults make a dull picture."""
OTHER_FACE = (
    "hair_style2=long&hair_colour2=blue&glasses2=none&eye_colour2=violet&clothes2=white&background2=green"
    "&smile2=-0.6&facial_hair2=none&hat2=none&skin_tone2=0.2"
)

EXAMPLES = (
    Example("example_hands", "mnist", "conditioning", "seed=1&rows=8", "grid.png"),
    Example("example_outfits", "fashion-mnist", "conditioning", "seed=1&rows=8", "grid.png"),
    Example("example_face", "faces-attributes", "generate", f"{FACE}&seed=4", "frame.png"),
    Example("example_maps", "faces-mask", "conditioning", "seed=1&rows=8", "grid.png"),
    Example("example_lines", "faces-image", "conditioning", "seed=1&rows=8", "grid.png"),
    Example(
        "example_caption",
        "faces-text",
        "generate",
        "text=a+gloomy+bearded+character+with+black+hair+and+a+hat&seed=1&count=16",
        "frame.png",
    ),
    Example(
        "example_between",
        "faces-attributes",
        "interpolate",
        f"{FACE}&seed=4&{OTHER_FACE}&seed2=5&t=0.5",
        "frame.png",
    ),
    Example("example_half", "mnist", "mixer", "label=3:0.5,8:0.5&seed=4&count=16", "frame.png"),
    Example(
        "example_bag", "fashion-mnist", "mixer", "label=T-shirt:0.5,bag:0.5&seed=1&count=16", "frame.png"
    ),
    Example("example_sevens", "mnist", "generate", "label=7&seed=1&count=64", "frame.png"),
    Example("example_typical", "mnist", "generate", "label=7&seed=1&psi=0.3&count=64", "frame.png"),
    Example("example_none", "mnist", "generate", "label=3&seed=1&count=25&strength=0", "frame.png"),
    Example("example_unlike", "mnist", "generate", "label=3&seed=1&count=25&strength=-1", "frame.png"),
    Example(
        "example_bold", "fashion-mnist", "generate", "label=ankle+boot&seed=1&psi=2&count=25", "frame.png"
    ),
    Example(
        "example_sandal",
        "fashion-mnist",
        "interpolate",
        "label=sandal&seed=3&label2=ankle+boot&seed2=3&t=0.4",
        "frame.png",
    ),
    Example(
        "example_coat",
        "fashion-mnist",
        "pad",
        "label=coat&x=0.5&y=0.5&over=axes&seed=3&across=1&up=2",
        "pad.png",
        page="&snap=1",
        extra="&steps=7",
    ),
    Example("example_early", "mnist-article", "learn", "seed=1&snapshot=1", "snapshot.png"),
    Example(
        "example_inside",
        "fashion-mnist",
        "inside",
        "label=ankle+boot&seed=2",
        "features.png",
        page="&block=1",
        extra="&block=1",
    ),
    Example(
        "example_parts",
        "faces-attributes",
        "inside",
        f"{FACE}&seed=4",
        "features.png",
        page="&block=3",
        extra="&block=3",
    ),
)


def opening(resident: Resident) -> dict[str, str]:
    """What the fields of a model's condition begin with on the page; those left out, with their defaults."""
    values = dict(parse_qsl(OPENINGS.get(resident.name, "")))
    try:
        resident.model.encoder.parse(values)
    except ValueError:  # another model of that name
        return {}
    return values


@dataclass(frozen=True)
class Examples(Tab):
    """Those whose models are loaded. The script asks for their pictures when the tab is first opened."""

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        links = "".join(_link(example) for example in EXAMPLES if example.model in models)
        return (
            f'<ul class="gallery">{links}</ul>' if links else f'<p class="note">{text("examples_none")}</p>'
        )

    def endpoint(self, api: Api) -> None:
        """None: they are states of the other tabs."""


def _link(example: Example) -> str:
    return (
        f'<li><a href="{escape(example.address)}" data-model="{example.model}" '
        f'data-picture="{escape(example.picture)}"><img alt="" loading="lazy">{text(example.key)}'
        f"<small>{example.model}</small></a></li>"
    )
