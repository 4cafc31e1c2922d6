"""The About page in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.steps import open_page


def test_equation_licences_and_limits_are_there(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/about", "About")
    expect(page.locator(".katex-display").first).to_be_visible()
    expect(page.get_by_role("heading", name="What this build cannot do")).to_be_visible()
    expect(page.get_by_text("CC BY-NC 4.0").first).to_be_visible()
    expect(page.get_by_role("heading", name="The voltage model")).to_be_visible()
