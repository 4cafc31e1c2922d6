"""Pages on a telephone: nothing is wider than the screen, and no table squeezes its words into a column of letters."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.steps import open_page, settle

PAGES = {"final": "Final list", "dynamics": "Dynamics", "distribution": "Distribution", "predict": "Predict yours",
         "accuracy": "Accuracy", "inside": "Inside the model", "about": "About"}  # fmt: skip
TOO_WIDE_PX = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  return main.scrollWidth - main.clientWidth;
}"""
NARROWEST_PX = """() => Math.min(1000, ...[...document.querySelectorAll('.facts td')]
  .filter(cell => cell.innerText.trim()).map(cell => cell.getBoundingClientRect().width))"""
CUT_TILES = """() => [...document.querySelectorAll('[data-testid=stMetric] *')]
  .filter(it => !it.children.length && it.scrollWidth > it.clientWidth + 1).map(it => it.innerText)"""


@pytest.mark.parametrize(("path", "title"), PAGES.items(), ids=list(PAGES.values()))
def test_a_page_fits(app_url: str, new_page: Callable[..., Page], path: str, title: str) -> None:
    page = new_page(viewport={"width": 420, "height": 900})
    open_page(page, f"{app_url}/{path}", title)
    assert page.evaluate(TOO_WIDE_PX) <= 0
    assert page.evaluate(NARROWEST_PX) > 40
    for width in (420, 800):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert page.evaluate(CUT_TILES) == [], width
