"""The explorer: the live picture, the tabs' controls and the script that joins them, as one Gradio component.

The pixels never pass through Gradio's events; `static/stage.js` says how they travel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from cgan.conditions import Field
from cgan.ui.controls import button, download
from cgan.ui.i18n import ENGLISH, LANGUAGES, address, say, text
from cgan.ui.plans import PICTURES, PIXELS
from cgan.ui.tabs import TABS

HERE = Path(__file__).parent
CSS = "".join((HERE / "static" / f"{name}.css").read_text("utf-8") for name in ("stage", "fields", "home"))


def explorer(
    models: Sequence[Mapping[str, Any]], fields: Mapping[str, Sequence[Field]], notice: str = ""
) -> gr.HTML:
    """The whole page: `models` as /models.json lists them, their fields by name, and a line to show."""
    below = "".join(
        f'<div class="below" data-tab="{name}">{tab().beside()}</div>' for name, tab in TABS.items()
    )
    shown = f'<div class="shown">{_stage()}{_tools()}{below}</div>'
    desk = f'<div class="desk">{_strip()}{shown}{_panels(fields)}</div>'
    return gr.HTML(
        f'<style>{CSS}</style><div class="explorer">{_header(models)}{_notice(notice)}{desk}</div>',
        html_template="${value}",
        js_on_load=script(),
        apply_default_css=False,
        elem_id="explorer",
        models=list(models),
        most=PICTURES,
        pixels=PIXELS,
        texts=ENGLISH,
        languages={language: address(language) for language in LANGUAGES},
    )


def script() -> str:
    """The page's script: a function of the common part and every tab's, and the languages that call it."""
    common = ("live", "state", "chart", "stage", "fields", "drawing", "freehand", "home", "readout")
    parts = [
        *(HERE / "static" / f"{name}.js" for name in common),
        *(HERE / "tabs" / f"{name}.js" for name in TABS),
    ]
    page = "\n".join((HERE / part).read_text("utf-8") for part in parts)
    explore = "const explore = (element, props, addEventListener, before) => {"
    language = (HERE / "static" / "language.js").read_text("utf-8")
    return f"{explore}\n{page}\nreturn start(before);\n}};\n{language}\n//# sourceURL=explorer.js"


def _header(models: Sequence[Mapping[str, Any]]) -> str:
    options = "".join(
        f'<option value="{escape(model["name"])}">{escape(model["name"])}</option>' for model in models
    )
    picker = f'<label class="picker">{text("model")}<select data-models>{options}</select></label>'
    return (
        f"<header><div><h1>{text('title')}</h1><p>{text('tagline')}</p></div>"
        f'<div class="choose">{picker if len(models) > 1 else ""}{_languages()}</div></header>'
    )


def _languages() -> str:
    """A button a language, each in its own."""
    buttons = "".join(
        f'<button type="button" data-language="{language}" lang="{language}" title="{name}">'
        f"{'EN' if language == 'en' else name}</button>"
        for language, name in LANGUAGES.items()
    )
    return f'<div class="languages" role="group" aria-label="{say("language")}">{buttons}</div>'


def _notice(notice: str) -> str:
    return f'<p class="notice" role="note">{escape(notice)}</p>' if notice else ""


def _stage() -> str:
    return (
        f'<section class="stage" aria-label="{say("picture")}"><div class="box"><div class="mount">'
        '<div class="frame"></div></div><p class="warning" role="status"></p></div>'
        '<p class="verdict" role="status" hidden></p></section>'
    )


def _tools() -> str:
    plain = f"{button('copy', mark='data-copy')}{download('save_png', mark='data-save')}"
    gauge = (
        f'<button type="button" class="icon" data-readout aria-label="{say("readout")}" '
        f'title="{say("readout")}">{GAUGE}</button>'
    )
    walk = f"{download('home_gif', mark='data-walk')}{button('home_video', mark='data-video')}"
    snippets = "".join(
        f'<div class="snippet" data-snippet="{key}"><div><span>{text(key)}</span>'
        f'{button("copy_code", mark="data-code")}</div><pre tabindex="0"><code></code></pre></div>'
        for key in ("snippet_curl", "snippet_client", "snippet_python")
    )
    home = (
        f'<button type="button" class="plain" data-home aria-expanded="false" aria-controls="home">'
        f"{text('home')}</button>"
    )
    panel = (
        f'<div class="home" id="home" hidden><div class="walks"><p class="note">{text("home_walk")}</p>'
        f'<div class="row">{walk}</div></div><p class="note">{text("home_same")}</p>{snippets}</div>'
    )
    return f'<div class="tools">{plain}{gauge}{home}<p class="readout" hidden></p>{panel}</div>'


def _strip() -> str:
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{name}" aria-controls="panel-{name}" data-tab="{name}">'
        f"{text(name)}</button>"
        for name in TABS
    )
    return f'<div role="tablist" aria-label="{say("tabs")}">{tabs}</div>'


def _panels(fields: Mapping[str, Sequence[Field]]) -> str:
    panels = "".join(
        f'<div role="tabpanel" id="panel-{name}" aria-labelledby="tab-{name}" hidden>'
        f'<p class="hint">{text(name + "_hint")}</p>'
        f'<form id="form-{name}" data-tab="{name}" autocomplete="off">{tab().panel(fields)}</form></div>'
        for name, tab in TABS.items()
    )
    return f'<section class="panel">{panels}</section>'


GAUGE = (
    '<svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" aria-hidden="true"><path d="M4 18a9 9 0 1 1 16 0"/><path d="m12 14 4-5"/></svg>'
)
