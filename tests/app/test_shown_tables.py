"""Tables of pages: their columns are quantities, and look as the quantities say."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.components.columns import column_config
from core.quantities import QUANTITIES
from tests.app.structures import MGMNO2_POSCAR

Opener = Callable[..., AppTest]


def several_files(app: AppTest) -> None:
    files = [("a.vasp", MGMNO2_POSCAR, "text/plain"), ("b.cif", b"nothing of use", "text/plain")]
    app.file_uploader(key="predict_files").set_value(files)
    app.run()


@pytest.mark.parametrize("page", [None, "predict", "distribution", "about"])
def test_every_column_of_a_page_is_a_quantity(open_page: Opener, page: str | None) -> None:
    app = open_page(page, v="1", q="300")
    if page == "predict":
        several_files(app)
    assert app.dataframe
    for table in app.dataframe:
        assert set(table.value.columns) <= set(QUANTITIES)
        shown = json.loads(table.proto.columns)
        assert all(shown[name]["label"] == QUANTITIES[name].head for name in table.value.columns)


def test_a_column_takes_words_and_format_from_its_quantity() -> None:
    names = ("label", "voltage_v", "p_percent", "in_domain", "n_candidates", "reason", "d_cm2_per_s")
    shown = column_config(names, pinned=("label",))
    assert tuple(shown) == names
    assert shown["label"]["pinned"] and not shown["voltage_v"]["pinned"]
    assert shown["voltage_v"]["label"] == "Voltage (V)"
    assert shown["voltage_v"]["help"] == QUANTITIES["voltage_v"].help
    formats = {name: shown[name]["type_config"].get("format") for name in names}
    assert formats["voltage_v"] == "%.2f" and formats["d_cm2_per_s"] == "%.2e"
    assert formats["n_candidates"] == "localized" and formats["p_percent"] == "%.0f %%"
    assert shown["in_domain"]["type_config"]["type"] == "checkbox" and shown["reason"]["width"] == "large"


def test_a_release_without_dynamics_shows_no_columns_of_it(open_page: Opener, small_release: Path) -> None:
    shown = open_page().dataframe[0].value.columns
    assert "voltage_v" in shown and not any(name.startswith("sigma_") for name in shown)
