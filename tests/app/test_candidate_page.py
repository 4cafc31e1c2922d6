"""The Candidate page, run without a browser on a small release of hand-made structures."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.components.candidate_figures import Figure, figures, pretty_spacegroup
from app.components.compare import parse_compare
from core.capacity import capacity
from core.provenance import Provenance
from core.records import Capacity, Conductivity, Crystal, Electrode, VoltagePrediction
from core.service.candidates import candidate
from core.service.screen import Thresholds
from core.store import Reader, ReleaseWriter, open_reader
from tests.app.md_runs import charts

HOSTILE = (
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "**x** [y](javascript:alert(1))",
    "a" * 500,
    "../../etc/passwd",
)


WITHOUT = "compare-without-"


def crystal(id: str, metal: str, edge_a: float) -> Crystal:
    frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], dtype=float)
    return Crystal(
        id=id, formula=f"Mg{metal}O3", lattice_a=np.diag([edge_a] * 3), species=("Mg", metal, "O", "O", "O"),
        frac=frac, source="Test <b>source</b>", license="CC BY 4.0", spacegroup="P2_1/c",
        e_above_hull_ev_per_atom=0.01,
    )  # fmt: skip


CRYSTALS = [
    crystal(f"mp-{n}", metal, 3.9 + 0.01 * n) for n, metal in enumerate(("Mn", "Fe", "Co", "Ni", "V"), 1)
]


def prediction(it: Crystal) -> VoltagePrediction:
    if it.id == "mp-5":
        return VoltagePrediction.failed(
            id=it.id, formula=it.formula, working_ion="Mg", error="no <neighbours>"
        )
    return VoltagePrediction(
        id=it.id, formula=it.formula, working_ion="Mg", voltage_v=2.5, voltage_std_v=0.4, voltage_low_v=1.84,
        voltage_high_v=3.16, in_domain=it.id != "mp-4",
    )  # fmt: skip


def electrode(it: Crystal) -> Electrode:
    return Electrode(
        battery_id=f"{it.id}_Mg", working_ion="Mg", average_voltage_v=2.75, formula_discharge=it.formula,
        formula_charge=it.formula[2:], id_discharge=it.id, id_charge="mp-99", host_formula=it.formula[2:],
        voltage_check="ok",
    )  # fmt: skip


def run(id: str) -> Conductivity:
    return Conductivity(
        run_id=f"run-{id}", id=id, working_ion="Mg", potential="test", protocol="quick", temperature_k=1200.0,
        n_atoms=100, n_working_ions=20, n_seeds=1, simulated_ps=10.0, verdict="diffusive", created="2026-01-01",
        d_cm2_per_s=1e-5, d_low_cm2_per_s=5e-6, d_high_cm2_per_s=2e-5,
        sigma_ms_per_cm=150.0, sigma_low_ms_per_cm=90.0, sigma_high_ms_per_cm=240.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precomputed")
    capacities: dict[str, Capacity] = {it.id: capacity(it, "Mg", 2) for it in CRYSTALS}
    with ReleaseWriter(folder) as writer:
        made_by = writer.add_provenance(
            Provenance(kind="test", model_name="tiny", model_sha256="c" * 64, seed=3)
        )
        writer.add_candidates(CRYSTALS, working_ion="Mg", provenance_id=made_by)
        writer.add_voltage_predictions(map(prediction, CRYSTALS), provenance_id=made_by)
        writer.add_capacities(capacities, provenance_id=made_by)
        writer.add_electrodes(map(electrode, CRYSTALS[:2]), provenance_id=made_by)
        writer.add_nearest_electrodes({"mp-1": [("mp-1_Mg", 0.0), ("mp-2_Mg", 0.52)]}, provenance_id=made_by)
        writer.add_conductivities([run("mp-2")], provenance_id=made_by)
        writer.publish()
    return folder


@pytest.fixture
def reader(release: Path) -> Iterator[Reader]:
    with open_reader(release) as opened:
        yield opened


@pytest.fixture
def open_candidate(
    open_page: Callable[..., AppTest],
    use_release: Callable[[Path], None],
    release: Path,
    cheap_potential: None,
) -> Callable[..., AppTest]:
    """Open the page, of the candidate that `id` names, on that release; its folder holds no potentials."""
    use_release(release)
    return partial(open_page, "candidate")


def page_text(test: AppTest) -> str:
    kinds = (test.title, test.markdown, test.caption, test.error, test.warning, test.info, test.subheader)
    html = [element.proto.body for element in test.get("html")]
    return "\n".join([*(element.value for kind in kinds for element in kind), *html])


def viewers(test: AppTest) -> list[dict]:
    return [json.loads(element.proto.json) for element in test.get("bidi_component")]


def test_shows_structure_figures_origin_and_neighbours(open_candidate) -> None:
    page = open_candidate(id="mp-1")
    assert not page.exception
    text = page_text(page)
    assert page.title[0].value == "MgMnO₃"
    for part in (
        "2.50 V",
        "90 %: 1.84 to 3.16 V",
        "P2₁/c",
        "0.010 eV/atom",
        "tiny",
        "sha256 cccccccccccc",
        "mp-2_Mg",
    ):
        assert part in text
    assert "Conductivity not computed yet" in text
    (viewer,) = viewers(page)
    assert viewer["scene"]["formula"] == "MgMnO3" and viewer["working_ion"] == "Mg"


def test_out_of_domain_and_failed_predictions_are_said(open_candidate) -> None:
    assert "unlike the labelled electrodes" in page_text(open_candidate(id="mp-4"))
    failed = open_candidate(id="mp-5")
    assert not failed.exception
    assert "No voltage was predicted: no \\<neighbours\\>" in page_text(failed)


def test_computed_conductivity_is_shown_with_its_temperature(open_candidate) -> None:
    page = open_candidate(id="mp-2")
    text = page_text(page)
    assert "Conductivity at 1200 K" in text and "150 mS/cm" in text
    assert "The ions move on from site to site" in text and "1 seed of 100 atoms" in text


def test_every_known_voltage_stands_beside_the_prediction(open_candidate) -> None:
    """Only the predicted one and the label were shown, in two cards among others."""
    text = page_text(open_candidate(id="mp-1"))
    for part in ("Predicted", "Relaxed ends", "First principles, here", "Public label", "2.75 V", "+0.25 V"):
        assert part in text
    assert text.count("<td>unknown<small>") == 2  # nothing was relaxed, nothing computed


def test_what_is_not_known_is_called_unknown(open_candidate) -> None:
    text = page_text(open_candidate(id="mp-1"))
    for label in ("Migration barrier", "Conductivity", "Host on charge"):
        assert f"<span>{label}</span><b>unknown</b>" in text


def test_the_powder_pattern_is_drawn_and_listed(open_candidate) -> None:
    page = open_candidate(id="mp-1")
    (plot,) = charts(page, powder=True)
    assert [trace["mode"] for trace in plot["data"]] == ["lines", "markers"]
    assert "(110)" in page_text(page) and "Peaks (CSV)" in [
        it.proto.label for it in page.get("download_button")
    ]


def test_similar_candidates_are_listed_with_verdict_and_link(open_candidate) -> None:
    text = page_text(open_candidate(id="mp-1"))
    assert "The same prototype, ABC₃ in P2₁/c" in text and "<a href='?id=mp-3'" in text
    assert "Other structures of MgMnO₃" in text and "None in this release." in text


def test_one_page_to_print_is_offered(open_candidate) -> None:
    page = open_candidate(id="mp-1")
    assert "One page to print" in [it.proto.label for it in page.get("download_button")]
    assert "@media print" in page_text(page)


def test_hashes_are_folded_away(open_candidate) -> None:
    page = open_candidate(id="mp-1")
    (fold,) = [it for it in page.expander if it.label == "Provenance and hashes"]
    assert "sha256 cccccccccccc" in " ".join(html.proto.body for html in fold.get("html"))


def test_compares_what_the_url_names_and_says_what_is_not_there(open_candidate) -> None:
    page = open_candidate(id="mp-1", compare="mp-2,mp-1,mp-77,mp-2")
    assert compared(page) == ["mp-2"]
    assert len(viewers(page)) == 3
    assert "Not in this release: mp-77" in page_text(page)


def compared(page: AppTest) -> list[str]:
    """What stands beside the candidate: each can be taken away."""
    return [it.key.removeprefix(WITHOUT) for it in page.button if it.key and it.key.startswith(WITHOUT)]


def test_choosing_another_candidate_to_compare_moves_into_the_url(open_candidate) -> None:
    page = open_candidate(id="mp-1", compare="mp-2")
    page.selectbox(key="compare_with").set_value("mp-3").run()
    assert page.query_params["compare"] == "mp-2,mp-3" and compared(page) == ["mp-2", "mp-3"]
    for id in ("mp-2", "mp-3"):
        page.button(key=f"{WITHOUT}{id}").click().run()
    assert "compare" not in page.query_params and not compared(page)
    assert page.query_params["id"] == "mp-1"


def test_three_others_are_enough(open_candidate) -> None:
    page = open_candidate(id="mp-1", compare="mp-2,mp-3,mp-4")
    assert page.selectbox(key="compare_with").disabled
    page.button(key=f"{WITHOUT}mp-3").click().run()
    assert not page.selectbox(key="compare_with").disabled
    assert page.selectbox(key="compare_with").options == ["MgCoO3 · mp-3", "MgVO3 · mp-5"]


def test_opening_another_candidate_leaves_the_comparison(open_candidate) -> None:
    page = open_candidate(id="mp-1", compare="mp-2")
    page.selectbox(key="open_candidate").set_value("mp-3").run()
    assert page.title[0].value == "MgCoO₃"
    assert page.query_params["id"] == "mp-3" and "compare" not in page.query_params


def test_without_an_id_offers_search_and_examples(open_candidate) -> None:
    page = open_candidate()
    assert not page.exception
    assert page.title[0].value == "Candidate"
    assert len(page.selectbox(key="open_candidate").options) == len(CRYSTALS)
    page.button(key="example-mp-2").click().run()
    assert page.title[0].value == "MgFeO₃"
    assert page.query_params["id"] == "mp-2"


@pytest.mark.parametrize("id", ["mp-404", *HOSTILE])
def test_unknown_and_hostile_ids_meet_a_friendly_page(open_candidate, id: str) -> None:
    page = open_candidate(id=id)
    assert not page.exception
    assert page.title[0].value == "No such candidate"
    assert "<script>" not in page.error[0].value
    assert page.selectbox(key="open_candidate").value is None


def test_hostile_comparison_is_ignored(open_candidate) -> None:
    page = open_candidate(id="mp-1", compare=",".join(HOSTILE))
    assert not page.exception
    assert compared(page) == []
    assert "<script>" not in page.warning[0].value


def test_the_verdict_stands_on_the_page_with_its_reasons(open_candidate) -> None:
    text = page_text(open_candidate(id="mp-1"))
    assert "no cathode" in text and "Nothing in it can pay for ions that leave." in text
    assert "Mn already at the highest common oxidation state" in text
    assert "**Not known:** " in text and "Insertion before conversion" in text


def test_text_from_the_data_is_escaped(open_candidate) -> None:
    page = open_candidate(id="mp-1")
    assert "<b>source</b>" not in page_text(page)


def test_parse_compare_keeps_three_known_others_once() -> None:
    compared, unknown = parse_compare("b,a,c,b,x,d,e", shown_id="a", known="abcde")
    assert compared == ["b", "c", "d"]
    assert unknown == ["x"]
    assert parse_compare("", shown_id="a", known="a") == ([], [])


def test_figures_never_round_a_chance_to_certainty(reader: Reader) -> None:
    row = reader.candidate("mp-1")
    asked = Thresholds(sigma_ms_per_cm=None, definition="paper")

    def chance(voltage_v: float) -> str:
        shown: list[Figure] = figures({**row, "voltage_v": voltage_v}, asked)
        return next(it.value for it in shown if it.label == "Chance to pass")

    assert [chance(v) for v in (1.6, 3.0, 4.4)] == ["< 1 %", "50 %", "> 99 %"]


def test_spacegroup_symbols_read_well() -> None:
    assert pretty_spacegroup("P2_1/c") == "P2₁/c"
    assert pretty_spacegroup("I4_1/amd") == "I4₁/amd"
    assert pretty_spacegroup("Fd-3m") == "Fd-3m"


def test_downloaded_record_and_cif_hold_the_structure_and_its_licence(reader: Reader) -> None:
    record = json.loads(candidate(reader, "mp-1").json())
    assert record["structure"]["species"] == ["Mg", "Mn", "O", "O", "O"]
    assert record["figures"]["license"] == "CC BY 4.0"
    assert record["provenance"]["model_name"] == "tiny" and len(record["nearest_electrodes"]) == 2
    cif = reader.crystal("mp-1").to_cif()
    assert "# licence: CC BY 4.0" in cif and "_cell_length_a" in cif


def test_marked_sites_reach_the_viewer_by_index() -> None:
    def script() -> None:
        from app.components.structure_viewer import structure_viewer

        scene = {"formula": "Mg", "elements": {}, "atoms": [], "bonds": [], "polyhedra": [], "note": None}
        mark = {"color": "#ff0000", "scale": 1.5, "label": "+0.4 V"}
        structure_viewer(scene, key="marked", highlight={3: mark}, compact=True)

    (payload,) = viewers(AppTest.from_function(script, default_timeout=60).run())
    assert payload["highlight"] == {"3": {"color": "#ff0000", "scale": 1.5, "label": "+0.4 V"}}
    assert payload["compact"] is True and len(payload["version"]) == 16


def test_a_polymorph_that_melts_is_named_among_what_is_not_known() -> None:
    def script() -> None:
        from app.components.verdict_panel import verdict_panel
        from core.service.screen import Thresholds, judgement

        verdict_panel(judgement({"melted_polymorph": "mvc-14334"}, Thresholds()))

    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    told = " ".join(element.value for element in page.markdown)
    assert "ions move in a solid host" in told and "not simulated, but its polymorph mvc-14334 melts" in told
