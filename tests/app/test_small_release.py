"""The Screen page on a release of five crystals, one of which conducts and one of which has no prediction."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.store import ReleaseWriter
from tests.store.small_release import DATA_SHA256, MODEL_SHA256, conductivity, fill

Opener = Callable[..., AppTest]


@pytest.fixture
def open_small(open_page: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    with ReleaseWriter(tmp_path, version="1") as writer:
        made_by = fill(writer)
        writer.add_conductivities([conductivity("run-1", "mp-2")], provenance_id=made_by)
        writer.publish(model_name="test", model_sha256=MODEL_SHA256, data_sha256=DATA_SHA256)
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path))
    st.cache_resource.clear()
    st.cache_data.clear()
    return open_page


def test_conductivity_threshold_switches_on_with_the_first_value(open_small: Opener) -> None:
    app = open_small(v="1", q="100")
    slider = app.slider(key="sigma_ms_per_cm_slider")
    assert not slider.disabled and app.metric[4].value == "–"
    listed = app.dataframe[0].value
    assert "sigma_ms_per_cm" in listed and listed["sigma_ms_per_cm"].notna().any()
    slider.set_value(5.0).run()
    conducting = app.dataframe[0].value
    assert app.metric[4].value == str(len(conducting)) and (conducting["sigma_ms_per_cm"] > 5.0).all()


def test_candidate_without_a_prediction_is_summarised(open_small: Opener) -> None:
    app = open_small(v="0", q="0", all="1", id="gnome-4")
    assert not app.exception and not app.error
    assert "MgCu" in [heading.value for heading in app.subheader]
    assert len(app.dataframe[0].value) == 5


def test_only_candidates_without_a_prediction_is_a_sentence(open_small: Opener) -> None:
    app = open_small(find="gnome-4", q="0")
    assert not app.error and "Nothing to list" in app.info[0].value
