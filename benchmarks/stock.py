"""The stock recipe, to measure against: a slider whose event goes through Gradio's queue to a gr.Image.

    python -m benchmarks.stock FOLDER

It has the same generator in plain eager PyTorch, on one thread, and every setting as Gradio has it, but that
it does not report to anybody and takes a free port.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr  # noqa: E402 - reads the variable when it is imported
import numpy as np  # noqa: E402
import torch  # noqa: E402

from cgan.model import ConditionalGAN  # noqa: E402


def build(model: ConditionalGAN) -> gr.Blocks:
    """Seed and the first number of the noise in, a picture out."""
    raw = model.encoder.sample(1, seed=0)

    def draw(seed: float, first: float) -> np.ndarray:
        noise = model.noise(int(seed), 1)
        noise[:, 0] = first
        picture = model.sample(noise, raw)[0].permute(1, 2, 0).numpy()
        return picture if picture.shape[2] == 3 else picture[:, :, 0]

    with gr.Blocks() as demo:
        seed, first = gr.Number(0, label="Seed"), gr.Slider(-4, 4, 0, label="First noise number")
        picture = gr.Image()
        first.change(draw, [seed, first], picture)
    return demo


def main() -> None:
    torch.set_num_threads(1)
    _, url, _ = build(ConditionalGAN.load(Path(sys.argv[1]))).launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=free_port()
    )
    print(url.rstrip("/"), flush=True)
    sys.stdin.read()  # until whoever started it goes


def free_port() -> int:
    """One that nobody listens at just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


if __name__ == "__main__":
    main()
