"""The Screen page in a real browser."""

import io
import json
import re
import zipfile

import pandas as pd
from playwright.sync_api import Page, expect

from tests.browser.steps import click_first_row, metric, open_page, press_slider, query, settle


def listed(page: Page) -> int:
    return int(re.sub(r"\D", "", page.get_by_text(re.compile(r"^[\d,]+ listed$")).inner_text()))


def test_shows_over_three_thousand_candidates(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?polymorphs=1", "Screen")
    assert metric(page, 0) > 3000
    assert metric(page, 1) >= metric(page, 2) >= metric(page, 3) >= metric(page, 4) == listed(page)


def test_the_papers_definition_is_one_click_away(app_url: str, page: Page) -> None:
    open_page(page, app_url, "Screen")
    cathodes = listed(page)
    page.get_by_role("radio", name="the paper's definition").click()
    expect(page.get_by_text("As cathodes, where only what the redox metals pay for counts")).to_be_visible()
    settle(page)
    assert listed(page) > cathodes and query(page)["by"] == "paper"


def test_moving_a_slider_changes_counts_and_address(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=1.0&q=800", "Screen")
    before = metric(page, 2)
    press_slider(page, "Voltage (V)", "ArrowRight", times=10)
    expect(page.get_by_text("> 1.50 V")).to_be_visible()
    assert metric(page, 2) < before
    assert query(page)["v"] == "1.5"


def test_number_input_moves_the_slider(app_url: str, page: Page) -> None:
    open_page(page, app_url, "Screen")
    box = page.get_by_label("Capacity (Ah/L), typed")
    box.fill("1230")
    box.press("Enter")
    expect(page.get_by_text("> 1,230 Ah/L")).to_be_visible()
    expect(page.get_by_role("slider", name="Capacity (Ah/L)")).to_have_value("1230")
    settle(page)
    assert query(page)["q"] == "1230"


def test_link_restores_the_whole_state(app_url: str, page: Page) -> None:
    open_page(
        page, f"{app_url}/?v=2.2&q=500&with=Mn,O&without=F&domain=1&all=1&front=1&id=mp-32006", "Screen"
    )
    expect(page.get_by_text("> 2.20 V")).to_be_visible()
    expect(page.get_by_text("must contain Mn, O; must not contain F; in domain")).to_be_visible()
    expect(page.get_by_role("heading", name="MgMn₂O₄")).to_be_visible()
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_role("button", name="Manganese, must contain")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("button", name="Fluorine, must not contain")).to_have_attribute(
        "aria-pressed", "mixed"
    )
    assert page.get_by_role("switch", name="Pareto front").is_checked()


def test_periodic_table_cycles_through_its_states(app_url: str, page: Page) -> None:
    open_page(page, app_url, "Screen")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("button", name="Oxygen, no condition").click()
    expect(page.get_by_text("1 filter on: must contain O")).to_be_visible()
    with_oxygen = metric(page, 1)
    page.get_by_role("button", name="Oxygen, must contain").click()
    expect(page.get_by_text("1 filter on: must not contain O")).to_be_visible()
    settle(page)
    assert metric(page, 1) + with_oxygen == metric(page, 0)
    assert query(page)["without"] == "O"
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("button", name="Oxygen, no condition")).to_be_visible()
    settle(page)
    assert "without" not in query(page)


