"""The ways to explore, in the order shown. A tab is one file, a script of the same name and one line here."""

from cgan.registry import Registry
from cgan.ui.plans import PICTURE_ROUTES, Route
from cgan.ui.tabs.base import Tab
from cgan.ui.tabs.card import Card
from cgan.ui.tabs.compare import Compare
from cgan.ui.tabs.conditioning import Conditioning
from cgan.ui.tabs.critic import Critic
from cgan.ui.tabs.directions import Directions
from cgan.ui.tabs.examples import Examples
from cgan.ui.tabs.generate import Generate
from cgan.ui.tabs.inside import Inside
from cgan.ui.tabs.interpolate import Interpolate
from cgan.ui.tabs.invert import Invert
from cgan.ui.tabs.learn import Learn
from cgan.ui.tabs.mixer import Mixer
from cgan.ui.tabs.neighbours import Nearest
from cgan.ui.tabs.pad import Pad

TABS: Registry[Tab] = Registry(
    "tab",
    examples=Examples,
    generate=Generate,
    interpolate=Interpolate,
    pad=Pad,
    mixer=Mixer,
    directions=Directions,
    conditioning=Conditioning,
    learn=Learn,
    inside=Inside,
    critic=Critic,
    invert=Invert,
    neighbours=Nearest,
    card=Card,
    compare=Compare,
)

ROUTES: dict[str, Route] = {
    **PICTURE_ROUTES,
    **{path: route for tab in TABS.values() for path, route in tab.routes.items()},
}
"""Every address that answers with something of a model."""

__all__ = ["ROUTES", "TABS", "Tab"]
