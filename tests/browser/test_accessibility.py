"""Every page by axe-core, in the light and in the dark, and by keyboard alone.

What axe-core calls serious or critical fails. Streamlit's own lesser findings stay: headings that begin at the third
level below the first, and the drop zone of its file uploader.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.steps import open_page, query, settle

PAGES = {
    "": "Screen", "final": "Final list", "candidate?id=mp-32006": "MgMn", "dynamics": "Dynamics",
    "distribution": "Distribution", "predict": "Predict yours", "accuracy": "Accuracy", "inside": "Inside the model",
    "about": "About",
}  # fmt: skip
GRAVE = {"serious", "critical"}
NAMELESS_PLOTS = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
  .filter(plot => !plot.getAttribute('aria-label')).length"""
PICTURE = """canvas => {
  canvas.dispatchEvent(new KeyboardEvent('keydown', {key: KEY}));
  return new Promise(done => requestAnimationFrame(() => done(canvas.toDataURL())));  // drawn in this frame
}"""


def grave_findings(page: Page) -> list[str]:
    return [
        f"{found['impact']}: {found['id']} at {node['target']}: {node.get('failureSummary')}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]


@pytest.mark.parametrize(("path", "title"), PAGES.items(), ids=list(PAGES.values()))
def test_no_page_has_a_grave_fault(
    app_url: str, new_page: Callable[..., Page], path: str, title: str
) -> None:
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        open_page(page, f"{app_url}/{path}", title)
        assert grave_findings(page) == [], scheme
        assert page.evaluate(NAMELESS_PLOTS) == 0, "a plot without `alt`"


def test_the_viewer_has_a_name_and_turns_and_zooms_by_keyboard(app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/candidate?id=mp-32006")
    canvas = page.get_by_role("img", name="Crystal structure of").first
    expect(page.locator(".structure-viewer[data-ready=true]").first).to_be_visible(timeout=90_000)
    canvas.focus()
    expect(canvas).to_be_focused()
    seen = [
        canvas.evaluate(PICTURE.replace("KEY", f"'{key}'")) for key in ("0", "ArrowLeft", "ArrowUp", "+", "-")
    ]
    assert len(set(seen[:4])) == 4
    assert seen[4] == seen[2], "minus takes back what plus did"


def test_a_slider_is_reached_and_moved_by_keyboard(app_url: str, page: Page) -> None:
    open_page(page, app_url, "Screen")
    slider = page.get_by_role("slider").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if slider.evaluate("node => node === document.activeElement"):
            break
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert query(page), "the address bar carries the new threshold"


def test_a_row_of_the_table_is_selected_by_keyboard(app_url: str, page: Page) -> None:
    open_page(page, app_url, "Screen")
    page.locator("[data-testid=stDataFrame] canvas").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Space")
    settle(page)
    assert "id" in query(page)
