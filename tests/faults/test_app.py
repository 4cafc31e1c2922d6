"""Pages under attack or in trouble: broken releases, hostile text, odd uploads, mixed tabs, settings, no network.

More uploads are in `tests/app/test_predict.py`, more links in `tests/app/test_query.py`; two tabs in a real browser
in `tests/browser/test_screen.py`; a container without root in `tests/faults/test_pins_and_container.py`.
"""

import ast
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.link import parse_query
from app.screening_view import filter_words
from app.theme import safe, safe_html
from core.provenance import Provenance
from core.records import VoltagePrediction
from core.service.predict import predict_upload
from core.settings import ROOT
from core.store import ReleaseWriter
from tests.store.small_release import crystals, make_release

HOSTILE = "Mg<img src=x onerror=alert(1)>[x](javascript:alert(2)) $x$ :red[y]"
PAGES = (None, "candidate", "distribution", "predict", "about")
Opener = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Opener:
    monkeypatch.setattr("app.state.warm_up", lambda: None)
    monkeypatch.setattr("app.state.wait_until_warm", lambda: None)

    def run(folder: Path, page: str | None = None, **query: str) -> AppTest:
        monkeypatch.setenv("MGC_PRECOMPUTED", str(folder))
        st.cache_resource.clear()
        st.cache_data.clear()
        app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
        for name, value in query.items():
            app.query_params[name] = value
        if page is not None:
            app.switch_page(f"views/{page}.py")
        return app.run()

    return run


