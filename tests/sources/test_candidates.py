"""Every source that `build --source` can name gives crystals, what was left out, and a hash of its data."""

from pathlib import Path

import pytest

from core.errors import SourceError
from core.sources.candidates import (
    Candidates,
    FileSource,
    GnomeSource,
    MaterialsProjectSource,
    ReferenceSource,
    candidate_source,
)
from tests.sources.test_gnome import ROCK_SALT, archive, table
from tests.sources.test_materials_project import KEY, endpoint, server

__all__ = ["archive", "endpoint", "server", "table"]  # fixtures


def test_materials_project(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MP_API_KEY", KEY)
    source = MaterialsProjectSource(element="Mg", endpoint=endpoint)
    reading = source.read()
    assert [it.id for it in reading.crystals] == ["mp-1221953", "mp-32006", "mp-3190001"]
    assert [it.id for it in reading.skipped] == ["mp-3190002"]
    assert source.read().sha256 == reading.sha256 and len(reading.sha256) == 64


def test_gnome(table: Path, archive: Path) -> None:
    reading = GnomeSource(folder=table.parent, element="Mg").read()
    assert [it.id for it in reading.crystals] == ["gnome-0a1b2c3d4e", "gnome-4444444444"]
    assert len(reading.skipped) == 3
    before = reading.sha256
    table.write_text(table.read_text() + "\n")
    assert GnomeSource(folder=table.parent, element="Mg").read().sha256 != before


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "good.cif").write_text(ROCK_SALT)
    (tmp_path / "bad.cif").write_text("nothing")
    reading = FileSource(path=tmp_path, working_ion="Mg").read()
    assert [it.id for it in reading.crystals] == ["good"] and [it.id for it in reading.skipped] == ["bad"]
    assert reading.crystals[0].source == "file" and reading.crystals[0].license == "unknown"
    (tmp_path / "bad.cif").unlink()
    assert FileSource(path=tmp_path, working_ion="Mg").read().sha256 == reading.sha256


def test_an_absent_file_names_the_choices(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="reference, mp, gnome, or a file or folder"):
        FileSource(path=tmp_path / "x.cif", working_ion="Mg").read()


def test_words_become_sources(tmp_path: Path) -> None:
    assert candidate_source("reference", data=tmp_path) == ReferenceSource(folder=tmp_path)
    assert candidate_source("mp", data=tmp_path, working_ion="Ca") == MaterialsProjectSource(element="Ca")
    assert candidate_source("gnome", data=tmp_path, gnome=tmp_path).name == "gnome"
    assert candidate_source("a/b.cif", data=tmp_path).name == "b.cif"
    with pytest.raises(SourceError, match="--gnome FOLDER"):
        candidate_source("gnome", data=tmp_path)


def test_reference(reference_data: Path) -> None:
    reading: Candidates = ReferenceSource(folder=reference_data).read()
    assert len(reading.crystals) == 3128 and len(reading.skipped) == 171
