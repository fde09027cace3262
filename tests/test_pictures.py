"""Tensors to files, and the cache that keeps them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from cgan.ui.cache import OVERHEAD, Cache
from cgan.ui.pictures import enlarge, gif, png, tile


@pytest.mark.parametrize("shape", [(1, 1, 1), (28, 28, 1), (3, 200, 1), (64, 5, 3), (300, 280, 3)])
def test_png_is_read_back_exactly(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = Image.open(io.BytesIO(png(picture)))
    image.verify()
    image = Image.open(io.BytesIO(png(picture)))
    assert (image.format, image.mode) == ("PNG", "L" if shape[2] == 1 else "RGB")
    assert (np.asarray(image).reshape(shape) == picture).all()


def test_tiles_by_hand():
    pictures = torch.tensor([1, 2, 3], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 1, 2)
    expected = [[1, 1, 0, 2, 2], [0, 0, 0, 0, 0], [3, 3, 0, 0, 0]]
    assert tile(pictures, 2)[:, :, 0].tolist() == expected
    assert tile(pictures[:1], 1)[:, :, 0].tolist() == [[1, 1]]


def test_enlarging():
    picture = np.array([[[1], [2]]], dtype=np.uint8)
    assert enlarge(picture, 2)[:, :, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    assert enlarge(picture, 1) is picture


@pytest.mark.parametrize("channels", [1, 3])
def test_gif(channels):
    frames = [np.full((4, 6, channels), value, dtype=np.uint8) for value in (0, 120, 240)]
    film = Image.open(io.BytesIO(gif(frames, fps=10)))
    assert (film.n_frames, film.size, film.info["duration"]) == (3, (6, 4), 100)


def test_the_cache_is_bounded_and_forgets_the_unused_first():
    cache = Cache(10 + 2 * OVERHEAD)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert cache.get("b") is None
    assert cache.get("a") == b"1234"
    assert cache.size == 8 + 2 * OVERHEAD
    cache.put("a", b"12")
    assert (cache.size, len(cache)) == (6 + 2 * OVERHEAD, 2)
    cache.put("large", bytes(11 + OVERHEAD))
    assert (cache.size, len(cache)) == (0, 0)
