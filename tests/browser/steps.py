"""What a visitor does and sees, in the words of the tests."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

QUIET_MS = 500
"""How long nothing may happen before a page counts as drawn: an answer of the server starts well within."""

IS_QUIET = """quiet_ms => {
  const box = document.querySelector('[data-testid=stMain]')?.getBoundingClientRect();
  const shape = [location.href, box?.width, document.querySelector('[data-testid=stMain]')?.scrollHeight].join();
  const busy = document.querySelector('.stApp')?.dataset.testScriptState === 'running'
    || document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
    || [...document.querySelectorAll('[data-testid=stPlotlyChart]')].some(chart => !chart.querySelector('.main-svg'));
  const now = performance.now();
  if (busy || shape !== window.seenShape) [window.seenShape, window.quietSince] = [shape, now];
  return now - window.quietSince >= quiet_ms;
}"""

STANDS_STILL = """node => new Promise(done => {
  let last = null, frames = 0;
  const look = () => {
    const {x, y} = node.getBoundingClientRect();
    frames = last === `${x},${y}` ? frames + 1 : 0;
    last = `${x},${y}`;
    frames >= 10 ? done() : requestAnimationFrame(look);
  };
  look();
})"""


def open_page(page: Page, url: str, title: str) -> None:
    """Go to an address and wait for the page of that title to be drawn whole."""
    page.goto(url)
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=90_000)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the server has answered and all is drawn: no script runs, no skeleton, and the page grows no more."""
    page.evaluate("() => { window.quietSince = performance.now(); }")
    page.wait_for_function(IS_QUIET, arg=QUIET_MS, timeout=90_000)


def wait_frames(page: Page, count: int) -> None:
    """Wait until the browser has drawn so many pictures, however long one takes."""
    page.evaluate(
        "count => new Promise(done => { const next = () => count-- > 0 ? requestAnimationFrame(next) : done();"
        " next(); })",
        count,
    )


def metric(page: Page, position: int) -> int:
    """The number in one box of the funnel: 0 all, 1 filters, 2 voltage, 3 capacity."""
    text = page.get_by_test_id("stMetricValue").nth(position).inner_text()
    return int(re.sub(r"\D", "", text))


def query(page: Page) -> dict[str, str]:
    """The parameters in the address bar."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(page.url).query).items()}


def press_slider(page: Page, name: str, key: str, times: int = 1) -> None:
    """Move a slider with the keyboard, step by step: a step during a run of the page may be lost."""
    slider = page.get_by_role("slider", name=name)
    slider.focus()
    for _ in range(times):
        slider.press(key)
        settle(page)


def choose(page: Page, name: str, text: str) -> None:
    """Type into the box of a long list and take what is found.

    Streamlit closes an open list and forgets what was typed as soon as the page scrolls, also where it only moves
    because a part above is drawn late: so all must stand still first.
    """
    settle(page)
    box = page.get_by_role("combobox", name=name)
    box.scroll_into_view_if_needed()
    settle(page)
    box.fill(text)
    expect(page.get_by_role("option", name=text)).to_be_visible()
    box.press("Enter")


def click_first_row(page: Page) -> None:
    """Select the first row of the table: a canvas, so by coordinates."""
    canvas = page.locator("[data-testid=stDataFrame] canvas").first
    canvas.scroll_into_view_if_needed()
    canvas.evaluate(STANDS_STILL)
    box: Any = canvas.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 35 + 17)
    settle(page)