def test_download_holds_exactly_the_listed_rows(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=1.5&q=700&with=O", "Screen")
    expected = listed(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert re.fullmatch(r"mg-cathodes-[A-Za-z0-9._-]+\.csv", download.value.suggested_filename)
    rows = pd.read_csv(download.value.path())
    assert len(rows) == expected > 0
    assert (rows["voltage_v"] > 1.5).all() and (rows["capacity_redox_vol_ah_per_l"] > 700).all()
    assert rows["verdict"].isin(["make next", "open"]).all() and rows["reasons_for"].notna().all()
    with page.expect_download() as download:
        page.get_by_role("button", name="Both (zip)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        table, side_car = sorted(archive.namelist())
        told = json.loads(archive.read(side_car))
        assert len(pd.read_csv(io.BytesIO(archive.read(table)))) == told["rows"] == expected
    assert told["url"].startswith(f"{app_url}/?v=1.5&q=700&with=O") and told["thresholds"]["voltage_v"] == 1.5
    assert told["release"]["model_sha256"] and told["weights"]["price"] == 0.5


def test_row_click_selects_and_opens_the_candidate(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=1.5&q=700", "Screen")
    click_first_row(page)
    link = page.get_by_role("link", name="Open candidate")
    expect(link).to_be_visible()
    chosen = query(page)["id"]
    assert query(page)["shortlist"] == chosen  # a tick also puts it aside
    link.click()
    page.wait_for_url(re.compile(r"/candidate"))
    settle(page)
    assert query(page)["id"] == chosen
    page.get_by_role("link", name="Screen").click()
    expect(page.get_by_text("> 1.50 V")).to_be_visible()


def test_point_click_selects_the_candidate(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=1.5&q=700&with=Mn,O", "Screen")
    page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    spot = page.evaluate(
        """() => { const plot = document.querySelector('.js-plotly-plot'); const layout = plot._fullLayout;
        const trace = plot._fullData.find(it => it.name.startsWith('passes')); const box = plot.getBoundingClientRect();
        return [box.left + layout.xaxis._offset + layout.xaxis.d2p(trace.x[0]),
                box.top + layout.yaxis._offset + layout.yaxis.d2p(trace.y[0])]; }"""
    )
    page.mouse.move(*spot)
    expect(page.locator(".hoverlayer .hovertext")).to_be_visible()  # Plotly has seen which point this is
    page.mouse.click(*spot)
    expect(page.get_by_role("link", name="Open candidate")).to_be_visible()
    settle(page)
    assert "id" in query(page)


def test_a_lasso_puts_points_on_the_shortlist_and_a_reload_keeps_them(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=3&q=800", "Screen")
    plot = page.locator(".js-plotly-plot")
    plot.scroll_into_view_if_needed()
    plot.hover()
    page.locator('[data-title="Lasso Select"]').click()
    corners = page.evaluate(
        """() => { const plot = document.querySelector('.js-plotly-plot'), layout = plot._fullLayout;
        const box = plot.getBoundingClientRect();
        return [[1180, 3.05], [1420, 3.05], [1420, 3.62], [1180, 3.62], [1180, 3.05]].map(([x, y]) =>
            [box.left + layout.xaxis._offset + layout.xaxis.d2p(x), box.top + layout.yaxis._offset
             + layout.yaxis.d2p(y)]); }"""
    )
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()
    expect(page.get_by_role("heading", name=re.compile(r"Shortlist \(\d+\)"))).to_be_visible()
    settle(page)
    kept = query(page)["shortlist"].split(",")
    assert len(kept) > 3
    page.reload()
    expect(page.get_by_role("heading", name=f"Shortlist ({len(kept)})")).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Compare the first 4").click()
    page.wait_for_url(re.compile(r"/candidate"))
    assert query(page)["compare"].split(",") == kept[1:4]


def test_on_a_phone_the_plot_comes_before_the_funnel(app_url: str, new_page) -> None:
    page: Page = new_page(viewport={"width": 420, "height": 900})
    open_page(page, app_url, "Screen")
    tops = [page.locator(it).first.bounding_box()["y"] for it in (".js-plotly-plot", ".st-key-funnel")]
    assert tops[0] < tops[1]
    too_wide = "() => document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth"
    assert page.evaluate(too_wide) <= 1


def test_back_button_undoes_a_change(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=1&q=800", "Screen")
    press_slider(page, "Voltage (V)", "ArrowRight", times=2)
    expect(page.get_by_text("> 1.10 V")).to_be_visible()
    page.go_back()
    if query(page)["v"] != "1":  # two key presses may have been two changes
        page.go_back()
    expect(page.get_by_text("> 1.00 V")).to_be_visible()


def test_two_tabs_do_not_mix(app_url: str, new_page) -> None:
    first, second = new_page(), new_page()
    open_page(first, f"{app_url}/?v=1&q=800&with=Mn", "Screen")
    open_page(second, f"{app_url}/?v=2&q=900&with=Co", "Screen")
    press_slider(first, "Voltage (V)", "ArrowRight")
    expect(first.get_by_text("must contain Mn")).to_be_visible()
    expect(second.get_by_text("must contain Co")).to_be_visible()
    press_slider(second, "Voltage (V)", "ArrowRight")
    assert query(first)["v"] == "1.05" and query(first)["q"] == "800"
    assert query(second)["v"] == "2.05" and query(second)["q"] == "900"


def test_nothing_passes_says_what_to_do(app_url: str, page: Page) -> None:
    open_page(page, f"{app_url}/?v=7&q=3000", "Screen")
    expect(page.get_by_text(re.compile("Nothing to list"))).to_be_visible()
    expect(page.get_by_role("button", name="Download CSV").first).to_be_disabled()
