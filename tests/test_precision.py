"""Which numbers a device multiplies."""

from __future__ import annotations

import pytest
import torch

from cgan.precision import autocast, quick_bfloat16, resolve

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
def test_the_device_multiplies_in_what_was_asked(precision):
    with autocast(CPU, precision):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == getattr(torch, resolve(CPU, precision))


@pytest.mark.parametrize("native", [True, False])
def test_auto_is_half_precision_where_that_is_native(native, monkeypatch):
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    assert quick_bfloat16(CPU) == native
    assert resolve(CPU) == ("bfloat16" if native else "float32")
