"""The page's few controls as HTML. Named ones are the state: their names are the routes' parameters.

`data-default` is what a control holds when the address says nothing. What holds its default is left out of
the address, unless it is marked `data-keep`.
"""

from __future__ import annotations

from html import escape

from cgan.rng import SEED_LIMIT
from cgan.ui.i18n import say, text


def slider(
    tab: str,
    name: str,
    *,
    low: float,
    high: float,
    step: float,
    value: float,
    key: str | None = None,
    kept: bool = False,
    page_only: bool = False,
) -> str:
    """A labelled range input with its value beside it. `key` names its text, `name` where it is left out.

    `kept` marks one whose value always stands in the address, because the routes' default is another;
    `page_only` keeps it out of the routes' parameters.
    """
    marks = f"{' data-keep' if kept else ''}{' data-page' if page_only else ''}"
    control = (
        f'<input type="range" id="{tab}-{name}" name="{name}" min="{low:g}" max="{high:g}" step="{step:g}" '
        f'value="{value:g}" data-default="{value:g}"{marks}>'
    )
    return (
        f'<div class="slider"><label for="{tab}-{name}">{text(key or name)}</label>{control}'
        f'<output for="{tab}-{name}">{value:g}</output></div>'
    )


def sliders(tab: str, name: str, *, key: str, kind: str, low: float, high: float, step: float) -> str:
    """A place for as many sliders as the model has numbers called `name`.

    `kind` says how they become one parameter: "dense" (1,0,-2, with 0 for the untouched) or "sparse"
    (INDEX:VALUE for the touched ones alone).
    """
    return (
        f'<div class="sliders" role="group" aria-label="{say(key)}" data-list="{name}" data-kind="{kind}" '
        f'data-tab="{tab}" data-low="{low:g}" data-high="{high:g}" data-step="{step:g}"></div>'
    )


def seed(tab: str, name: str = "seed", *, value: int, key: str = "seed", dice: str = "dice") -> str:
    """A seed with a button that draws another one."""
    return (
        f'<div class="seed"><label for="{tab}-{name}">{text(key)}</label>'
        f'<input type="number" id="{tab}-{name}" name="{name}" inputmode="numeric" min="0" '
        f'max="{SEED_LIMIT - 1}" step="1" value="{value}" data-default="{value}" required data-keep>'
        f'<button type="button" class="icon" data-dice="{name}" aria-label="{say(dice)}" title="{say(dice)}">'
        f"{DICE}</button></div>"
    )


def choice(name: str, *, key: str, options: tuple[str, ...], page_only: bool = False) -> str:
    """A few words of which one is chosen, the first by default; their texts' keys are the words.

    `page_only` keeps it in the page's address and out of the routes' parameters.
    """
    mark = " data-page" if page_only else ""
    chips = "".join(
        f'<label class="chip"><input type="radio" name="{name}" value="{option}" '
        f'{"checked " if option == options[0] else ""}data-default="{options[0]}"{mark}>'
        f"<span>{text(option)}</span></label>"
        for option in options
    )
    return f'<div class="chips" role="radiogroup" aria-label="{say(key)}">{chips}</div>'


def switch(name: str, *, key: str, page_only: bool = False) -> str:
    """A box that sends 1 when it is ticked."""
    mark = " data-page" if page_only else ""
    box = f'<input type="checkbox" name="{name}" value="1"{mark}><span></span>'
    return f'<label class="switch">{box}{text(key)}</label>'


def button(key: str, *, mark: str) -> str:
    """A button that the script finds by the attribute `mark`."""
    return f'<button type="button" class="plain" {mark}>{text(key)}</button>'


def lacking(key: str) -> str:
    """What a model lacks that this tab needs, and the way to one that has it; the script knows which have."""
    switch = button("switch_model", mark="data-switch")
    return f'<div class="lacking"><p class="note">{text(key)}</p>{switch}</div>'


def download(key: str, *, mark: str) -> str:
    """A link that saves what it points to; the script sets where to, by the attribute `mark`."""
    return f'<a class="plain" download href="#" {mark}>{text(key)}</a>'


def dropdown(name: str, label: str, options: tuple[str, ...], value: str, identity: str) -> str:
    """A labelled select."""
    entries = "".join(
        f'<option value="{escape(option)}"{" selected" if option == value else ""}>{escape(option)}</option>'
        for option in options
    )
    return (
        f'<div class="dropdown"><label for="{identity}">{label}</label><select id="{identity}" name="{name}" '
        f'data-default="{escape(value)}" data-keep>{entries}</select></div>'
    )


DICE = (
    '<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">'
    '<rect x="3.5" y="3.5" width="17" height="17" rx="4" fill="none" stroke="currentColor" stroke-width="2"/>'
    '<path d="M8 8h0M16 8h0M12 12h0M8 16h0M16 16h0" stroke="currentColor" stroke-width="3" '
    'stroke-linecap="round"/></svg>'
)
