"""The page on every form of condition is what its command writes from the bundled models."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cgan.conditions import CONDITIONS
from cgan.config import replace
from cgan.forms.__main__ import bundled, main
from cgan.forms.base import FORMS
from cgan.forms.drawing import draw
from cgan.model import BUNDLED, ConditionalGAN
from cgan.presets import preset

DOCS = Path(__file__).parent.parent / "docs"
ALIKE = 4  # mean difference of two strips, of 255, that another version of WebP or of PyTorch may make


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """The page as it would be written now."""
    folder = tmp_path_factory.mktemp("docs")
    assert main(["--out", str(folder / "conditions.md")]) == 0
    return folder


def test_the_page_is_what_the_command_writes(written):
    kept = (DOCS / "conditions.md").read_text(encoding="utf-8")
    assert kept == (written / "conditions.md").read_text(encoding="utf-8"), "run python -m cgan.forms"


def test_so_are_drawings_and_strips(written):
    new, kept = (folder / "images" / "conditions" for folder in (written, DOCS))
    names = sorted(path.name for path in new.iterdir())
    assert names == sorted(path.name for path in kept.iterdir()), "run python -m cgan.forms"
    for name in names:
        assert (kept / name).stat().st_size < 60_000
        if name.endswith(".svg"):
            assert (kept / name).read_text() == (new / name).read_text()
        else:
            a, b = (np.asarray(Image.open(folder / name), np.float32) for folder in (kept, new))
            assert a.shape == b.shape
            assert np.abs(a - b).mean() < ALIKE, f"{name} shows other weights; run python -m cgan.forms"


def test_every_form_is_told_of_and_every_bundled_one_shown():
    assert {preset(form.model).condition.form for form in FORMS} == set(CONDITIONS)
    text = (DOCS / "conditions.md").read_text(encoding="utf-8")
    assert [form.title for form in bundled(BUNDLED) if f"\n## {form.title}\n" not in text] == []


def test_a_drawing_shows_where_condition_and_noise_enter():
    """Line drawings: an arrow down from every map, one up from the noise, one into the discriminator."""
    config = preset("faces-image")
    model = ConditionalGAN(config.model({"image": torch.zeros(1, 1, 64, 64, dtype=torch.uint8)}, 64, 3))
    root = ElementTree.fromstring(draw(model, "A picture"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [f"{size}×{size}" for size in (4, 8, 16, 32, 64)] == texts[:5]
    assert "3 + 1" in texts
    arrows = [path.get("marker-end") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    assert arrows.count("url(#head-b4650f)") == 4 + 4 + 1, "into 4 resolutions, along 5 maps, to the critic"
    assert arrows.count("url(#head-8a63d2)") == 1 + 4


@pytest.mark.parametrize("mapping", [0, 8])
def test_a_drawing_says_what_reads_a_caption_and_what_mixes_it_with_the_noise(mapping):
    config = replace(preset("faces-text"), generator__mapping=mapping)
    root = ElementTree.fromstring(
        draw(ConditionalGAN(config.model({"text": [["a face"]]}, 64, 3)), "A picture")
    )
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Embedding → GRU" in texts
    assert ("mixed, then scale and shift each channel" in texts) == bool(mapping)


def test_a_folder_without_models_is_refused_in_one_line(tmp_path, capsys):
    assert main(["--models", str(tmp_path), "--out", str(tmp_path / "page.md")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "holds none of mnist, " in line
