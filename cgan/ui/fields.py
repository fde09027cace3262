"""A condition's declared fields -> the controls of the page. Nothing here knows a condition by name.

A new type of field is one function and one line in `WIDGETS`. Whatever it makes, the named control holds the
text that the condition's `parse` takes, so that page, address and routes speak the same language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

from cgan.conditions import Choice, Field
from cgan.ui.controls import dropdown

FEW, SHORT = 12, 2  # choices that are all shown at once; letters that fit a narrow chip
Widget = Callable[[Field, str, str, bool], str]  # field, tab, end ("" or "2"), whether room is scarce


def choice(field: Choice, tab: str, end: str, compact: bool) -> str:
    """Chips for a few choices, a dropdown for many or long ones where room is scarce.

    The first end starts at the first choice, the second at the last.
    """
    value = field.choices[-1 if end else 0]
    label = escape(field.name.capitalize())
    short = max(map(len, field.choices)) <= SHORT
    if len(field.choices) > FEW or (compact and not short):
        return dropdown(field.name + end, label, field.choices, value, f"{tab}-{field.name}{end}")
    chips = "".join(
        f'<label class="chip"><input type="radio" name="{field.name}{end}" value="{escape(name)}" '
        f'{"checked " if name == value else ""}data-default="{escape(value)}" data-keep>'
        f"<span>{escape(name)}</span></label>"
        for name in field.choices
    )
    legend = f"<legend>{label}</legend>"
    kind = "chips short" if short else "chips"
    return f'<fieldset class="field">{legend}<div class="{kind}">{chips}</div></fieldset>'


WIDGETS: Mapping[type, Widget] = {Choice: choice}


def widgets(models: Mapping[str, Iterable[Field]], tab: str, *, end: str = "", compact: bool = False) -> str:
    """A place for the chosen model's condition, and every model's controls for it.

    `end` is appended to the fields' names: "2" for a second condition.
    """
    templates = "".join(
        f'<template data-model="{escape(name)}">'
        + "".join(WIDGETS[type(field)](field, tab, end, compact) for field in fields)
        + "</template>"
        for name, fields in models.items()
    )
    return f'<div class="fields">{templates}</div>'
