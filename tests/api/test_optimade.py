"""The OPTIMADE endpoint: its filter language, and optimade-python-tools' own validator against a running server."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.api import create_optimade
from core.api.optimade.filters import BadFilterError, UnsupportedFilterError, parsed_filter
from core.api.optimade.properties import PROPERTIES

ROW: dict[str, Any] = dict.fromkeys(PROPERTIES) | {
    "id": "mp-1", "type": "structures", "elements": ["Cr", "Mg", "O"], "nelements": 3, "nsites": 14,
    "elements_ratios": [2 / 7, 1 / 7, 4 / 7], "chemical_formula_reduced": "Cr2MgO4", "_mgc_voltage_v": 3.4,
    "_mgc_in_domain": True, "structure_features": [], "last_modified": "2026-11-27T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", True),
        ('elements HAS "Mg"', True),
        ('elements HAS ALL "Mg","F"', False),
        ('elements HAS ANY "F","O"', True),
        ('elements HAS ONLY "Cr","Mg","O","F"', True),
        ("elements LENGTH 3", True),
        ("elements LENGTH >= 4", False),
        ("nelements=3 AND nsites<20", True),
        ('NOT elements HAS "Mg" OR nsites = 14', True),
        ('NOT (elements HAS "Mg" OR nsites = 14)', False),
        ("_mgc_voltage_v > 3", True),
        ("3 < _mgc_voltage_v", True),
        ("_mgc_in_domain = TRUE", True),
        ("_mgc_barrier_ev < 0.65", None),
        ("NOT _mgc_barrier_ev < 0.65", None),
        ("_mgc_barrier_ev IS UNKNOWN", True),
        ("lattice_vectors IS KNOWN", True),
        ("_exmpl_band_gap > 1", None),
        ('chemical_formula_reduced STARTS WITH "Cr2"', True),
        ('chemical_formula_reduced CONTAINS "Mg" AND chemical_formula_reduced ENDS "O4"', True),
        ('last_modified >= "2026-01-01T00:00:00Z"', True),
    ],
)
def test_a_filter_answers_yes_no_or_unknown(text: str, answer: bool | None) -> None:
    assert parsed_filter(text)(ROW) is answer


@pytest.mark.parametrize(
    "text",
    ["elements HAS", "band_gap > 1", 'nsites = "many"', "_mgc_nothing = 1", "nsites HAS 1", "a" * 3000],
)
def test_a_bad_filter_is_refused(text: str) -> None:
    with pytest.raises(BadFilterError):
        parsed_filter(text)


@pytest.mark.parametrize(
    "text", ['species.name = "Mg"', "nsites = nelements", 'elements:elements_ratios HAS "Mg":>0.1']
)
def test_an_optional_part_of_the_language_is_said_not_to_be_offered(text: str) -> None:
    with pytest.raises(UnsupportedFilterError):
        parsed_filter(text)


def test_structures_are_found_paged_and_sorted() -> None:
    client = TestClient(create_optimade())
    asked = {
        "filter": '_mgc_voltage_v > 3 AND elements HAS ALL "Mg","Mn"',
        "page_limit": "2",
        "sort": "-_mgc_voltage_v",
    }
    first = client.get("/v1/structures", params=asked).json()
    assert first["meta"]["more_data_available"]
    following = client.get(first["links"]["next"]).json()
    voltages = [it["attributes"]["_mgc_voltage_v"] for it in first["data"] + following["data"]]
    assert voltages == sorted(voltages, reverse=True)
    assert min(voltages) > 3
    one = client.get(f"/v1/structures/{first['data'][0]['id']}").json()["data"]
    assert len(one["attributes"]["cartesian_site_positions"]) == one["attributes"]["nsites"]


@pytest.fixture(scope="module")
def server(start_app: Callable[..., str]) -> str:
    """The whole server, pages and all."""
    return start_app()


@pytest.mark.slow
def test_the_validator_of_optimade_passes(server: str) -> None:
    command = [
        sys.executable,
        "-c",
        "from optimade.validator import validate; validate()",
        f"{server}/optimade/v1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.mark.slow
def test_every_answer_keeps_other_sites_out(server: str) -> None:
    with urllib.request.urlopen(f"{server}/", timeout=10) as answer:
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert "mgc_browser=" in answer.headers["set-cookie"]
        assert "HttpOnly" in answer.headers["set-cookie"]
    request = urllib.request.Request(f"{server}/_stcore/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)
    assert urllib.request.urlopen(f"{server}/api/v1/release", timeout=30).status == 200
