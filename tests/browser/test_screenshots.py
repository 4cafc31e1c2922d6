"""Pictures of every page, dark and light, wide and narrow, into `screenshots/`; and nothing overflows sideways."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import open_page, settle, wait_frames

PAGES = {
    "screen": ("/?v=2.5&q=700&id=mp-32006", "Screen"),
    "dynamics": ("/dynamics", "Dynamics"),
    "final": ("/final", "Final list"),
    "distribution": ("/distribution", "Distribution"),
    "predict": ("/predict", "Predict yours"),
    "about": ("/about", "About"),
}
TALLEST_PX = 2600


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_and_is_pictured(
    app_url: str, new_page, root: Path, name: str, scheme: str, width: int
) -> None:
    page: Page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    path, title = PAGES[name]
    open_page(page, app_url + path, title)
    assert page.title() == f"{title} · Magnesium cathode explorer"
    if name == "predict":
        page.get_by_role("button", name="Try an example").click()
        expect(page.locator(".structure-viewer[data-ready=true] canvas").first).to_be_visible()
        page.mouse.move(5, 500)
        settle(page)
    overflow, height = page.evaluate(
        """() => { const main = document.querySelector('[data-testid=stMain]');
        return [main.scrollWidth - main.clientWidth, main.scrollHeight]; }"""
    )
    assert overflow <= 1
    page.set_viewport_size({"width": width, "height": max(900, min(height, TALLEST_PX))})
    settle(page)
    wait_frames(page, 10)
    (root / "screenshots").mkdir(exist_ok=True)
    page.screenshot(path=root / "screenshots" / f"{name}-{scheme}-{width}.png")
    expect(page.get_by_text("could not be drawn because of a fault")).to_have_count(0)