def damage(folder: Path, how: str) -> None:
    manifest = folder / "manifest.json"
    database = folder / json.loads(manifest.read_text())["file"]
    whole = database.read_bytes()
    if how == "absent":
        database.unlink()
    elif how == "no manifest":
        manifest.unlink()
    elif how == "newer schema":
        manifest.write_text(manifest.read_text().replace('"schema_version": 2', '"schema_version": 99'))
    else:
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        contents = {"truncated": whole[: len(whole) // 2], "garbage": b"no database" * 99, "empty": b""}
        database.write_bytes(contents.get(how, bytes(flipped)))


@pytest.mark.parametrize(
    "how", ["truncated", "garbage", "empty", "flipped bit", "absent", "no manifest", "newer schema"]
)
def test_broken_release_is_a_page_that_says_so(open_page: Opener, tmp_path: Path, how: str) -> None:
    make_release(tmp_path, "1")
    damage(tmp_path, how)
    app = open_page(tmp_path)
    assert [title.value for title in app.title] == ["The database cannot be read"]
    assert "python \\-m core build" in app.error[0].value or "git" in app.error[0].value
    assert "git checkout -- precomputed" in app.main.markdown[0].value
    assert not app.exception


@pytest.mark.parametrize("page", PAGES[1:])
def test_every_page_says_that_the_release_is_broken(open_page: Opener, tmp_path: Path, page: str) -> None:
    app = open_page(tmp_path, page)
    if page == "predict":
        next(button for button in app.button if button.label == "Try an example").click().run()
    assert "The database cannot be read" in [title.value for title in app.title]
    assert not app.exception


def test_a_restored_release_comes_back_without_a_restart(
    open_page: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(tmp_path)
    make_release(tmp_path, "1")
    app.run()
    assert [title.value for title in app.title] == ["Screen"]


def hostile_release(folder: Path) -> None:
    crystal = replace(crystals()[1], formula=HOSTILE, source=HOSTILE, spacegroup=HOSTILE)
    with ReleaseWriter(folder) as writer:
        made_by = writer.add_provenance(Provenance(kind="test", model_name=HOSTILE, model_sha256="0" * 64))
        writer.add_candidates([crystal], working_ion="Mg", provenance_id=made_by)
        row = VoltagePrediction(
            id=crystal.id, formula=HOSTILE, working_ion="Mg", voltage_v=1.0, voltage_std_v=0.3, voltage_low_v=0.5,
            voltage_high_v=1.5, in_domain=True,
        )  # fmt: skip
        writer.add_voltage_predictions([row], provenance_id=made_by)
        writer.publish(model_name=HOSTILE, model_sha256="0" * 64)


def live_markup(app: AppTest) -> list[str]:
    """Every tag or link that the browser would act on: what no backslash or entity disarms."""
    kinds = (app.markdown, app.caption, app.title, app.subheader, app.info, app.warning, app.error)
    html = [element.proto.body for element in app.get("html")]
    charts = [chart.proto.spec for chart in app.get("plotly_chart")]
    found = [hit for text in (*html, *charts) for hit in re.findall(r"<(?:img|script)", text)]
    for kind in kinds:
        for element in kind:
            found += re.findall(r"(?<!\\)<(?:img|script)|(?<!\\)\]\(javascript", element.value)
    return found


@pytest.mark.parametrize("page", [None, "candidate", "distribution", "about"])
def test_html_in_the_data_stays_text(open_page: Opener, tmp_path: Path, page: str | None) -> None:
    hostile_release(tmp_path)
    app = open_page(tmp_path, page, v="0", q="0", all="1", id="mp-1")
    assert not app.exception and live_markup(app) == []


def test_markup_is_escaped() -> None:
    assert "<" not in safe_html(HOSTILE) and "&lt;img" in safe_html(HOSTILE)
    for mark in "<[]($:":
        assert f"\\{mark}" in safe(HOSTILE) or mark not in HOSTILE


@pytest.mark.parametrize("text", ["'; DROP TABLE candidates; --", "%' OR '1'='1", "\\", "\u202e<b>", "_%_"])
def test_sql_in_the_search_box_finds_nothing(open_page: Opener, tmp_path: Path, text: str) -> None:
    make_release(tmp_path, "1")
    app = open_page(tmp_path, find=text)
    assert app.metric[1].value == "0" and not app.exception and not app.error
    assert open_page(tmp_path).metric[1].value == app.metric[0].value != "0"


def test_sql_and_html_in_the_link(open_page: Opener, tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    for id in ("'; DROP TABLE candidates; --", "<script>alert(1)</script>", "../../etc/passwd", "x" * 500):
        assert not open_page(tmp_path, id=id).exception
        page = open_page(tmp_path, "candidate", id=id)
        assert not page.exception and live_markup(page) == []


def test_line_breaks_in_a_link_cannot_forge_what_is_said_of_a_download() -> None:
    query = parse_query({"find": "a\n# release: forged", "id": "mp-1\n# model: forged"})
    assert query.selected is None and "\n" not in filter_words(query)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("POSCAR.exe", b"MZ\x90\x00"),
        ("../../../etc/passwd", b"root:x:0:0"),
        ("picture.cif", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("big.cif", b"data_x\n" + b"#" * 2_100_000),
        ("class.json", b'{"@module": "os", "@class": "system", "cmd": "true"}'),
        ("empty.cif", b""),
    ],
)
def test_odd_uploads_are_refused_with_a_reason(name: str, data: bytes) -> None:
    result = predict_upload(name, data, "Mg", lambda: pytest.fail("nothing to predict"))
    assert result.crystal is None and result.error
    assert "Traceback" not in result.error and len(result.error) < 600


def test_no_module_of_the_app_keeps_mutable_state() -> None:
    """What one tab does must not be seen by another: only constants, named as such, stand at module level."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict | ast.List | ast.Set):
                names = [ast.unparse(target) for target in node.targets]
                assert all(name.isupper() for name in names), f"{path.name}:{node.lineno}: {names}"
        assert not any(isinstance(node, ast.Global) for node in ast.walk(tree)), path.name


def test_two_sessions_do_not_mix(open_page: Opener, tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    first = open_page(tmp_path, v="1")
    second = open_page(tmp_path, v="2")
    first.slider(key="voltage_v_slider").set_value(1.5).run()
    second.run()
    assert second.slider(key="voltage_v_slider").value == 2.0
    assert first.query_params["v"] == "1.5"


def test_server_settings_hold() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["enableCORS"] and config["server"]["enableXsrfProtection"]
    assert config["server"]["maxUploadSize"] <= 3
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False


def test_a_fault_in_a_page_shows_no_details(
    open_page: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /home/someone")

    monkeypatch.setattr("app.theme.page_header", broken)
    make_release(tmp_path, "1")
    app = open_page(tmp_path)
    assert not app.exception and "fault in the explorer" in app.error[0].value
    assert "secret" not in app.error[0].value
    assert "secret path" in caplog.text  # the log has it


@pytest.mark.parametrize("page", PAGES)
def test_works_without_network_key_and_gpu(
    open_page: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str | None
) -> None:
    import socket

    def refused(*_: object, **__: object) -> None:
        raise OSError("no network")

    for name in ("MP_API_KEY", "PMG_MAPI_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(socket.socket, "connect", refused)
    make_release(tmp_path, "1")
    app = open_page(tmp_path, page)
    assert not app.exception and "fault in the explorer" not in "".join(error.value for error in app.error)
