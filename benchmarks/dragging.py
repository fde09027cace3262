"""A control moved in Chromium: the wait for one move's picture, and the different pictures seen in a second
of 60 moves. A table and a JSON.

    python -m benchmarks.dragging --repeats 5 --json dragging.json

After the last drag the picture that is left must be the one that a new page makes of the address.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.serving import server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
EVENTS = 60  # in one second
CASES = (  # what the page shows, the slider, from where to where
    ("tab=generate&seed=7", "#generate-z-0", -4.0, 4.0),
    ("tab=generate&seed=7&count=16", "#generate-z-0", -4.0, 4.0),
    ("tab=interpolate&seed=3&seed2=9&t=0", "#interpolate-t", 0.0, 1.0),
    ("tab=conditioning&seed=5", "#conditioning-psi", 0.05, 2.0),
    ("tab=conditioning&seed=5&rows=8", "#conditioning-psi", 0.05, 2.0),
    ("tab=pad&label=3&y=0.4", "#pad-x", 0.0, 1.0),
    ("tab=pad&label=3&y=0.4&over=axes", "#pad-x", 0.0, 1.0),
    ("tab=mixer", "#mixer-weight-3", 0.0, 1.0),
    ("tab=directions&label=3", "#directions-way-0", -4.0, 4.0),
    ("tab=directions&label=3&layers=0", "#directions-way-0", -4.0, 4.0),
    ("tab=directions&label=3&kind=pca", "#directions-way-0", -4.0, 4.0),
    ("tab=inside&label=3&seed=5", "#inside-psi", 0.05, 2.0),
    ("tab=learn&seed=5&snapshot=4", "#learn-psi", 0.05, 2.0),
)

MOVE = """
    const slider = document.querySelector(selector);
    const move = (control, value) => {
        control.value = value;
        control.dispatchEvent(new Event("input", { bubbles: true }));
    };"""

WAIT = f"""async ([selector, values]) => {{{MOVE}
    const waits = [];
    for (const value of values) {{
        const began = performance.now();
        await new Promise((done) => {{  // the page puts a picture in place once it is decoded
            const watch = new MutationObserver(() => done(watch.disconnect()));
            watch.observe(document.querySelector(".frame"), {{ childList: true }});
            move(slider, value);
        }});
        waits.push(performance.now() - began);
        await new Promise((done) => setTimeout(done, 50));
    }}
    return waits;
}}"""

DRAG = (
    f"async ([selector, events, values, seed]) => {{{MOVE}"
    + """
    move(slider, values[0]);
    move(slider.form.elements.seed, seed);
    await new Promise((done) => setTimeout(done, 1000));
    const seen = [];
    let watching = true;
    const watch = () => {
        const image = document.querySelector(".frame img");
        if (image && seen.at(-1) !== image.src) seen.push(image.src);
        if (watching) requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
    const began = performance.now();
    for (let index = 0; index < events; index++) {
        const wait = began + (1000 * index) / events - performance.now();
        if (wait > 0) await new Promise((done) => setTimeout(done, wait));
        move(slider, values[index]);
    }
    await new Promise((done) => setTimeout(done, Math.max(0, began + 1000 - performance.now())));
    watching = false;
    const digest = async (url) => {  // now that nothing is measured: the files come from the browser's cache
        const file = await (await fetch(url)).arrayBuffer();
        return String(new Uint8Array(await crypto.subtle.digest("SHA-256", file)));
    };
    const digests = await Promise.all(seen.slice(1).map(digest));
    return new Set(digests).size;
}"""
)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    page: str
    slider: str
    distinct_per_s: list[int]  # of every repetition
    ends_right: bool


def drag(page: Page, selector: str, low: float, high: float, seed: int) -> int:
    """Move the slider from `low` to `high` in 60 input events over a second, as a hand would, at a seed of
    which nothing has been made: no picture comes from a cache.

    Returns how many different pictures were there when the browser painted within that second.
    """
    values = [low + (high - low) * index / (EVENTS - 1) for index in range(EVENTS)]
    return page.evaluate(DRAG, [selector, EVENTS, values, seed])


def waits(page: Page, selector: str, low: float, high: float) -> list[float]:
    """Milliseconds from a move of the slider to its decoded picture, 100 times, each to a new place."""
    return page.evaluate(WAIT, [selector, [low + (high - low) * k / 100 for k in range(100)]])


def shown(page: Page, address: str) -> str:
    """The address of the picture that a page shows once it has come to rest."""
    if page.url != address:
        page.goto(address)
    page.wait_for_selector(".frame img")
    page.wait_for_timeout(1000)
    return page.locator(".frame img").first.get_attribute("src")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="seconds of dragging for each (%(default)s)")
    parser.add_argument("--model", action="append", default=[], help="as for app.py")
    parser.add_argument("--json", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    if not CHROMIUM:
        parser.error(f"no Chromium is installed, none of {', '.join(NAMES)}")
    rows, seeds = [], itertools.count(1000)
    with server(arguments.model) as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        address = f"http://127.0.0.1:{port}/?"
        for query, slider, low, high in CASES:
            page, fresh = (browser.new_page(viewport={"width": 1280, "height": 800}) for _ in range(2))
            shown(page, address + query)
            if not rows:
                cuts = statistics.quantiles(waits(page, slider, low, high), n=20)
                print(
                    f"{query:40} {slider:20} a move: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms", flush=True
                )
            seen = [drag(page, slider, low, high, next(seeds)) for _ in range(arguments.repeats)]
            right = shown(page, page.url) == shown(fresh, page.url)
            page.close()
            fresh.close()
            rows.append(Row(query, slider, seen, right))
            print(f"{query:40} {slider:20} {seen} pictures/s{'' if right else ', ends WRONG'}", flush=True)
        browser.close()
    if arguments.json:
        move = {"p50_ms": cuts[9], "p95_ms": cuts[18]}
        found = {"load": os.getloadavg(), "move": move, "rows": [dataclasses.asdict(row) for row in rows]}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
