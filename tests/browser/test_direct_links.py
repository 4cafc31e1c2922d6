"""A link to a page below the root, opened in a new browser."""

import pytest
from playwright.sync_api import Page, Response

from tests.browser.steps import open_page

PAGES = {
    "about": "About",
    "accuracy": "Accuracy",
    "candidate?id=mp-32006": "MgMn",
    "distribution": "Distribution",
}


@pytest.mark.parametrize(("path", "title"), PAGES.items(), ids=list(PAGES))
def test_nothing_that_it_asks_for_is_missing(app_url: str, page: Page, path: str, title: str) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    open_page(page, f"{app_url}/{path}", title)
    assert [f"{it.status} {it.url}" for it in answers if it.status >= 400] == []
    assert sum(it.url.endswith("/_stcore/health") for it in answers) == 1
