"""The Distribution page in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.steps import open_page


def test_two_histograms_and_the_funnel_are_drawn(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/distribution", "Distribution")
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    expect(page.locator(".js-plotly-plot .bars").first).to_be_attached()
    expect(page.get_by_role("heading", name="The funnel in numbers")).to_be_visible()
    expect(page.get_by_role("heading", name="Left out, and why")).to_be_visible()
