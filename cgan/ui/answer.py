"""An address of the picture routes -> its file, without a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent import futures
from urllib.parse import parse_qsl, urlsplit

from cgan.engine import Engine
from cgan.registry import closest
from cgan.ui.plans import Plan, Route
from cgan.ui.query import Query
from cgan.ui.tabs import ROUTES

PATIENCE = 60  # seconds
TRANSPORT = ("v", "client")  # parameters that change nothing about the file


def answer(engine: Engine, address: str, routes: Mapping[str, Route] = ROUTES) -> bytes:
    """The file of an address such as "/grid.png?model=mnist&seed=1", with or without a server before it.

    ValueError names the parameter and what it accepts, Busy if too many wait, TimeoutError after a minute.
    """
    parts = urlsplit(address)
    path = "/" + parts.path.rpartition("/")[2]
    if path not in routes:
        hint = closest(path[:100], [*routes])
        raise ValueError(f"address: there is no route {path[:100]!a}.{hint} Accepted: {', '.join(routes)}.")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    return fetch(engine, routes[path], [pair for pair in pairs if pair[0] not in TRANSPORT])


def fetch(engine: Engine, route: Route, pairs: Sequence[tuple[str, str]]) -> bytes:
    """The file of a route for these parameters. Raises what `answer` raises."""
    query = Query(pairs)
    resident = engine.resident(query.text("model"))
    plan = route.answer(query, resident)
    query.done()
    if isinstance(plan, Plan):
        made = engine.submit(plan.resident or resident, plan.noise, plan.cond)
        try:
            return plan.encode(made.result(PATIENCE))
        except futures.TimeoutError:
            made.cancel()
            raise TimeoutError("no answer within a minute; ask again") from None
    return plan if isinstance(plan, bytes) else plan.run()
