"""A candidate on one page to print: what stands on it, that nothing in the data acts, and that it is one page."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.components.dossier import dossier_html, pattern_svg
from core.drawing.flat import flat_picture
from core.drawing.scenes import scene_json
from core.records import Crystal
from core.service.candidates import candidate
from core.service.diffraction import powder_pattern
from core.service.release import Reader, open_reader
from core.thresholds import ASKED
from tests.store.small_release import make_release, spinel

URL = "http://localhost:8501/candidate?id=mp-32006"
REASONS = {
    "relaxed_voltage_v": 3.15, "relaxed_redox_voltage_v": 2.9, "dft_voltage_v": 2.1, "barrier_ev": 0.62,
    "barrier_std_ev": 0.1, "charged_e_above_hull_ev_per_atom": 0.19, "charged_e_above_hull_std_ev_per_atom": 0.02,
    "framework": "distorted", "volume_change": -0.15, "largest_move_a": 1.4, "conversion_voltage_v": 2.8,
    "sigma_high_ms_per_cm": 340.0, "sigma_verdict": "upper limit", "sigma_temperature_k": 1200.0,
}  # fmt: skip
"""As much as can be known at once, so that the page is as full as it gets."""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    make_release(tmp_path / "precomputed")
    with open_reader(tmp_path / "precomputed") as opened:
        yield opened


def page_of(reader: Reader, **facts: object) -> str:
    shown = candidate(reader, "mp-32006")
    peaks = powder_pattern(shown.crystal)
    return dossier_html(shown, dict(shown.row) | facts, ASKED, {"Discharged": peaks, "Charged": peaks}, URL)


def test_it_holds_what_a_chemist_asks_and_needs_nothing_else(reader: Reader) -> None:
    page = page_of(reader, **REASONS)
    for part in ("MgMn₂O₄", "mp-32006", "doubtful", "3.20 V", "2.10 V", "Relaxed, as far as the redox metals pay",
                 "0.62 eV", "below 340 mS/cm", "Wh/L", "(311)", "Release: 1", URL, "Contradiction"):  # fmt: skip
        assert part in page, part
    assert not re.search(r"<(script|link|img)|src=|@import|url\(", page)


def test_what_is_not_known_is_unknown(reader: Reader) -> None:
    page = page_of(reader)
    assert page.count("<td>unknown") >= 4 and "not worked out yet" in page


def test_nothing_in_the_data_acts(reader: Reader) -> None:
    page = page_of(reader, source="<script>alert(1)</script>", voltage_error="<b>no</b>")
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_sticks_stand_at_their_angles() -> None:
    peaks = powder_pattern(spinel(), (30.0, 40.0))
    drawn = pattern_svg({"Discharged": peaks})
    assert drawn.count('stroke-width="1.1"') == len(peaks) and "(311)" in drawn


def test_the_flat_picture_draws_every_atom_of_the_scene() -> None:
    scene = scene_json(spinel())
    n_atoms = sum(len(part["positions"]) for part in scene["atoms"])
    picture = flat_picture(scene)
    assert picture.count("<circle") == n_atoms and picture.count("<line") > 12 and "nan" not in picture


def test_a_lone_atom_has_a_picture() -> None:
    import numpy as np

    lone = Crystal(
        id="one",
        formula="Mg",
        lattice_a=np.eye(3) * 3.0,
        species=("Mg",),
        frac=np.full((1, 3), 0.5),
        source="test",
    )
    assert "<circle" in flat_picture(scene_json(lone, bonded=False))


def test_it_prints_on_one_page(reader: Reader, chromium_path: str, tmp_path: Path) -> None:
    file, printed = tmp_path / "dossier.html", tmp_path / "dossier.pdf"
    file.write_text(page_of(reader, **REASONS), encoding="utf-8")
    with ThreadPoolExecutor(1) as apart:  # the browser of other tests keeps an event loop in this thread
        apart.submit(print_page, file, printed, chromium_path).result()
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed.read_bytes())) == 1


def print_page(file: Path, printed: Path, chromium_path: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_path, args=["--headless", "--no-sandbox"])
        page = browser.new_page()
        page.goto(file.as_uri())
        page.pdf(path=printed, prefer_css_page_size=True)
        browser.close()
