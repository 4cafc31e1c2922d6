"""Pages run in a script of their own, without a browser, on the release that the environment names."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import Settings

RUN_LIMIT_S = 120


@pytest.fixture(scope="session")
def release_folder() -> Path:
    """The folder of the release: the shipped one unless MGC_PRECOMPUTED names another."""
    folder = Settings.from_environment().precomputed
    if not (folder / "manifest.json").is_file():
        pytest.fail(f"no release in {folder}")
    return folder


@pytest.fixture
def open_page(root: Path, release_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a page of the app, by the name of its file, with query parameters; `None` opens the first page."""
    monkeypatch.setattr("app.state.warm_up", lambda: None)
    monkeypatch.setattr("app.state.wait_until_warm", lambda: None)

    def run(page: str | None = None, **query: str) -> AppTest:
        app = AppTest.from_file(str(root / "app" / "main.py"), default_timeout=RUN_LIMIT_S)
        for name, value in query.items():
            app.query_params[name] = value
        if page is not None:
            app.switch_page(f"views/{page}.py")
        return app.run()

    return run
