"""Fixtures that every test may use: the repository, the shipped release, the reference data, a browser."""

import os
import shutil
from pathlib import Path

import pytest

from core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def precomputed() -> Path:
    """The folder of the release that commands and pages read: the shipped one, unless MGC_PRECOMPUTED says another."""
    return Settings.from_environment().precomputed


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The reference data, which a fresh clone does not have beside it."""
    folder = Settings.from_environment().data
    if not (folder / "mg_candidates.jsonl.gz").is_file():
        pytest.skip(f"reference data not found in {folder} (set MGC_DATA)")
    return folder


def find_browser() -> str | None:
    """Return the browser that CHROMIUM names, or the first known one on the path."""
    for name in (os.environ.get("CHROMIUM"), *BROWSER_NAMES):
        if name and (path := shutil.which(name)):
            return path
    return None


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A chromium to drive; its absence skips a test, and fails it when CI=true."""
    path = find_browser()
    if path is None:
        reason = "no chromium found (apt-get install chromium, or set CHROMIUM to a browser's path)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}; with CI=true the browser tests must run")
        pytest.skip(reason)
    return path
