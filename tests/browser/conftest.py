"""A real browser on a real server: the app on a free port, once a session, with the shipped release."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from core.settings import Settings

sync_api.expect.set_options(timeout=30_000)  # two busy cores and software WebGL

TIMEOUT_MS = 60_000
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def app_url(start_app: Callable[..., str], chromium_path: str) -> str:
    """The address of the app on the release that the environment names, the shipped one by default."""
    folder = Settings.from_environment().precomputed
    if not (folder / "manifest.json").is_file():
        pytest.fail(f"no release in {folder}")
    return start_app(MGC_PRECOMPUTED=str(folder))


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: "sync_api.Browser") -> Iterator[Callable[..., "sync_api.Page"]]:
    """Open a page in a context of its own, as another visitor would; keyword arguments go to the context."""
    contexts: list[sync_api.BrowserContext] = []

    def open_page(**options: object) -> "sync_api.Page":
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 1000}} | options))
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., "sync_api.Page"]) -> "sync_api.Page":
    """A fresh page, 1280 pixels wide."""
    return new_page()
