"""A condition's declared fields -> the controls of the page. Nothing here knows a condition by name.

A new type of field is one function and one line in `WIDGETS`. Whatever it makes, the named control holds the
text that the condition's `parse` takes, so that page, address and routes speak the same language. What a
widget does beyond a form's own controls stands in static/fields.js and static/drawing.js, by `data-widget`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from cgan.conditions import Caption, Choice, Field, Paint, Range, Sketch, pictures
from cgan.ui.controls import button, dropdown
from cgan.ui.i18n import say, text

FEW, SHORT = 12, 2  # choices that are all shown at once; letters that fit a narrow chip
UNGROUPED = 4  # fields that need no groups
BINARY = ("no", "yes")
WHITE = 255
PAD = Sketch("drawn", size=1, channels=3, examples=("",))  # the script knows the model's size and channels
Widget = Callable[[Field, str, str, bool], str]  # field, tab, end ("" or "2"), whether room is scarce


def title(field: Field) -> str:
    """What a person calls it."""
    return field.name.replace("_", " ").capitalize()


def near(field: Range, value: float, digits: int) -> str:
    """A number of the range as its control and its routes take it, rounded: to more digits where the range is
    narrow, and never past an end."""
    far = max(abs(field.low), abs(field.high)) / (field.high - field.low)
    digits += max(0, math.floor(math.log10(far)))
    return exact(min(max(float(f"{value:.{digits}g}"), field.low), field.high))


def exact(value: float) -> str:
    """A number in as few digits as tell it from every other."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def initial(field: Field, end: str = "") -> str:
    """The text that a field's control begins with. The second end begins with another, where it can."""
    last = -1 if end else 0
    match field:
        case Choice():
            return field.choices[last]
        case Range():
            return near(field, field.default, 6)
        case Caption():
            return field.examples[last] if field.examples else ""
        case Paint() if not field.examples:
            return pictures.to_text(np.zeros((field.size, field.size), np.uint8))
        case Sketch() if not field.examples:
            return pictures.to_text(np.full((field.size, field.size), WHITE, np.uint8))
    return field.examples[last]


def texts(fields: Sequence[Field], values: Any) -> dict[str, str]:
    """What the controls hold under a condition of which `decode` gives `values`: the reverse of `parse`."""
    columns = [values] if len(fields) == 1 else values
    return {field.name: _text(field, value) for field, value in zip(fields, columns, strict=True)}


def _text(field: Field, value: Any) -> str:
    match field:
        case Choice():
            return field.choices[int(np.asarray(value).item())]
        case Range():
            return near(field, np.asarray(value).item(), 6)
        case Paint():
            return pictures.to_text(value)
        case Sketch():  # [H, W, C]
            return pictures.to_text(value[..., 0] if field.channels == 1 else value, lossy=True)
    return str(value)


def choice(field: Choice, tab: str, end: str, compact: bool) -> str:
    """Chips for a few choices, a dropdown for many or long ones where room is scarce; swatches for colours,
    and one chip to press for yes and no."""
    value, name, label = initial(field, end), field.name + end, escape(title(field))
    if field.choices == BINARY:
        ticked = "checked " if value == "yes" else ""
        box = f'<input type="checkbox" name="{name}" value="yes" {ticked}data-on="yes" data-off="no" '
        return f'<label class="chip">{box}data-default="{value}" data-keep><span>{label}</span></label>'
    if field.colours:
        return _swatches(field, name, value)
    short = max(map(len, field.choices)) <= SHORT
    if len(field.choices) > FEW or (compact and not short):
        return dropdown(name, label, field.choices, value, f"{tab}-{name}")
    chips = "".join(
        f'<label class="chip">{_radio(name, choice, value)}<span>{escape(choice)}</span></label>'
        for choice in field.choices
    )
    kind = "chips short" if short else "chips"
    return f'<fieldset class="field"><legend>{label}</legend><div class="{kind}">{chips}</div></fieldset>'


def _radio(name: str, choice: str, value: str, label: str = "") -> str:
    return (
        f'<input type="radio" name="{name}" value="{escape(choice)}" {"checked " if choice == value else ""}'
        f'{label}data-default="{escape(value)}" data-keep>'
    )


