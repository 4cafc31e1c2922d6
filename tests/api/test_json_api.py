"""The JSON API: the same answers as the pages, errors in their words, and no start without leave."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from core.api import create_api
from core.dispatch.process import ProcessIdentity
from core.records import Crystal
from core.service.relax_first import MAX_SITES_WAITED_FOR, RelaxedFirst
from core.service.release import open_reader
from core.service.screen import ASKED, shortlist
from core.tasks import queue
from tests.app.md_runs import spec
from tests.store.small_release import crystals, make_release
from tests.tasks import toy_potential

FAR = ("203.0.113.7", 5000)
HERE = ("127.0.0.1", 5000)


@pytest.fixture
def api() -> TestClient:
    return TestClient(create_api(), client=HERE)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small release, no runs, no process that would start, a potential of the tests'."""
    make_release(tmp_path / "precomputed")
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    monkeypatch.setenv("MGC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: ProcessIdentity.current())
    toy_potential.register()
    yield tmp_path


def test_nothing_asked_is_the_first_view_of_the_screen_page(api: TestClient) -> None:
    answer = api.get("/v1/candidates", params={"limit": 1000}).json()
    with open_reader() as reader:
        expected = shortlist(reader, ASKED).rows
    assert [row["id"] for row in answer["rows"]] == list(expected["id"])
    assert answer["n_found"] == answer["funnel"]["verdict"] == len(expected)
    assert answer["rows"][0]["reasons_for"]
    assert answer["thresholds"]["capacity_vol_ah_per_l"] == 800.0


def test_pages_of_rows_join_to_the_whole(api: TestClient) -> None:
    def ids(**asked: Any) -> list[str]:
        return [row["id"] for row in api.get("/v1/candidates", params=asked).json()["rows"]]

    assert ids(limit=3) + ids(limit=3, offset=3) == ids(limit=6)


def test_filters_of_the_page_filter_here(api: TestClient) -> None:
    def systems(**asked: Any) -> list[list[str]]:
        rows = api.get("/v1/candidates", params={**asked, "failing_too": True}).json()["rows"]
        return [row["chemsys"].split("-") for row in rows]

    found = systems(redox_metal=["Mn"], without=["F"])
    assert found
    assert all("Mn" in elements and "F" not in elements for elements in found)
    assert systems(text="MgCo2O4") == [["Co", "Mg", "O"]] * len(systems(text="Mg(CoO2)2"))


def test_csv_is_what_export_writes(api: TestClient) -> None:
    answer = api.get("/v1/candidates", params={"format": "csv", "limit": 5})
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(pd.read_csv(io.StringIO(answer.text))) == 5


def test_a_candidate_comes_with_verdict_criteria_and_structure(api: TestClient) -> None:
    answer = api.get("/v1/candidates/mp-19202").json()
    assert answer["structure"]["species"].count("Cr") == 4
    assert answer["verdict"] in ("make next", "open", "doubtful", "no cathode")
    assert {it["key"] for it in answer["criteria"]} >= {"redox", "voltage"}
    assert len(api.get("/v1/candidates/mp-19202/calculations").json()) == len(answer["calculations"]) > 0
    assert "_cell_length_a" in api.get("/v1/candidates/mp-19202/structure.cif").text


def test_the_final_list_is_that_of_the_page(api: TestClient) -> None:
    answer = api.get("/v1/final").json()
    assert sum(row["is_final"] for row in answer["rows"]) == answer["final"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/candidates/nothing", 404, "nothing"),
        ("/v1/candidates?min_voltage_v=nan", 422, "finite"),
        ("/v1/candidates?limit=100000", 422, "1000"),
        ("/v1/runs/never-started", 404, "never-started"),
    ],
)
def test_a_bad_request_names_what_is_wrong(api: TestClient, path: str, status: int, words: str) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    assert words in answer.text


def test_the_api_documents_itself_from_its_own_files(api: TestClient) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert {"/v1/candidates", "/v1/candidates/{id}", "/v1/predict", "/v1/runs"} <= paths.keys()
    page = api.get("/docs").text
    assert "cdn" not in page
    assert api.get("/docs-files/swagger-ui-bundle.js").status_code == 200


def test_a_structure_is_predicted(api: TestClient) -> None:
    text = api.get("/v1/candidates/mp-19202/structure.cif").text
    answer = api.post("/v1/predict", json={"name": "mine.cif", "text": text}).json()
    known = api.get("/v1/candidates/mp-19202").json()["figures"]
    assert answer["voltage_v"] == pytest.approx(known["voltage_v"], abs=0.5)
    assert answer["verdict"] and answer["criteria"]
    assert "error" in api.post("/v1/predict", json={"name": "mine.cif", "text": "nonsense"}).json()


