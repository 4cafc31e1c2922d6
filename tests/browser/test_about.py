"""The About page in a real browser."""

from playwright.sync_api import Page, expect

from core.glossary import GLOSSARY
from tests.browser.steps import open_page


def test_equation_licences_and_limits_are_there(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/about", "About")
    expect(page.locator(".katex-display").first).to_be_visible()
    expect(page.get_by_role("heading", name="What this build cannot do")).to_be_visible()
    expect(page.get_by_text("CC BY-NC 4.0").first).to_be_visible()
    expect(page.get_by_role("heading", name="The voltage model")).to_be_visible()


def test_a_term_has_an_address_of_its_own(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/about#redox-limited-capacity", "About")
    expect(page.locator("h4#redox-limited-capacity")).to_be_in_viewport()
    anchors = page.locator(".st-key-stacking-glossary h4").evaluate_all("heads => heads.map(head => head.id)")
    assert anchors == [term.anchor for term in GLOSSARY]
