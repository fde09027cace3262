"""The page as a Gradio app. `cgan.ui.server` puts the picture routes in front of it."""

from __future__ import annotations

from importlib.util import find_spec

import gradio as gr
from fastapi import FastAPI

from cgan.engine import Engine
from cgan.ui.api import Api
from cgan.ui.i18n import ENGLISH
from cgan.ui.routes import describe
from cgan.ui.stage import explorer
from cgan.ui.tabs import ROUTES, TABS

WAITING = 64  # the most calls of an endpoint that may wait


def build(engine: Engine, notice: str = "") -> gr.Blocks:
    """The page over `engine`, with a line to show above the stage, and the named endpoints."""
    fields = {name: resident.model.encoder.fields() for name, resident in engine.models.items()}
    # Gradio's copies of what the endpoints returned go after an hour.
    with gr.Blocks(title=ENGLISH["title"], analytics_enabled=False, delete_cache=(600, 3600)) as blocks:
        blocks.description = ENGLISH["tagline"]  # in /gradio_api/openapi.json
        explorer(describe(engine), fields, notice)
        api = Api(engine, ROUTES)
        for tab in TABS.values():
            tab().endpoint(api)
        api.add_common()
    blocks.queue(max_size=WAITING)
    return blocks


def mount(engine: Engine, notice: str = "") -> FastAPI:
    """The page as an ASGI app, to be served at its origin's root, behind the picture routes."""
    return gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        build(engine, notice),
        path="/",
        theme=theme(),
        footer_links=["api", "gradio", "settings"],
        run_history=False,
        max_file_size="4mb",
        ssr_mode=False,
        mcp_server=find_spec("mcp") is not None,  # the endpoints as tools, with gradio[mcp]
    )


def theme() -> gr.themes.Base:
    """Warm paper and ink-blue. Gradio bundles the font: nothing is fetched from elsewhere.

    Its semi-bold (weight 600) lacks most letters in Gradio 6.31, so regular and bold are asked for.
    """
    colors = gr.themes.colors
    font = (gr.themes.utils.fonts.LocalFont("Source Sans Pro", weights=(400, 700)), "system-ui", "sans-serif")
    return gr.themes.Default(primary_hue=colors.indigo, neutral_hue=colors.stone, font=font).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        background_fill_primary_dark="*neutral_900",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
    )
