"""The Candidate page and its 3D viewer in a real browser; software WebGL is slow, so waits are long."""

import re

import pytest
from playwright.sync_api import Page, expect

from core.settings import Settings
from core.store import open_reader
from tests.browser.steps import choose, settle

pytestmark = pytest.mark.browser

PATIENCE_MS = 90_000
PNG_HEAD = b"\x89PNG"
DRAWN_PIXELS = """
canvas => {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext('2d');
  canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'}));
  return new Promise(done => requestAnimationFrame(() => {
    pen.drawImage(canvas, 0, 0);
    const data = pen.getImageData(0, 0, copy.width, copy.height).data;
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0;
    done(drawn / (copy.width * copy.height));
  }));
}
"""


@pytest.fixture(scope="session")
def labelled() -> list[str]:
    """Ids of small candidates that hold oxygen and a redox metal: their pictures have polyhedra.

    None has been relaxed: a page with relaxed ends draws them too, and here pictures are counted.
    """
    with open_reader() as reader:
        table = reader.screen(columns=("id", "n_sites", "elements", "redox_metals", "framework"))
    table = table[table["framework"].isna()]
    kept = [
        row.id
        for row in table.itertuples()
        if "O" in row.elements and len(row.redox_metals) == 1 and len(row.elements) == 3 and row.n_sites <= 30
    ]
    return kept[:4]


def open_candidate(page: Page, app_url: str, query: str) -> None:
    page.goto(f"{app_url}/candidate?{query}")


def ready_viewers(page: Page, count: int) -> None:
    viewers = page.locator(".structure-viewer")
    expect(viewers).to_have_count(count, timeout=PATIENCE_MS)
    for viewer in viewers.all():  # each starts when it is scrolled to
        viewer.scroll_into_view_if_needed()
        expect(viewer).to_have_attribute("data-ready", "true", timeout=PATIENCE_MS)


def first_viewer(page: Page, app_url: str, id: str):
    open_candidate(page, app_url, f"id={id}")
    ready_viewers(page, 1)
    return page.locator(".structure-viewer").first


def test_structure_is_really_drawn(page: Page, app_url: str, labelled: list[str]) -> None:
    viewer = first_viewer(page, app_url, labelled[0])
    share = viewer.locator("canvas").evaluate(DRAWN_PIXELS)
    assert 0.02 < share < 0.95
    assert int(viewer.get_attribute("data-atoms")) > 3


def test_toggles_change_the_picture(page: Page, app_url: str, labelled: list[str]) -> None:
    viewer = first_viewer(page, app_url, labelled[0])
    oxygen = viewer.locator("[data-name=element-O]")
    full = viewer.locator("canvas").evaluate(DRAWN_PIXELS)
    oxygen.click()
    viewer.locator("[data-name=bonds]").click()
    expect(oxygen).to_have_attribute("aria-pressed", "false")
    assert viewer.locator("canvas").evaluate(DRAWN_PIXELS) < full


def test_toggles_survive_a_rerun(page: Page, app_url: str, labelled: list[str]) -> None:
    viewer = first_viewer(page, app_url, labelled[0])
    viewer.locator("[data-name=element-O]").click()
    choose(page, "Put up to 3 other candidates", labelled[1])
    ready_viewers(page, 3)
    expect(viewer.locator("[data-name=element-O]")).to_have_attribute("aria-pressed", "false")


def test_comparing_draws_nothing_else_again_and_covers_no_structure(
    page: Page, app_url: str, labelled: list[str]
) -> None:
    frames: list[bytes] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda it: frames.append(as_bytes(it))))
    first_viewer(page, app_url, labelled[0])
    settle(page)
    frames.clear()
    choose(page, "Put up to 3 other candidates", labelled[1])
    ready_viewers(page, 3)
    assert any(labelled[1].encode() in frame for frame in frames)
    assert not any(b"Where the voltage comes from" in frame for frame in frames)
    expect(page.get_by_role("option")).to_have_count(0)
    page.get_by_role("button", name="Take away").click()
    ready_viewers(page, 1)


