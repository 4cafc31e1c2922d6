"""The Predict page: uploads, the example, refusals, many files at once."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.records import Crystal, VoltagePrediction
from core.service.predict import COLUMNS, MAX_UPLOADS, rows_csv
from core.service.relax_first import RelaxedFirst
from core.service.release import current_reader
from core.voltage.as_given import Strain
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


def unrelaxed_spinel() -> bytes:
    """MgMn2O4 of the release in a cell 11 % too small."""
    from pymatgen.io.vasp.inputs import Poscar

    crystal = current_reader().crystal("mp-32006")
    small = replace(crystal, lattice_a=0.89 * crystal.lattice_a)
    return str(Poscar(small.to_pymatgen())).encode()


def known_spinel() -> bytes:
    return current_reader().crystal("mp-32006").to_cif().encode()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def test_what_the_release_holds_is_shown_from_it_at_once(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.state.voltage_model", lambda: pytest.fail("no model is needed"))
    app = upload(open_page("predict"), ("mine.cif", known_spinel()))
    assert not app.exception and "The release holds this crystal" in words(app)
    row = current_reader().candidate("mp-32006")
    assert app.metric[0].value == f"{row['voltage_v']:.2f} V"
    assert app.get("page_link")[0].proto.query_string == "id=mp-32006"
    assert "Predict anew" in [button.label for button in app.button]


def test_results_are_there_when_one_comes_back_until_they_are_cleared(open_page: Opener) -> None:
    app = upload(open_page("predict"), ("mine.cif", known_spinel()), ("page.cif", b"<html>"))
    app.switch_page("views/screen.py").run()
    app.switch_page("views/predict.py").run()
    assert app.dataframe[0].value["file"].tolist() == ["mine.cif", "page.cif"]
    assert "kept while this browser tab is open" in words(app)
    press(app, "Clear")
    assert "Upload a structure" in app.info[0].value and not app.metric


def test_a_file_taken_out_by_hand_is_gone(open_page: Opener) -> None:
    app = upload(open_page("predict"), ("mine.cif", known_spinel()))
    app.file_uploader(key="predict_files").set_value([])
    assert "Upload a structure" in app.run().info[0].value


def test_an_unrelaxed_upload_is_warned_of_and_relaxed_on_demand(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.state.voltage_model", lambda: Sees(4.0, 119.2))
    monkeypatch.setattr("core.service.predict.relax_first", relaxed_by_hand)
    app = upload(open_page("predict"), ("POSCAR", unrelaxed_spinel()))
    told = words(app).replace("\\", "")
    assert "Out of domain: largest force 4.0 eV/angstrom as given: not relaxed; cell under +119 GPa" in told
    assert "relax it first" in told
    press(app, "Relax first, then predict")
    assert "Relaxed first by toy: volume +41.9%" in words(app).replace("\\", "")
    assert "As uploaded it is under +119.2 GPa" in words(app)
    press(app, "Predict as uploaded")
    assert "Relaxed first" not in words(app)


class Sees:
    """A model that sees 2.2 V and a strain, out of domain for it as the real one would be."""

    def __init__(self, force_ev_per_a: float, pressure_gpa: float) -> None:
        self.strain = Strain(force_ev_per_a=force_ev_per_a, pressure_gpa=pressure_gpa)

    def predict(self, crystals: Sequence[Crystal], ions: Sequence[str]) -> list[VoltagePrediction]:
        reasons = "; ".join(self.strain.reasons())
        return [
            VoltagePrediction(
                id=it.id, formula=it.formula, working_ion=ion, voltage_v=2.2, voltage_std_v=0.1, voltage_low_v=2.0,
                voltage_high_v=2.4, in_domain=not reasons, domain_reason=reasons or None, model="sees",
                start_force_ev_per_a=self.strain.force_ev_per_a, start_pressure_gpa=self.strain.pressure_gpa,
            )
            for it, ion in zip(crystals, ions, strict=True)
        ]  # fmt: skip


def relaxed_by_hand(crystal: Crystal, **_: object) -> RelaxedFirst:
    return RelaxedFirst(
        crystal=replace(crystal, lattice_a=crystal.lattice_a / 0.89), potential="toy", volume_change=0.419,
        start_force_ev_per_a=4.0, start_pressure_gpa=119.2, n_steps=15,
    )  # fmt: skip
