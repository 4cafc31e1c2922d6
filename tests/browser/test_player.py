"""The player of trajectories and the picture of the ion's path, on a page of their own with a run made by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import wait_frames
from tests.browser.test_candidate import DRAWN_PIXELS

pytestmark = pytest.mark.browser

PATIENCE_MS = 120_000
SEEN_PIXELS = DRAWN_PIXELS.replace("ArrowLeft", "0")  # drawn anew from where the camera stands at first
SCRIPT = """
import numpy as np
import streamlit as st

from app.components.structure_viewer import structure_viewer
from app.components.trajectory_player import trajectory_player
from core.records import Crystal

LATTICE_A = np.diag([4.2] * 3)
FACE = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
FRAC = np.concatenate([FACE, (FACE + [0.5, 0, 0]) % 1.0])
SPECIES = ("Mg",) * 4 + ("O",) * 4
walk_a = np.random.default_rng(5).normal(0.0, 0.02, (200, 8, 3)).cumsum(axis=0)
walk_a[:, 0, 1] += np.linspace(0.0, 9.0, 200)
frames_a = FRAC @ LATTICE_A + walk_a

if st.query_params["show"] == "path":
    salt = Crystal(id="salt", formula="MgO", lattice_a=LATTICE_A, species=SPECIES, frac=FRAC, source="test")
    visited = (frames_a[:, :4] @ np.linalg.inv(LATTICE_A)).reshape(-1, 3)
    done = st.checkbox("The run is done", value=False)
    structure_viewer(salt, key="path", path_points=visited if done else None)
else:
    n_frames = 200 if st.checkbox("More frames") else 40
    live = st.query_params["show"] == "live"
    trajectory_player(SPECIES, LATTICE_A, frames_a[:n_frames], 0.02, key="player", live=live)