def as_bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def test_supercell_repeats_atoms_and_returns(page: Page, app_url: str, labelled: list[str]) -> None:
    viewer = first_viewer(page, app_url, labelled[0])
    repeat = viewer.locator("[data-name=repeat]")
    once = int(viewer.get_attribute("data-atoms"))
    repeat.click()
    expect(repeat).to_have_text("2×2×2")
    assert 2 * once < int(viewer.get_attribute("data-atoms")) <= 8 * once
    while repeat.inner_text() != "1×1×1":
        repeat.click()
    assert int(viewer.get_attribute("data-atoms")) == once


def test_hover_names_the_atom_and_its_place(page: Page, app_url: str, labelled: list[str]) -> None:
    viewer = first_viewer(page, app_url, labelled[0])
    box = viewer.locator("canvas").bounding_box()
    tooltip = viewer.locator(".tooltip")
    for step in range(400):
        x, y = (step % 20 + 0.5) / 20, (step // 20 + 0.5) / 20
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if tooltip.is_visible():
            break
    assert re.search(r"[A-Z][a-z]?, site \d+\s*\(\d\.\d{3}, \d\.\d{3}, \d\.\d{3}\)", tooltip.inner_text())


def test_saves_a_picture_and_downloads_the_structure(page: Page, app_url: str, labelled: list[str]) -> None:
    viewer = first_viewer(page, app_url, labelled[0])
    with page.expect_download(timeout=PATIENCE_MS) as picture:
        viewer.locator("[data-name=save]").click()
    assert picture.value.path().read_bytes().startswith(PNG_HEAD)
    with page.expect_download(timeout=PATIENCE_MS) as cif:
        page.get_by_role("button", name="CIF").click()
    assert cif.value.suggested_filename == f"{labelled[0]}.cif"
    assert "_cell_length_a" in cif.value.path().read_text()


def test_four_side_by_side_from_one_link(page: Page, app_url: str, labelled: list[str]) -> None:
    first, *others = labelled
    open_candidate(page, app_url, f"id={first}&compare={','.join(others)}")
    ready_viewers(page, 5)
    assert page.locator("canvas").count() >= 5


def test_leaving_the_page_gives_the_graphics_back(page: Page, app_url: str, labelled: list[str]) -> None:
    first_viewer(page, app_url, labelled[0])
    page.evaluate(
        "() => { window.lost = 0; const canvas = document.querySelector('[data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('canvas');"
        "canvas.addEventListener('webglcontextlost', () => { window.lost += 1; }); }"
    )
    page.get_by_role("link", name="About").first.click()
    page.wait_for_function("() => window.lost === 1", timeout=PATIENCE_MS)


def test_without_webgl_the_viewer_says_so(page: Page, app_url: str, labelled: list[str]) -> None:
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    open_candidate(page, app_url, f"id={labelled[0]}")
    expect(page.locator(".structure-viewer .message")).to_contain_text("no WebGL", timeout=PATIENCE_MS)


def test_a_link_that_comes_first_on_a_new_server_finds_the_whole_app(
    page: Page, start_app, labelled: list[str]
) -> None:
    """Streamlit runs files of a folder called `pages` by themselves until the main script has run once."""
    app_url = start_app(MGC_PRECOMPUTED=str(Settings.from_environment().precomputed))
    first_viewer(page, app_url, labelled[0])
    expect(page.get_by_role("link", name="Predict yours").first).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    "query", ["", "id=mp-no-such", "id=%3Cscript%3Ealert(1)%3C/script%3E", "id=%27%20OR%201=1"]
)
def test_wrong_links_lead_to_a_search_box(page: Page, app_url: str, query: str) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_candidate(page, app_url, query)
    expect(page.get_by_role("combobox", name=re.compile("Look one up"))).to_be_visible(timeout=PATIENCE_MS)
    assert dialogs == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_sticks_out_sideways(
    page: Page, app_url: str, labelled: list[str], width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    first_viewer(page, app_url, labelled[0])
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 1
    assert main.evaluate("node => getComputedStyle(node.closest('.stApp')).colorScheme") in (scheme, "normal")
