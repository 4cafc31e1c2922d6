"""The Predict page in a real browser: upload, see, refuse."""

from playwright.sync_api import Page, expect

from tests.app.structures import MGMNO2_POSCAR, MGO_CIF
from tests.browser.steps import open_page


def give(page: Page, *files: tuple[str, bytes]) -> None:
    payload = [{"name": name, "mimeType": "text/plain", "buffer": data} for name, data in files]
    page.locator("input[type=file]").set_input_files(payload)


def test_upload_shows_structure_prediction_and_verdict(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/predict", "Predict yours")
    give(page, ("MgMnO2.vasp", MGMNO2_POSCAR))
    expect(page.get_by_role("heading", name="MgMnO₂")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("2,059 Ah/L").first).to_be_visible()
    expect(page.get_by_text("The reasons in numbers")).to_be_visible()
    expect(page.get_by_role("button", name="Relax both ends")).to_be_visible()
    expect(page.locator(".structure-viewer canvas").first).to_be_visible()


def test_refusal_is_a_sentence(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/predict", "Predict yours")
    give(page, ("page.cif", b"<html><script>window.hacked = 1</script></html>"))
    expect(page.get_by_text("was refused")).to_be_visible(timeout=90_000)
    assert page.evaluate("window.hacked") is None


def test_several_files_give_a_table_and_a_download(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/predict", "Predict yours")
    give(page, ("a.vasp", MGMNO2_POSCAR), ("b.cif", MGO_CIF), ("c.cif", b"nothing"))
    expect(page.get_by_text("3 files")).to_be_visible(timeout=90_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").first.click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("id,formula,working_ion,voltage_v") and len(lines) == 4


def test_deep_link_on_a_fresh_server_opens_the_page(start_app, chromium_path: str, new_page) -> None:
    page = new_page()
    open_page(page, f"{start_app()}/predict", "Predict yours")
    expect(page.get_by_role("navigation").get_by_text("Screen")).to_be_visible()


def test_results_wait_while_one_looks_elsewhere(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/predict", "Predict yours")
    give(page, ("MgO.cif", MGO_CIF), ("page.cif", b"<html>"))
    expect(page.get_by_text("2 files")).to_be_visible(timeout=90_000)
    page.get_by_role("navigation").get_by_text("Final list").click()
    expect(page.get_by_role("heading", name="Final list")).to_be_visible(timeout=90_000)
    page.get_by_role("navigation").get_by_text("Predict yours").click()
    expect(page.get_by_text("2 files")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Upload a structure, or try the example.")).to_be_visible(timeout=90_000)
