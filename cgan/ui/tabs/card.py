"""What is known of the model: how good, varied and obedient it is, how it came there, and who made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cgan.conditions import Field
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api


ROWS = 10  # noises of the samples beside the card


@dataclass(frozen=True)
class Card(Tab):
    """The script fills the card from the model's metrics.json, which came with the page."""

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        return (
            f'<input type="hidden" name="rows" value="{ROWS}" data-default="{ROWS}" data-keep>'
            '<div class="card"></div>'
        )

    def endpoint(self, api: Api) -> None:
        """None: /models.json has every figure."""
