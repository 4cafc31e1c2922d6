"""Calculations of any kind in a release: what is added comes back, and what is unsound is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InvalidRowError, UnknownCalculationError
from core.provenance import Provenance
from core.records import CalculationRecord
from core.store import ReleaseWriter, open_reader, read_manifest
from tests.store.small_release import (
    conductivity,
    conductivity_calculation,
    crystals,
    fill,
    make_release,
    spinel,
)


def toy(name: str = "toy-1", **changes: object) -> CalculationRecord:
    """A calculation of a kind that the store knows nothing of."""
    stated = {"format": 1, "kind": "toy", "version": 3}
    fields: dict[str, object] = {
        "key": f"{sum(map(ord, name)):064x}", "name": name, "kind": "toy", "version": 3, "subject_id": "mp-2",
        "formula": "MgMnO2", "working_ion": "Mg", "verdict": "done", "created": "2026-01-01T00:00:00+00:00",
        "spec": stated | {"steps": 10}, "result": stated | {"energy_ev": -1.25e-7, "path": [1, None, {"deep": "é"}]},
        "provenance": Provenance(kind="toy", seeds=(3, 4)), "files": {"path.npz": b"\x00\xff", "log.txt": b""},
    }  # fmt: skip
    return CalculationRecord(**(fields | changes))  # type: ignore[arg-type]


def test_a_calculation_comes_back_as_it_went_in(tmp_path: Path) -> None:
    asked = toy()
    with ReleaseWriter(tmp_path) as writer:
        fill(writer)
        assert writer.add_calculations([asked, toy("toy-2", subject_id="mp-1", files={})]) == 2
        release = writer.publish()
    assert release.counts["calculations"] == 2 and release.counts["conductivities"] == 0
    with open_reader(tmp_path) as reader:
        for name in (asked.name, asked.key):
            stored = reader.calculation(name)
            for field in CalculationRecord.__dataclass_fields__:
                assert getattr(stored, field) == getattr(asked, field), field
            assert reader.calculation_file(name, "path.npz") == b"\x00\xff"
            assert reader.calculation_file(name, "none") is None
        assert [it.name for it in reader.calculations()] == ["toy-2", "toy-1"]
        assert reader.calculations(subject_id="mp-2")[0].files == {}
        assert [it.name for it in reader.calculations("toy", "mp-1")] == ["toy-2"]
        assert reader.calculations("other") == []
        with pytest.raises(UnknownCalculationError, match="No calculation 'nobody'"):
            reader.calculation("nobody")


def test_what_a_release_holds_of_a_structure_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ReleaseWriter(tmp_path) as writer:
        fill(writer)
        writer.add_calculations([toy(), conductivity_calculation("run-1", "mp-2")])
        writer.publish()
    with open_reader(tmp_path) as reader:
        first, frame = reader.calculations(subject_id="mp-2"), reader.conductivities("mp-2")
        frame["id"] = "another"  # what a caller does to its frame is its own
        monkeypatch.setattr(reader, "_frame", lambda *_: pytest.fail("asked again"))
        monkeypatch.setattr(reader, "_calculations", lambda *_: pytest.fail("asked again"))
        assert reader.calculations(subject_id="mp-2") == first and len(first) == 2
        assert [it.name for it in reader.calculations("toy", "mp-2")] == ["toy-1"]
        assert reader.conductivities("mp-2")["id"].tolist() == ["mp-2"]


def test_the_manifest_tells_the_calculations(tmp_path: Path) -> None:
    make_release(tmp_path)
    assert read_manifest(tmp_path).calculations.count == 0
    digests = []
    for folder, names in ((tmp_path / "a", ("toy-1", "toy-2")), (tmp_path / "b", ("toy-2", "toy-1"))):
        with ReleaseWriter(folder) as writer:
            fill(writer)
            writer.add_calculations(map(toy, names))
            writer.publish()
        digests.append(read_manifest(folder).calculations)
    assert digests[0] == digests[1] and digests[0].count == 2


def test_conductivities_are_the_typed_view_of_their_kind(tmp_path: Path) -> None:
    pooled = conductivity_calculation("run-1", "mp-2", simulated_ps=18.0, atom_steps_per_s=5e3)
    with ReleaseWriter(tmp_path) as writer:
        fill(writer)
        writer.add_calculations([pooled, toy()])
        writer.publish()
    with open_reader(tmp_path) as reader:
        (row,) = reader.conductivities("mp-2").to_dict("records")
        expected = conductivity("run-1", "mp-2", simulated_ps=18.0, atom_steps_per_s=5e3)
        for name in expected.__dataclass_fields__:
            value = getattr(expected, name)
            assert row[name] == value or (value is None and row[name] != row[name]), name
        assert row["provenance_id"] == pooled.provenance.id
        assert reader.calculation("run-1").spec["runs"] == ["run-1-s0", "run-1-s1", "run-1-s2"]
        assert reader.candidate("mp-2")["sigma_ms_per_cm"] == 150.0


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (lambda: toy(subject_id="mp-404"), "foreign key"),
        (lambda: toy(result=toy().result | {"energy_ev": float("nan")}), "JSON"),
        (lambda: toy(result=toy().result | {"energy_ev": {1, 2}}), "JSON"),
        (lambda: _changed(verdict="upper limit"), "verdict or time differ"),
        (lambda: _changed(result={"temperature_k": -73.0}), "temperature_k is -73"),
        (lambda: _changed(result={"temperature_k": None}), "temperature_k"),
        (lambda: _changed(result={"sigma_low_ms_per_cm": -1.0}), "sigma_low_ms_per_cm"),
        (lambda: _changed(result={"verdict": "too short"}), "only that has one"),
        (lambda: _changed(result={"verdict": "fine"}), "none of diffusive"),
        (lambda: _changed(result={"n_seeds": "three"}), "n_seeds"),
    ],
)  # fmt: skip
def test_unsound_calculations_are_refused(tmp_path: Path, record, words: str) -> None:
    with pytest.raises(InvalidRowError, match=words), ReleaseWriter(tmp_path) as writer:
        fill(writer)
        writer.add_calculations([record()])
    assert not list(tmp_path.glob("release-*"))


def _changed(result: dict[str, object] | None = None, **changes: object) -> CalculationRecord:
    pooled = conductivity_calculation("run-1", "mp-2")
    return replace(pooled, result={**pooled.result, **(result or {})}, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "again", [toy(), toy("toy-9", key=toy().key), toy(key="f" * 64)], ids=["same", "key", "name"]
)
def test_keys_and_names_are_unique(tmp_path: Path, again: CalculationRecord) -> None:
    with pytest.raises(InvalidRowError, match="uplicate key"), ReleaseWriter(tmp_path) as writer:
        fill(writer)
        writer.add_calculations([toy()])
        writer.add_calculations([again])


def test_calculations_may_be_about_a_structure_that_is_no_candidate(tmp_path: Path) -> None:
    literature = replace(spinel(), id="MgSc2Se4", formula="MgSc2Se4")
    with ReleaseWriter(tmp_path) as writer:
        made_by = fill(writer)
        writer.add_structures([literature], origin="literature", provenance_id=made_by)
        writer.add_calculations([toy(subject_id="MgSc2Se4"), conductivity_calculation("run-1", "MgSc2Se4")])
        writer.publish()
    with open_reader(tmp_path) as reader:
        assert len(reader.calculations(subject_id="MgSc2Se4")) == 2
        assert len(reader.screen()) == len(crystals())
        assert reader.screen().sigma_ms_per_cm.isna().all()
