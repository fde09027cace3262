import asyncio
from concurrent.futures import CancelledError, Future

import pytest

from cgan.ui.arrivals import Arrivals


async def settle(*awaitables):
    """Begin to wait for them."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    await asyncio.sleep(0)
    return tasks


def test_what_is_ready_together_wakes_the_loop_once(monkeypatch):
    async def run():
        loop, wakes, futures = asyncio.get_running_loop(), [], [Future() for _ in range(5)]
        wake = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *a: wakes.append(a) or wake(*a))
        tasks = await settle(*map(Arrivals.result, futures))
        for k, future in enumerate(futures):  # in one turn of the loop
            future.set_result(k)
        found = await asyncio.gather(*tasks)
        return found, [wake for wake in wakes if wake[0].__name__ == "_look"]

    found, wakes = asyncio.run(run())
    assert found == [0, 1, 2, 3, 4]
    assert len(wakes) == 1


def test_errors_arrive_too_and_so_does_what_was_ready_before():
    async def run():
        failed, ready = Future(), Future()
        ready.set_result("there")
        (waiting,) = await settle(Arrivals.result(failed))
        failed.set_exception(KeyError("no"))
        with pytest.raises(KeyError, match="no"):
            await waiting
        return await Arrivals.result(ready)

    assert asyncio.run(run()) == "there"


def test_who_goes_cancels_what_was_asked_and_holds_up_nobody():
    async def run():
        left, kept = Future(), Future()
        going, staying = await settle(Arrivals.result(left), Arrivals.result(kept))
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        with pytest.raises(CancelledError):
            left.result(0)
        kept.set_result(7)
        return await staying

    assert asyncio.run(run()) == 7
