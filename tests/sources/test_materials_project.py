"""Materials Project's own client against a local server that answers with recorded responses."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from core.errors import SourceError
from core.records import Crystal, Electrode, Skipped
from core.sources import materials_project

RECORDED = Path(__file__).resolve().parent.parent / "recorded"
KEY = "k" * 32
REFUSED_KEY = "r" * 32


class _Server(HTTPServer):
    queries: list[tuple[str, dict[str, list[str]]]]


class _Answers(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        url = urlparse(self.path)
        name = url.path.strip("/").split("/")[-1]
        if name != "heartbeat" and self.headers["X-API-KEY"] == REFUSED_KEY:
            return self._send(401, b'{"message": "Unauthorized"}')
        self.server.queries.append((name, parse_qs(url.query)))
        self._send(200, (RECORDED / f"{name}.json").read_bytes())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Answers) as server:
        server.queries = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint(server: _Server) -> str:
    server.queries.clear()
    return f"http://127.0.0.1:{server.server_port}/"


def documents(name: str) -> list[dict]:
    return json.loads((RECORDED / f"{name}.json").read_text())["data"]


def test_insertion_electrodes_become_records(server: _Server, endpoint: str) -> None:
    electrodes, skipped = materials_project.fetch_insertion_electrodes(
        ("Mg",), api_key=KEY, endpoint=endpoint
    )
    assert [item.battery_id for item in electrodes] == ["mp-25210_Mg", "mp-25545_Mg"]
    spinel = electrodes[1]
    assert (spinel.id_discharge, spinel.formula_discharge, spinel.host_formula) == (
        "mp-32006",
        "MgMn2O4",
        "MnO2",
    )
    assert spinel.average_voltage_v == pytest.approx(2.858052)
    assert spinel.capacity_vol_ah_per_l == pytest.approx(1113.2082)
    assert [item.id for item in skipped] == ["mp-769657"]
    name, query = server.queries[-1]
    assert name == "insertion_electrodes" and query["working_ion"] == ["Mg"]


def test_candidates_carry_hull_energy_space_group_and_licence(server: _Server, endpoint: str) -> None:
    crystals, skipped = materials_project.fetch_candidates(api_key=KEY, endpoint=endpoint)
    by_id = {crystal.id: crystal for crystal in crystals}
    assert list(by_id) == ["mp-1221953", "mp-32006", "mp-3190001"]
    assert by_id["mp-32006"].spacegroup == "I4_1/amd" and by_id["mp-32006"].n_sites == 14
    assert by_id["mp-32006"].license == "CC BY 4.0" and by_id["mp-3190001"].license == "CC BY-NC 4.0"
    assert by_id["mp-3190001"].e_above_hull_ev_per_atom == 0.0
    assert [item.id for item in skipped] == ["mp-3190002"] and "disordered" in skipped[0].reason
    query = server.queries[-1][1]
    assert query["energy_above_hull_max"] == ["0.15"] and query["elements"] == ["Mg"]


def test_structures_are_asked_for_by_id(server: _Server, endpoint: str) -> None:
    crystals, _ = materials_project.fetch_structures(["mp-32006"], api_key=KEY, endpoint=endpoint)
    assert len(crystals) == 3
    assert server.queries[-1][1]["material_ids"] == ["mp-32006"]


def test_the_fields_asked_for_exist_in_the_schema() -> None:
    from emmet.core.electrode import InsertionElectrodeDoc
    from emmet.core.summary import SummaryDoc

    assert set(materials_project.ELECTRODE_FIELDS) <= set(InsertionElectrodeDoc.model_fields)
    assert set(materials_project.SUMMARY_FIELDS) <= set(SummaryDoc.model_fields)
    assert all(
        set(item) == set(materials_project.ELECTRODE_FIELDS) for item in documents("insertion_electrodes")
    )
    assert all(set(item) == set(materials_project.SUMMARY_FIELDS) for item in documents("summary"))


@pytest.mark.parametrize("key", [REFUSED_KEY, "too-short"])
def test_a_refused_key_says_so(key: str, endpoint: str) -> None:
    with pytest.raises(SourceError, match="refused the key in MP_API_KEY"):
        materials_project.fetch_candidates(api_key=key, endpoint=endpoint)


def test_no_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(SourceError, match="set MP_API_KEY"):
        materials_project.fetch_insertion_electrodes(("Mg",))


def test_no_network_says_so() -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        materials_project.fetch_candidates(api_key=KEY, endpoint="http://127.0.0.1:1/")


def test_an_answer_in_another_shape_is_no_key_error(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materials_project, "SUMMARY_FIELDS", ("no_such_field",))
    with pytest.raises(SourceError, match="did not answer the query"):
        materials_project.fetch_candidates(api_key=KEY, endpoint=endpoint)


def test_single_documents() -> None:
    assert isinstance(materials_project.electrode_of(documents("insertion_electrodes")[0]), Electrode)
    assert isinstance(materials_project.crystal_of(documents("summary")[0]), Crystal)
    bare = materials_project.crystal_of({"material_id": "mp-1"})
    assert isinstance(bare, Skipped) and bare.id == "mp-1" and "no usable structure" in bare.reason
