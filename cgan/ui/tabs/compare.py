"""Losses and techniques side by side: what the bundled study measured, under the same noise and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from cgan.conditions import Field
from cgan.study import BASELINE
from cgan.study.bundled import BundledStudy
from cgan.ui.i18n import text
from cgan.ui.tabs.base import Tab

if TYPE_CHECKING:
    from cgan.ui.api import Api

MOST = 6  # rows at once: there are as many colours


@dataclass(frozen=True)
class Compare(Tab):
    """The script fetches the study's table and shows the chosen rows of it."""

    study: BundledStudy = BundledStudy()

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        rows = self.study.rows
        if not rows:
            return f'<p class="note">{text("compare_absent")}</p>'
        groups = dict.fromkeys(row["group"] for row in rows.values())
        chips = "".join(self._group(group) for group in groups)
        default = ",".join(first_choice(rows))
        address = f"study/{self.study.path.name}?v={self.study.version}"
        return f"""
            <input type="hidden" name="techniques" value="{default}" data-default="{default}" data-keep>
            <details class="choices" open><summary>{text("compare_choose")}</summary>{chips}</details>
            <div class="compared" data-table="{address}" data-most="{MOST}">
                <p class="note" role="status"></p><div class="columns"></div>
            </div>"""

    def _group(self, group: str) -> str:
        members = [row for row in self.study.rows.values() if row["group"] == group]
        chips = "".join(
            f'<label class="chip"><input type="checkbox" value="{escape(row["name"])}">'
            f"<span>{escape(row['title'])}</span></label>"
            for row in members
        )
        legend = f"<legend>{escape(group)}</legend>"
        return f'<fieldset class="field">{legend}<div class="chips">{chips}</div></fieldset>'

    def endpoint(self, api: Api) -> None:
        """None: /study/techniques.json has every figure."""


def first_choice(rows: Mapping[str, Mapping]) -> list[str]:
    """The baseline, the loss that came nearest to the data, and a run that collapsed or else went wrong."""
    losses = [row for row in rows.values() if row["group"] == "Losses" and row["figures"]]
    best = min(losses, key=lambda row: row["figures"]["frechet_ratio"]["mean"], default=None)
    ill = sorted(
        (row for row in rows.values() if row["lasting"]), key=lambda row: "collapse" not in row["lasting"]
    )
    chosen = [rows.get(BASELINE), best, *ill[:1]]
    return list(dict.fromkeys(row["name"] for row in chosen if row))
