"""What a tab is. Beside NAME.py lies NAME.js, which says what the tab's picture is and what else it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from cgan.conditions import Field
from cgan.ui.plans import Route

if TYPE_CHECKING:  # the picture routes are up before Gradio has been imported
    from cgan.ui.api import Api


class Tab(Protocol):
    """A way to explore. Its texts are NAME and NAME_hint in `cgan.ui.i18n`. A tab derives from it."""

    routes: ClassVar[Mapping[str, Route]] = {}  # addresses of its own

    def panel(self, models: Mapping[str, Iterable[Field]]) -> str:
        """The controls, as the inside of a form; `models` has the condition's fields of every model."""

    def beside(self) -> str:
        """What stands below the stage while this tab is open."""
        return ""

    def endpoint(self, api: Api) -> None:
        """Add what the tab does as a named endpoint."""
