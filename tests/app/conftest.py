"""Pages run in a script of their own, without a browser, on the release that the environment names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.dispatch.process import ProcessIdentity
from core.potentials import registry
from core.service.policy import Visitor
from core.settings import Settings
from core.tasks import queue
from tests.store.small_release import make_release
from tests.tasks import toy_potential

RUN_LIMIT_S = 120


@pytest.fixture(scope="session")
def release_folder() -> Path:
    """The folder of the release: the shipped one unless MGC_PRECOMPUTED names another."""
    folder = Settings.from_environment().precomputed
    if not (folder / "manifest.json").is_file():
        pytest.fail(f"no release in {folder}")
    return folder


@pytest.fixture(autouse=True)
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest has no address to tell; pages that ask who is there hear that it is this machine's browser."""
    monkeypatch.setattr("app.visitor.visitor", lambda: Visitor(is_local=True))


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


@pytest.fixture
def use_release(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Let pages read the release of a folder, not what they have read before."""

    def forget() -> None:
        st.cache_resource.clear()
        st.cache_data.clear()

    def use(folder: Path) -> None:
        monkeypatch.setenv("MGC_PRECOMPUTED", str(folder))
        forget()

    yield use
    forget()


@pytest.fixture
def small_release(tmp_path: Path, use_release: Callable[[Path], None]) -> Path:
    """A release of five crystals, which pages read."""
    folder = tmp_path / "precomputed"
    make_release(folder)
    use_release(folder)
    return folder


@pytest.fixture
def cheap_potential(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own potential in the registry and in the form, and no process that would start."""
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))
    toy_potential.register()
    monkeypatch.setattr("app.components.md_form.POTENTIALS", (toy_potential.NAME,))
    monkeypatch.setattr("app.components.md_form.default_potential", lambda: toy_potential.NAME)
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: ProcessIdentity.current())


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be drawn in 3D; the viewers have tests of their own."""
    drawn: list[dict[str, Any]] = []

    def record(*arguments: Any, **options: Any) -> None:
        drawn.append({"arguments": arguments, **options})

    for target in (
        "structure_viewer.structure_viewer",
        "md_pictures.structure_viewer",
        "md_pictures.trajectory_player",
    ):
        monkeypatch.setattr(f"app.components.{target}", record)
    return drawn


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A small release and an empty folder of runs."""
    precomputed, runs = tmp_path / "precomputed", tmp_path / "runs"
    make_release(precomputed)
    monkeypatch.setenv("MGC_PRECOMPUTED", str(precomputed))
    monkeypatch.setenv("MGC_RUNS", str(runs))
    return precomputed, runs


@pytest.fixture
def open_md(
    open_page: Callable[..., AppTest], folders: tuple[Path, Path], cheap_potential: None, pictures: list,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., AppTest]]:  # fmt: skip
    """Open a page with those folders, without the voltage model, which the small release has none of."""
    monkeypatch.setattr("app.components.contributions.can_explain", lambda: False)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield open_page
    st.cache_resource.clear()
