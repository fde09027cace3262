"""Many pictures in one file."""

from __future__ import annotations

import pytest
import torch

from cgan.sheet import cut, pack


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_in_a_sheet_stay_as_they_are(channels):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (70, channels, 8, 8), generator=generator).to(torch.uint8)
    packed = pack(pictures)
    assert torch.equal(cut(packed, 70, 8, channels), pictures)
    assert len(pack(pictures, quality=20)) < len(packed)
    with pytest.raises(ValueError, match="a sheet of"):
        cut(packed, 70, 16, channels)