def _swatches(field: Choice, name: str, value: str) -> str:
    """Colours to choose from; the legend tells the name of the one that is chosen or pointed at."""
    swatches = "".join(
        f'<label class="dab">{_radio(name, choice, value, f"""aria-label="{escape(choice)}" """)}'
        f'<span style="background: {escape(colour)}"></span></label>'
        for choice, colour in zip(field.choices, field.colours, strict=True)
    )
    legend = f"<legend>{escape(title(field))} <b>{escape(value)}</b></legend>"
    dabs = f'<div class="dabs">{swatches}</div>'
    return f'<fieldset class="field" data-widget="swatches">{legend}{dabs}</fieldset>'


def number(field: Range, tab: str, end: str, compact: bool) -> str:
    """A slider with its name between its two ends as words."""
    low, high = (
        escape(word or f"{value:g}") for word, value in zip(field.ends, (field.low, field.high), strict=True)
    )
    name, value = field.name + end, initial(field, end)
    step = 10.0 ** math.floor(math.log10((field.high - field.low) / 50))
    control = (
        f'<input type="range" id="{tab}-{name}" name="{name}" '
        f'min="{exact(field.low)}" max="{exact(field.high)}" step="{step:g}" '
        f'value="{value}" data-default="{value}"{" data-keep" if end else ""}>'
    )
    return (
        f'<div class="slider worded"><span aria-hidden="true">{low}</span>'
        f'<label for="{tab}-{name}">{escape(title(field))}</label><span aria-hidden="true">{high}</span>'
        f'{control}<output for="{tab}-{name}">{value}</output></div>'
    )


def caption(field: Caption, tab: str, end: str, compact: bool) -> str:
    """A box to write into, a line for what was not understood, and examples to begin with."""
    value, identity = escape(initial(field, end)), f"{tab}-{field.name}{end}"
    chips = "".join(
        f'<button type="button" class="example" data-value="{escape(example)}">{escape(example)}</button>'
        for example in dict.fromkeys(field.examples)
    )
    opened = "" if compact else " open"
    more = f"<details{opened}><summary>{text('examples')}</summary>{chips}</details>" if chips else ""
    return (
        f'<div class="field caption" data-widget="caption"><label for="{identity}">{escape(title(field))}'
        f'</label><textarea id="{identity}" name="{field.name}{end}" data-field="{field.name}" rows="2" '
        f'maxlength="{field.longest}" spellcheck="false" required aria-describedby="{identity}-remark" '
        f'data-default="{value}" data-keep>{value}</textarea>'
        f'<p class="remark" id="{identity}-remark" role="status"></p>{more}</div>'
    )


def paint(field: Paint, tab: str, end: str, compact: bool) -> str:
    """A canvas with the classes as brushes."""
    group = f"{tab}-{field.name}{end}"
    brushes = "".join(
        f'<label class="brush"><input type="radio" form="" name="{group}-brush" value="{k}" '
        f"{'checked' if k == min(1, len(field.classes) - 1) else ''}>"
        f'<span><i style="background: {escape(colour)}"></i>{escape(name)}</span></label>'
        for k, (name, colour) in enumerate(zip(field.classes, field.colours, strict=True))
    )
    brushes = f'<div class="brushes" role="radiogroup" aria-label="{say("brushes")}">{brushes}</div>'
    return _drawing("paint", field, tab, end, compact, brushes + _tools(group, ("brush", "fill"), wide=5))


def sketch(field: Sketch, tab: str, end: str, compact: bool) -> str:
    """A pad to draw on, in colour where the condition has colours."""
    group = f"{tab}-{field.name}{end}"
    ink = f'<label class="ink">{text("ink")}<input type="color" form="" value="#000000"></label>'
    lines = button("lines", mark="data-lines hidden")
    tools = _tools(group, ("pen", "eraser"), wide=1) + (ink if field.channels == 3 else "")
    return _drawing("sketch", field, tab, end, compact, tools + lines)


