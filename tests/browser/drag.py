"""A slider dragged for a second, and what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

EVENTS = 60  # in one second

SCRIPT = """async ([selector, events, values]) => {
    const slider = document.querySelector(selector);
    const seen = [];
    let watching = true;
    const watch = () => {
        const image = document.querySelector(".frame img");
        if (image && seen.at(-1)?.url !== image.src) {
            const entry = { url: image.src };
            entry.file = fetch(image.src).then((answer) => answer.arrayBuffer());
            seen.push(entry);
        }
        if (watching) requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
    const began = performance.now();
    for (let index = 0; index < events; index++) {
        const wait = began + (1000 * index) / events - performance.now();
        if (wait > 0) await new Promise((done) => setTimeout(done, wait));
        slider.value = values[index];
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
    await new Promise((done) => setTimeout(done, Math.max(0, began + 1000 - performance.now())));
    watching = false;
    const digest = async (file) => String(new Uint8Array(await crypto.subtle.digest("SHA-256", await file)));
    const digests = await Promise.all(seen.slice(1).map((entry) => digest(entry.file)));
    return { seconds: (performance.now() - began) / 1000, distinct: new Set(digests).size };
}"""


@dataclass(frozen=True)
class Drag:
    """What one second of dragging showed."""

    events: int
    distinct: int  # different pictures that a frame of the screen showed, within the second


def drag(page: Page, selector: str, low: float, high: float) -> Drag:
    """Move the slider from `low` to `high` in 60 input events over a second, as a hand would.

    A picture counts if the browser was about to paint it, and once however often it came.
    """
    values = [low + (high - low) * index / (EVENTS - 1) for index in range(EVENTS)]
    found = page.evaluate(SCRIPT, [selector, EVENTS, values])
    return Drag(events=EVENTS, distinct=found["distinct"])
