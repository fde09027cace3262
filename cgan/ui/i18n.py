"""Every string of the page by key. `{name}` stands for a value that is filled in.

The HTML carries the key beside the English text, the script has the table; another language is another table.
"""

from __future__ import annotations

from html import escape

ENGLISH: dict[str, str] = {
    "title": "Conditional GAN Explorer",
    "tagline": "A generator turns noise and a label into a picture. Drag, choose, and watch it follow.",
    "model": "Model",
    "tabs": "Ways to explore",
    "picture": "Live picture",
    "copy": "Copy link",
    "copied": "Link copied",
    "copy_failed": "The link is in the address bar",
    "save_png": "Save PNG",
    "save_gif": "Save GIF",
    "save_strip": "Save film strip",
    "seed": "Seed",
    "dice": "New random seed",
    "reset": "Reset",
    "psi": "Truncation ψ",
    "count": "Pictures",
    "directions": "Leading directions",
    "components": "Raw z components",
    "direction": "Direction {n}",
    "component": "z[{n}]",
    "unset": "seed",
    "noise": "Noise",
    "sample": "Picture {n} of this seed",
    "sample_clear": "Back to the first",
    "start": "From",
    "end": "To",
    "path": "Path",
    "slerp": "slerp",
    "lerp": "lerp",
    "scrub": "Position between the ends",
    "play": "Play",
    "pause": "Pause",
    "strip": "Film strip from one end to the other",
    "rows": "Noises",
    "new_noises": "New noises",
    "transpose": "Swap rows and columns",
    "cell": "{label}, noise {n}: open in Generate",
    "described": "Generated picture: {what}",
    "described_grid": "Grid of generated pictures: {what}",
    "generate": "Generate",
    "generate_hint": "Drag a direction: the label stays, the style changes. Then keep the noise and change "
    "the label: the style carries over. A smaller ψ gives more typical, less varied pictures.",
    "interpolate": "Interpolate",
    "interpolate_hint": "Move between two ends. Noise and label change together, and the pictures on the way "
    "are new ones, not blends of the two.",
    "conditioning": "Conditioning",
    "conditioning_hint": "The same noises under every label: pictures of one noise share their style, "
    "pictures of one label their content. Pick a picture to play with it.",
    "busy": "The server is busy. The last picture stays; trying again …",
    "offline": "The server can't be reached. The last picture stays; trying again …",
    "refused": "The server can't make this picture: {why}",
    "no_model": "This server has no model named {name}. It has: {names}.",
}


def say(key: str) -> str:
    """The text of `key` for an attribute, escaped."""
    return escape(ENGLISH[key])


def text(key: str) -> str:
    """The text of `key` as HTML that another language can replace."""
    return f'<span data-text="{key}">{say(key)}</span>'
