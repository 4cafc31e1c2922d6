"""The Predict page: uploads, the example, refusals, many files at once."""

import io
from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.service.predict import COLUMNS, MAX_UPLOADS, rows_csv
from tests.app.structures import MGMNO2_POSCAR, MGO_CIF, NACL_POSCAR

Opener = Callable[..., AppTest]


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader(key="predict_files").set_value([(name, data, "text/plain") for name, data in files])
    return app.run()


def words(app: AppTest) -> str:
    kinds = (app.error, app.success, app.info, app.warning, app.subheader, app.caption, app.markdown)
    return "\n".join(element.value for kind in kinds for element in kind)


def test_empty_page_invites(open_page: Opener) -> None:
    app = open_page("predict")
    assert not app.exception and "Upload a structure" in app.info[0].value


def test_upload_gets_voltage_capacity_and_verdict(open_page: Opener) -> None:
    app = upload(open_page("predict"), ("POSCAR_MgMnO2", MGMNO2_POSCAR))
    assert not app.exception and not app.error
    assert "MgMnO₂" in words(app)
    voltage, volume, mass = [metric.value for metric in app.metric]
    assert voltage.endswith(" V") and volume == "2,059 Ah/L" and mass == "482 mAh/g"
    assert "**Not known:** " in words(app) and "host survives" in words(app)
    assert "Probability" in words(app) and "redox-limited capacity" in words(app)
    offered = [button.label for button in app.button]
    assert {"Relax both ends", "Compute the curve"} <= set(offered)
    assert len(app.get("bidi_component")) == 1


def test_a_structure_without_a_redox_metal_is_no_cathode(open_page: Opener) -> None:
    app = upload(open_page("predict"), ("mgo.cif", MGO_CIF))
    assert "no cathode" in words(app) and "**Against:** no redox metal" in words(app)
    assert "Probability 0 %" in words(app) and app.metric[1].delta == "redox-limited 0 Ah/L"


def test_example_comes_from_the_release(open_page: Opener) -> None:
    app = open_page("predict")
    next(button for button in app.button if button.label == "Try an example").click().run()
    assert "MgMn₂O₄" in words(app) and "1,113 Ah/L" in [metric.value for metric in app.metric]


def test_refusal_names_the_reason_and_the_remedy(open_page: Opener) -> None:
    app = upload(open_page("predict"), ("page.cif", b"<html><body>not a structure</body></html>"))
    assert "page.cif" in app.error[0].value.replace("\\", "") and "refused" in app.error[0].value
    assert not app.metric


def test_structure_without_the_ion_is_drawn_but_not_predicted(open_page: Opener) -> None:
    app = upload(open_page("predict"), ("nacl.vasp", NACL_POSCAR))
    assert "holds no Mg" in app.error[0].value.replace("\\", "")
    app.selectbox(key="predict_ion").set_value("Na").run()
    assert not app.error and app.metric[0].label == "Average voltage against Na"


def test_several_files_give_a_table_and_the_columns_of_the_command(open_page: Opener) -> None:
    files = [("a.vasp", MGMNO2_POSCAR), ("b.cif", MGO_CIF), ("c.cif", b"nothing of use")]
    app = upload(open_page("predict"), *files)
    table = app.dataframe[0].value
    assert table["file"].tolist() == ["a.vasp", "b.cif", "c.cif"]
    assert table["error"].notna().tolist() == [False, False, True]
    assert "1 refused" in words(app)
    results = list(app.session_state["predict_results"].values())
    rows = pd.read_csv(io.StringIO(rows_csv(it.row for it in results)))
    assert rows.columns.tolist() == list(COLUMNS) and len(rows) == 3


def test_a_missing_model_is_a_sentence(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.errors import ModelError

    def absent() -> None:
        raise ModelError("default.json is missing; restore it from git.")

    monkeypatch.setattr("app.state.voltage_model", absent)
    app = upload(open_page("predict"), ("a.vasp", MGMNO2_POSCAR))
    assert "restore it from git" in words(app).replace("\\", "") and not app.exception


@pytest.mark.slow
def test_more_files_than_allowed_are_cut_and_said(open_page: Opener) -> None:
    files = [(f"{number}.html", b"<html>") for number in range(MAX_UPLOADS + 1)]
    app = upload(open_page("predict"), *files)
    assert str(MAX_UPLOADS) in app.warning[0].value
    assert len(app.dataframe[0].value) == MAX_UPLOADS