"""

OVERTAKEN = """
async () => {
  const drawing = await import('/app/static/structure_viewer.js');
  const parentElement = document.createElement('div');
  parentElement.innerHTML = '<div class="structure-viewer"></div>';
  parentElement.style.cssText = 'position: fixed; inset: 0';  // in sight, where pictures start
  document.body.append(parentElement);
  const scene = {
    formula: 'Mg', lattice: [[4, 0, 0], [0, 4, 0], [0, 0, 4]], note: null, bonded: false, bonds: [], polyhedra: [],
    elements: {Mg: {color: '#00ff00', radius: 0.5, count: 1}},
    atoms: [{element: 'Mg', sites: [0], positions: [[0, 0, 0]]}],
  };
  const data = {scene, version: 'first', height: 200, compact: false, working_ion: 'Mg'};
  const cleanUps = ['first', 'second'].map((version) => drawing.default({parentElement, data: {...data, version}}));
  const counts = [];
  for (const cleanUp of cleanUps) {
    cleanUp();
    await new Promise((done) => setTimeout(done, 500));
    counts.push(parentElement.querySelectorAll('canvas').length);
  }
  return counts;
}
"""


@pytest.fixture(scope="session")
def page_url(start_app: Callable[..., str], root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server of the small page above; bundles are served from the folder `static` beside the script."""
    folder = tmp_path_factory.mktemp("player")
    (folder / "page.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "static").symlink_to(root / "app" / "static")
    return start_app(folder / "page.py", PYTHONPATH=str(root))


@pytest.fixture
def show(page: Page, page_url: str) -> Callable[..., Page]:
    """Open the page on one of its pictures and wait until it is drawn."""

    def opened(what: str) -> Page:
        page.goto(f"{page_url}/?show={what}")
        expect(page.locator("[data-ready=true]")).to_have_count(1, timeout=PATIENCE_MS)
        return page

    return opened


def tick(page: Page, name: str) -> None:
    page.get_by_text(name).click()


def test_path_has_a_switch_and_comes_without_resetting_the_picture(show: Callable[..., Page]) -> None:
    page = show("path")
    viewer = page.locator(".structure-viewer")
    expect(viewer.locator("[data-name=path]")).to_have_count(0)
    viewer.locator("[data-name=repeat]").click()
    tick(page, "The run is done")
    switch = viewer.locator("[data-name=path]")
    expect(switch).to_have_text("Mg path", timeout=PATIENCE_MS)
    expect(viewer.locator("[data-name=repeat]")).to_have_text("2×2×2")
    full = viewer.locator("canvas").evaluate(SEEN_PIXELS)
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert viewer.locator("canvas").evaluate(SEEN_PIXELS) < full


def test_a_call_that_was_overtaken_leaves_the_picture_to_the_later_one(page: Page, page_url: str) -> None:
    """Streamlit cleans up after a call that new data overtook, when the later one may have drawn already."""
    page.goto(f"{page_url}/?show=run")
    assert page.evaluate(OVERTAKEN) == [1, 0]


def test_plays_to_the_end_and_pauses(show: Callable[..., Page]) -> None:
    page = show("run")
    player = page.locator(".trajectory-player")
    expect(player).to_have_attribute("data-frame", "0")
    expect(player.locator(".time")).to_have_text("0.00 / 0.78 ps")
    assert 0.02 < player.locator("canvas").evaluate(SEEN_PIXELS) < 0.95
    play = player.locator("[data-name=play]")
    play.click()
    expect(play).to_have_attribute("aria-label", "Pause")
    expect(player).not_to_have_attribute("data-frame", "0", timeout=PATIENCE_MS)
    play.click()
    expect(play).to_have_attribute("aria-label", "Play")
    player.get_by_role("slider", name="Time").fill("990")
    play.click()
    expect(player).to_have_attribute("data-frame", "39", timeout=PATIENCE_MS)
    expect(play).to_have_attribute("aria-label", "Play")


def test_slider_trails_wrapping_and_elements_change_the_picture(show: Callable[..., Page]) -> None:
    page = show("run")
    player = page.locator(".trajectory-player")
    player.get_by_role("slider", name="Time").fill("1000")
    expect(player).to_have_attribute("data-frame", "39")
    expect(player.locator(".time")).to_have_text("0.78 / 0.78 ps")
    bare = player.locator("canvas").evaluate(SEEN_PIXELS)
    player.locator("[data-name=trails]").click()
    expect(player.locator("[data-name=trails]")).to_have_attribute("aria-pressed", "true")
    assert player.locator("canvas").evaluate(SEEN_PIXELS) > bare
    player.locator("[data-name=wrap]").click()
    expect(player.locator("[data-name=wrap]")).to_have_attribute("aria-pressed", "false")
    player.locator("[data-name=element-Mg]").click()
    expect(player.locator("[data-name=element-Mg]")).to_have_attribute("aria-pressed", "false")


def test_a_run_that_is_watched_goes_on_to_its_newest_frame(show: Callable[..., Page]) -> None:
    page = show("live")
    player = page.locator(".trajectory-player")
    expect(player).to_have_attribute("data-frame", "39")
    player.locator("[data-name=trails]").click()
    tick(page, "More frames")
    expect(player).to_have_attribute("data-frame", "199", timeout=PATIENCE_MS)
    expect(player.locator("[data-name=trails]")).to_have_attribute("aria-pressed", "true")


def test_a_visitor_who_looks_back_is_left_there_until_he_wants_the_newest(show: Callable[..., Page]) -> None:
    page = show("live")
    player = page.locator(".trajectory-player")
    player.get_by_role("slider", name="Time").fill("0")
    tick(page, "More frames")
    expect(player).to_have_attribute("data-frames", "200", timeout=PATIENCE_MS)
    wait_frames(page, 60)
    expect(player).to_have_attribute("data-frame", "0")
    newest = player.locator("[data-name=follow]")
    expect(newest).to_have_attribute("aria-pressed", "false")
    newest.click()
    expect(player).to_have_attribute("data-frame", "199", timeout=PATIENCE_MS)
    expect(newest).to_have_attribute("aria-pressed", "true")


def test_player_says_so_without_webgl(page: Page, page_url: str) -> None:
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(f"{page_url}/?show=run")
    expect(page.locator(".trajectory-player .message")).to_contain_text("no WebGL", timeout=PATIENCE_MS)


@pytest.mark.parametrize("width", [1280, 420])
def test_player_fits_its_column(page: Page, page_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{page_url}/?show=run")
    player = page.locator(".trajectory-player[data-ready=true]")
    expect(player).to_be_visible(timeout=PATIENCE_MS)
    bar, tools = (player.locator(name).bounding_box() for name in (".bar", ".tools"))
    outer = player.bounding_box()
    assert bar["x"] >= outer["x"] and bar["x"] + bar["width"] <= outer["x"] + outer["width"]
    assert tools["y"] + tools["height"] <= bar["y"]
    assert player.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
