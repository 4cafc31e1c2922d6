"""The About page: it names method, licences, model and limits."""

import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.glossary import GLOSSARY
from core.store import open_reader

Opener = Callable[..., AppTest]


def words(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*(element.value for element in (*app.markdown, *app.subheader)), *html])


def test_names_method_data_model_and_versions(open_page: Opener, release_folder) -> None:
    app = open_page("about")
    assert not app.exception and not app.error
    text = words(app)
    assert "E_\\mathrm{charged}" in text and "44505" in text
    assert "CC BY-NC 4.0" in text and "CC BY 4.0" in text
    with open_reader(release_folder) as reader:
        release = reader.release
    assert release.version in text and release.sha256 in text
    assert "train-voltage" in text  # the command that makes the model
    assert re.search(r"<th scope=.row.>Seeds</th><td>\d", text)
    tables = [frame.value for frame in app.dataframe]
    assert "The potentials of molecular dynamics" in text and "force mae" in text and "eV/Å" in text
    assert "Few conductivities" in text or "No conductivity in this release" in text
    assert any("mae_v" in table and (table["mae_v"] > 0).all() for table in tables)


def test_tells_every_term_of_the_glossary(open_page: Opener) -> None:
    text = words(open_page("about"))
    assert [term.name for term in GLOSSARY if f"#### {term.name}\n{term.meaning}" not in text] == []
    assert "Shift and Space select its row" in text


def test_says_what_this_build_cannot_do(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    text = words(open_page("about"))
    assert "No GPU was found" in text and "Materials Project needs your own key" in text


def test_a_missing_model_is_said_and_the_rest_stays(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import ModelError

    def absent() -> None:
        raise ModelError("The weights are missing; restore them from git.")

    monkeypatch.setattr("app.state.voltage_model", absent)
    app = open_page("about")
    assert "restore them from git" in app.warning[0].value
    assert "CC BY-NC 4.0" in words(app)