def test_a_structure_is_relaxed_first_where_it_is_asked(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def relaxed(crystal: Crystal, **limits: object) -> RelaxedFirst:
        assert limits["max_sites"] == MAX_SITES_WAITED_FOR
        return RelaxedFirst(
            crystal=crystal, potential="toy", volume_change=0.41, start_force_ev_per_a=4.0, start_pressure_gpa=119.0,
            n_steps=15,
        )  # fmt: skip

    monkeypatch.setattr("core.service.predict.relax_first", relaxed)
    text = api.get("/v1/candidates/mp-19202/structure.cif").text
    answer = api.post("/v1/predict", json={"name": "mine.cif", "text": text, "relax": True}).json()
    assert answer["relaxed_by"] == "toy" and answer["start_pressure_gpa"] == 119.0
    assert "how high ions must climb" in answer["unknown"]


def test_an_alloy_is_no_cathode_and_out_of_domain(api: TestClient) -> None:
    text = api.get("/v1/candidates/mp-1077177/structure.cif").text
    answer = api.post("/v1/predict", json={"name": "Mg2Ni.cif", "text": text}).json()
    assert answer["verdict"] == "no cathode" and answer["reasons_against"].startswith("no anion")
    assert answer["in_domain"] is False and "no anion: an alloy" in answer["domain_reason"]


def test_a_run_is_started_followed_and_cancelled_here_alone(small: Path) -> None:
    here, far = TestClient(create_api(), client=HERE), TestClient(create_api(), client=FAR)
    asked = spec().to_dict()
    refused = far.post("/v1/runs", json=asked)
    assert refused.status_code == 403
    assert "MGC_MAY_START" in refused.json()["detail"]
    name = here.post("/v1/runs", json=asked).json()["name"]
    assert far.get(f"/v1/runs/{name}").json()["id"] == crystals()[1].id  # of a candidate: all may look
    assert far.post(f"/v1/runs/{name}/cancel").status_code == 403
    assert here.post(f"/v1/runs/{name}/cancel").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "https://explorer.example"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "https://explorer.example", "x-forwarded-host": "explorer.example"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_a_page_of_another_site_cannot_act(small: Path, headers: dict[str, str], status: int) -> None:
    here = TestClient(create_api(), client=HERE)
    name = here.post("/v1/runs", json=spec().to_dict()).json()["name"]
    for action in ("cancel", "resume"):
        answer = here.post(f"/v1/runs/{name}/{action}", headers=headers)
        assert answer.status_code == status
        assert status == 200 or "only pages of this server" in answer.json()["detail"]
    told = here.get(f"/v1/runs/{name}", headers=headers).json()
    assert (told["state"], told["place"]) == ("queued", 1)


def test_asking_again_for_what_its_starter_cancelled_is_refused(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGC_MAY_START", "all")
    monkeypatch.setenv("MGC_OWNERS", "none")
    anna, ben = (TestClient(create_api(), client=FAR, cookies={"mgc_browser": it}) for it in ("anna", "ben"))
    name = anna.post("/v1/runs", json=spec().to_dict()).json()["name"]
    assert anna.post(f"/v1/runs/{name}/cancel").json()["state"] == "cancelled"
    assert ben.post("/v1/runs", json=spec().to_dict()).status_code == 403
    assert anna.post("/v1/runs", json=spec().to_dict()).json()["state"] == "queued"


def test_a_spec_that_is_none_is_refused(small: Path) -> None:
    answer = TestClient(create_api(), client=HERE).post("/v1/runs", json={"kind": "nonsense"})
    assert answer.status_code == 422
    assert "nonsense" in answer.json()["detail"]


def test_a_model_is_named_and_no_path(api: TestClient) -> None:
    answer = api.post("/v1/predict", json={"name": "mine.cif", "text": "", "model": "../models/fast"})
    assert answer.status_code == 422
    assert "model" in answer.text


@pytest.mark.parametrize(
    "limits", [{}, {"min_voltage_v": 3.3, "max_voltage_v": 3.6, "min_sigma_ms_per_cm": 100.0}]
)
def test_one_probability_for_the_same_limits_everywhere(api: TestClient, limits: dict[str, float]) -> None:
    """In the search, as CSV, of the one candidate, and in what `export` writes."""
    asked = {**limits, "definition": "paper"}
    row = api.get("/v1/candidates", params={**asked, "text": "mp-19202", "failing_too": True}).json()["rows"][
        0
    ]
    one = api.get("/v1/candidates/mp-19202", params=asked).json()
    assert one["figures"]["p_all"] == pytest.approx(row["p_all"])
    assert one["figures"]["p_all_without"] == row["p_all_without"] == ""
    assert one["thresholds"]["voltage_v"] == limits.get("min_voltage_v", 3.0)


def test_a_window_that_is_none_is_refused(api: TestClient) -> None:
    answer = api.get("/v1/candidates", params={"max_voltage_v": 2.0})
    assert answer.status_code == 422 and "must lie above voltage_v, 3 V" in answer.text


def test_weights_order_and_polymorphs_are_grouped_as_on_the_page(api: TestClient) -> None:
    asked = {"weights": "barrier=5,price=0", "one_per_formula": True, "verdict": "make next"}
    answer = api.get("/v1/candidates", params=asked).json()
    formulas, scores = ([row[name] for row in answer["rows"]] for name in ("formula", "score"))
    assert len(set(formulas)) == len(formulas) == answer["n_found"] and scores == sorted(scores, reverse=True)
    assert answer["weights"]["barrier"] == 5.0 and answer["rows"][0]["n_polymorphs"] >= 1
    assert answer["n_hull_unknown"] == sum(row["e_above_hull_ev_per_atom"] is None for row in answer["rows"])
    new = api.get("/v1/candidates", params={"novelty": "new", "failing_too": True, "limit": 5}).json()["rows"]
    assert {row["novelty"] for row in new} == {"new"}
    refused = api.get("/v1/candidates", params={"weights": "beauty=1"})
    assert refused.status_code == 422 and "no part beauty" in refused.text


def test_measured_cathodes_come_with_their_source_and_null_where_nothing_is_stated(api: TestClient) -> None:
    rows = {row["name"]: row for row in api.get("/v1/measured-cathodes").json()}
    assert rows["MgFeSiO4"]["doi"] == "10.1038/srep05622" and rows["MgFeSiO4"]["measured_v"] == 2.4
    assert rows["TiS2"]["measured_v"] is None and rows["TiS2"]["predicted_v"] is None
    assert rows["Mo6S8"]["id"] == "mp-677217" and rows["Mo6S8"]["predicted_v"] > 0.5