def _tools(group: str, tools: tuple[str, str], wide: int) -> str:
    """Two tools to choose from and their width in the model's pixels."""
    chips = "".join(
        f'<label class="chip"><input type="radio" form="" name="{group}-tool" value="{tool}" '
        f"{'checked' if tool == tools[0] else ''}><span>{text(tool)}</span></label>"
        for tool in tools
    )
    slider = (
        f'<div class="slider"><label for="{group}-wide">{text("wide")}</label><input type="range" '
        f'id="{group}-wide" form="" min="1" max="16" step="1" value="{wide}"><output>{wide}</output></div>'
    )
    return f'<div class="chips" role="radiogroup" aria-label="{say("tools")}">{chips}</div>{slider}'


def _drawing(kind: str, field: Paint | Sketch, tab: str, end: str, compact: bool, tools: str) -> str:
    """The canvas of a picture that a person makes, whose text is in a hidden control. Where room is scarce it
    only shows the picture: it is made in Generate and taken over from there."""
    value = escape(initial(field, end))
    held = f'<input type="hidden" name="{field.name}{end}" value="{value}" data-default="{value}" data-keep>'
    thumbs = f'<div class="thumbs" role="group" aria-label="{say("examples_of")}"></div>'
    attributes = f'class="field drawing" data-widget="{kind}" data-field="{field.name}" role="group" '
    attributes += f'aria-label="{escape(title(field))}"'
    if compact:
        canvas = f'<canvas role="img" aria-label="{escape(title(field))}"></canvas>'
        take = button(f"take_{kind}", mark="data-take")
        return f'<div {attributes}>{held}<div class="taken">{canvas}<div>{take}{thumbs}</div></div></div>'
    canvas = f'<canvas tabindex="0" role="application" aria-label="{say("drawing_keys")}"></canvas>'
    choose = f'<label class="plain file">{text("upload")}<input type="file" form="" accept="image/*"></label>'
    steps = "".join(button(key, mark=f"data-{key}") for key in ("undo", "redo", "clear"))
    return (
        f'<div {attributes}>{held}<div class="easel"><div class="sheet">{canvas}<span class="nib" hidden>'
        f'</span></div><div class="kit">{tools}<div class="row">{steps}{choose}</div></div></div>'
        f'<p class="remark" role="status"></p>{thumbs}</div>'
    )


WIDGETS: Mapping[type, Widget] = {
    Choice: choice,
    Range: number,
    Caption: caption,
    Paint: paint,
    Sketch: sketch,
}


def group(field: Field) -> str:
    """The text of the group that a field stands in where there are many."""
    match field:
        case Range():
            return "group_amounts"
        case Choice(choices=choices) if choices == BINARY:
            return "group_switches"
        case Choice(colours=colours) if colours:
            return "group_colours"
    return "group_kinds"


def widgets(models: Mapping[str, Iterable[Field]], tab: str, *, end: str = "", compact: bool = False) -> str:
    """A place for the chosen model's condition, and every model's controls for it.

    `end` is appended to the fields' names: "2" for a second condition.
    """
    templates = "".join(
        f'<template data-model="{escape(name)}">{_condition(list(fields), tab, end, compact)}</template>'
        for name, fields in models.items()
    )
    return f'<div class="fields" data-end="{end}">{templates}</div>'


def _condition(fields: Sequence[Field], tab: str, end: str, compact: bool) -> str:
    made = {field: WIDGETS[type(field)](field, tab, end, compact) for field in fields}
    html = "".join(made.values())
    if len(fields) > UNGROUPED:
        groups = dict.fromkeys(map(group, fields))
        opened = "" if compact else " open"
        html = "".join(
            f'<details class="group {key}"{opened}><summary>{text(key)}</summary><div>'
            + "".join(widget for field, widget in made.items() if group(field) == key)
            + "</div></details>"
            for key in groups
        )
    plain = not fields or (len(fields) == 1 and isinstance(fields[0], Choice))
    both = button("surprise", mark="data-surprise") + button("plainly", mark="data-plainly")
    return html if plain else f'{html}<div class="row">{both}</div>'
