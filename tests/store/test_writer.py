"""The writer: what it refuses, what it leaves behind, and how releases follow each other."""

import errno
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidRowError, RecordError, StoreWriteError
from core.provenance import Provenance
from core.records import Capacity
from core.settings import ROOT
from core.store import (
    Filters,
    ReleaseWriter,
    current_version,
    draft,
    next_version,
    open_reader,
    prune,
    read_manifest,
)
from core.store.rows import calculation_row, prediction_row
from tests.store.small_release import (
    MODEL_SHA256,
    conductivity,
    conductivity_calculation,
    crystals,
    electrode,
    fill,
    make_release,
    prediction,
    spinel,
)


def files(folder: Path) -> list[str]:
    """What lies in a folder, but for the file that the lock is on."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_publish_leaves_a_release_and_a_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "precomputed"
    written = make_release(folder)
    assert files(folder) == ["manifest.json", "release-1.duckdb"]
    manifest = read_manifest(folder)
    assert manifest.size_bytes == (folder / manifest.file).stat().st_size
    with open_reader(folder) as reader:
        assert reader.release == written


def test_versions_count_the_releases_of_a_day(tmp_path: Path) -> None:
    assert next_version(tmp_path).endswith("-1")
    today = next_version(tmp_path).removesuffix("-1")
    for number in (1, 2, 3):
        with ReleaseWriter(tmp_path) as writer:
            fill(writer)
            assert writer.publish().version == current_version(tmp_path) == f"{today}-{number}"
    prune(tmp_path, keep=1)
    assert next_version(tmp_path) == f"{today}-4"
    (tmp_path / "previous" / f"release-{today}-7.duckdb").touch()
    (tmp_path / "release-20261122T173332Z.duckdb").touch()
    assert next_version(tmp_path) == f"{today}-8"


def test_without_publish_nothing_stays(tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    before = files(tmp_path)
    with pytest.raises(KeyboardInterrupt), ReleaseWriter(tmp_path, version="2") as writer:
        fill(writer)
        raise KeyboardInterrupt
    assert files(tmp_path) == before
    assert current_version(tmp_path) == "1"


def test_a_release_is_never_overwritten(tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    with pytest.raises(StoreWriteError, match="never overwritten"):
        make_release(tmp_path, "1")
    with open_reader(tmp_path) as reader:
        assert len(reader.screen()) == 5


@pytest.mark.parametrize("version", ["../x", "a b", "", "x" * 61])
def test_version_must_be_a_file_name(tmp_path: Path, version: str) -> None:
    if version == "":
        assert ReleaseWriter(tmp_path, version=version).version
        return
    with pytest.raises(StoreWriteError, match="cannot name a file"):
        ReleaseWriter(tmp_path, version=version)


def test_writer_must_be_entered(tmp_path: Path) -> None:
    with pytest.raises(StoreWriteError, match="not open for writing"):
        fill(ReleaseWriter(tmp_path))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        ReleaseWriter(tmp_path, version="1"),
        pytest.raises(StoreWriteError, match="Another process is writing"),
    ):
        make_release(tmp_path, "2")
    make_release(tmp_path, "2")


def test_extend_adds_to_the_current_release(tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    with ReleaseWriter(tmp_path, version="2", extend=True) as writer:
        made_by = writer.add_provenance(Provenance(kind="mlmd"))
        writer.add_conductivities([conductivity("run-1", "mp-2")], provenance_id=made_by)
        release = writer.publish()
    assert release.counts["conductivities"] == release.counts["calculations"] == 1
    assert (release.model_name, release.model_sha256) == ("test", MODEL_SHA256)
    with open_reader(tmp_path) as reader:
        frame = reader.screen(Filters()).set_index("id")
        assert len(frame) == 5
        assert frame.sigma_ms_per_cm["mp-2"] == 150.0
        assert frame.sigma_temperature_k["mp-2"] == 1200.0
        assert frame.sigma_ms_per_cm.notna().sum() == 1
        assert reader.provenance(made_by)["kind"] == "mlmd"


def test_an_extended_release_does_not_grow_by_what_it_copies(tmp_path: Path) -> None:
    """A file that is copied and written into only ever grows; rows copied into a new one take their room once."""
    make_release(tmp_path, "1")
    sizes = [read_manifest(tmp_path).size_bytes]
    for version in "234":
        with ReleaseWriter(tmp_path, version=version, extend=True) as writer:
            writer.publish()
        sizes.append(read_manifest(tmp_path).size_bytes)
    assert sizes[1] == sizes[2] == sizes[3]


def test_a_release_is_extended_while_this_process_reads_it(tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    with open_reader(tmp_path) as reader:
        with ReleaseWriter(tmp_path, version="2", extend=True) as writer:
            writer.publish()
        prune(tmp_path)
        assert len(reader.screen()) == 5
        with open_reader(tmp_path) as newer:
            assert newer.screen().equals(reader.screen())


def test_the_shown_conductivity_is_one_a_candidate(tmp_path: Path) -> None:
    limit = {"verdict": "upper limit", "d_cm2_per_s": None, "sigma_ms_per_cm": None, "d_low_cm2_per_s": None,
             "sigma_low_ms_per_cm": None}  # fmt: skip
    nothing = limit | {"d_high_cm2_per_s": None, "sigma_high_ms_per_cm": None}
    with ReleaseWriter(tmp_path) as writer:
        made_by = fill(writer)
        runs = [
            conductivity("hot", "mp-2", temperature_k=1500.0, sigma_ms_per_cm=290.0),
            conductivity("paper", "mp-2"),
            conductivity("longer", "mp-2", simulated_ps=300.0, sigma_ms_per_cm=160.0),
            conductivity("melted", "mp-1", **(nothing | {"verdict": "framework melted"})),
            conductivity("cold", "mp-1", temperature_k=800.0, **limit),
            conductivity("moving", "gnome-3", sigma_ms_per_cm=80.0),
            conductivity("bounded", "gnome-3", simulated_ps=300.0, **limit),
        ]
        writer.add_conductivities(runs, provenance_id=made_by)
        writer.publish()
    with open_reader(tmp_path) as reader:
        frame = reader.screen().set_index("id")
        assert len(frame) == 5
        assert frame.sigma_ms_per_cm.dropna().to_dict() == {"mp-2": 160.0}
        assert frame.sigma_verdict["gnome-3"] == "upper limit"
        assert frame.sigma_verdict["mp-1"] == "upper limit"
        assert frame.sigma_high_ms_per_cm["mp-1"] == 300.0
        assert len(reader.conductivities()) == len(runs)
        assert reader.conductivities("mp-2").temperature_k.tolist() == [1500.0, 1200.0, 1200.0]


def test_a_release_is_extended_under_the_views_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = draft._VIEWS
    older = tmp_path / "older.sql"
    older.write_text(ours.read_text().replace("simulated_ps DESC", "simulated_ps ASC"))
    runs = [
        conductivity("short", "mp-2"),
        conductivity("long", "mp-2", simulated_ps=300.0, sigma_ms_per_cm=160.0),
    ]
    for views, version, shown in ((older, "1", 150.0), (ours, "2", 160.0)):
        monkeypatch.setattr(draft, "_VIEWS", views)
        with ReleaseWriter(tmp_path, version=version, extend=version == "2") as writer:
            if version == "1":
                writer.add_conductivities(runs, provenance_id=fill(writer))
            writer.publish()
        with open_reader(tmp_path) as reader:
            assert reader.screen().sigma_ms_per_cm.dropna().tolist() == [shown]


def test_old_readers_keep_their_release(tmp_path: Path) -> None:
    make_release(tmp_path, "1")
    with open_reader(tmp_path) as old:
        make_release(tmp_path, "2")
        assert prune(tmp_path, keep=1) == [tmp_path / "previous" / "release-1.duckdb"]
        assert old.release.version == "1" != current_version(tmp_path)
        assert len(old.screen()) == 5
        with open_reader(tmp_path) as new:
            assert new.release.version == "2"
            assert len(new.screen()) == 5


def test_prune_keeps_the_newest_where_git_does_not_look(tmp_path: Path) -> None:
    for version in "123":
        make_release(tmp_path, version)
    assert [path.name for path in prune(tmp_path)] == ["release-1.duckdb"]
    assert files(tmp_path) == ["manifest.json", "previous", "release-3.duckdb"]
    assert files(tmp_path / "previous") == ["release-2.duckdb"]
    assert prune(tmp_path) == []
    with pytest.raises(StoreWriteError, match="keep=0"):
        prune(tmp_path, keep=0)
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/precomputed/previous/" in ignored and "/precomputed/.lock" in ignored


def test_prune_says_when_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    make_release(tmp_path, "1")
    make_release(tmp_path, "2")
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StoreWriteError, match="Permission denied"):
        prune(tmp_path, keep=1)


def bad_rows() -> dict[str, tuple[str, list[Any], str]]:
    """Rows that a careless caller could hand over: (method, rows, what the message names)."""
    good = prediction_row(prediction(crystals()[2]), "test")
    sound = calculation_row(conductivity_calculation("r", "mp-2"))
    label = asdict(electrode("b", "x"))
    return {
        "nan voltage": ("voltage_predictions", [good | {"voltage_v": math.nan}], "voltage_v"),
        "infinite spread": ("voltage_predictions", [good | {"voltage_std_v": math.inf}], "voltage_std_v"),
        "voltage in mV": ("voltage_predictions", [good | {"voltage_v": 3200.0}], "voltage_v"),
        "interval upside down": ("voltage_predictions", [good | {"voltage_low_v": 5.0}], "voltage_low_v"),
        "neither voltage nor error": ("voltage_predictions", [good | {"voltage_v": None}], "error"),
        "unknown candidate": ("voltage_predictions", [good | {"id": "mp-404"}], "foreign key"),
        "twice": ("voltage_predictions", [good, good], "uplicate key"),
        "key of another form": ("calculations", [sound | {"key": "r"}], "key"),
        "name of another form": ("calculations", [sound | {"name": "r r"}], "name"),
        "no verdict": ("calculations", [sound | {"verdict": None}], "verdict"),
        "about nothing": ("calculations", [sound | {"subject_id": "mp-404"}], "foreign key"),
        "no JSON": ("calculations", [sound | {"result": "{"}], "JSON"),
        "no file": ("calculation_files", [{"key": "0" * 64, "name": "a", "content": b""}], "foreign key"),
        "nan label": ("electrodes", [label | {"average_voltage_v": math.nan}], "average_voltage_v"),
        "text as number": ("electrodes", [label | {"average_voltage_v": "high"}], "high"),
        "no unit in the name": (
            "electrodes",
            [{"battery_id": "b", "average_voltage": 1.0}],
            "average_voltage",
        ),
        "mixed types": ("electrodes", [{"battery_id": "b"}, {"battery_id": 1.5}], "float"),
    }


@pytest.mark.parametrize("name", bad_rows())
def test_schema_refuses(tmp_path: Path, name: str) -> None:
    """The records refuse most of these already; the schema is the second fence."""
    table, rows, words = bad_rows()[name]
    with pytest.raises(InvalidRowError, match=words), ReleaseWriter(tmp_path) as writer:
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_candidates(crystals(), working_ion="Mg", provenance_id=made_by)
        writer._insert(table, rows, None if table == "calculation_files" else made_by)
    assert files(tmp_path) == []


def test_every_row_needs_provenance(tmp_path: Path) -> None:
    with ReleaseWriter(tmp_path) as writer, pytest.raises(InvalidRowError, match="foreign key"):
        writer.add_candidates(crystals(), working_ion="Mg", provenance_id="nobody")
    with ReleaseWriter(tmp_path) as writer, pytest.raises(InvalidRowError, match=r"NOT NULL.*provenance_id"):
        writer._insert("skipped", [{"id": "a", "reason": "b"}])
    assert files(tmp_path) == []


def test_capacity_rows_are_checked(tmp_path: Path) -> None:
    too_much = Capacity(
        capacity_vol_ah_per_l=100.0, capacity_grav_mah_per_g=30.0, capacity_redox_vol_ah_per_l=200.0,
        capacity_redox_grav_mah_per_g=20.0,
    )  # fmt: skip
    with (
        pytest.raises(InvalidRowError, match="capacity_redox_vol_ah_per_l"),
        ReleaseWriter(tmp_path) as writer,
    ):
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_candidates(crystals(), working_ion="Mg", provenance_id=made_by)
        writer.add_capacities({"mp-1": too_much}, provenance_id=made_by)


def test_structures_with_nan_are_refused(tmp_path: Path) -> None:
    """A crystal cannot hold NaN; the schema still checks what stands in for one."""
    sound = spinel()
    frac = sound.frac.copy()
    frac[3, 1] = np.nan
    broken = replace(sound, id="x")
    object.__setattr__(broken, "frac", frac)
    with pytest.raises(InvalidRowError, match="frac"), ReleaseWriter(tmp_path) as writer:
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_candidates([broken], working_ion="Mg", provenance_id=made_by)


def test_bad_ids_are_refused(tmp_path: Path) -> None:
    sound = crystals()[1]
    object.__setattr__(sound, "id", "<script>")
    with pytest.raises(InvalidRowError, match="regexp_full_match"), ReleaseWriter(tmp_path) as writer:
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_candidates([sound], working_ion="Mg", provenance_id=made_by)


def test_provenance_is_added_once(tmp_path: Path) -> None:
    with ReleaseWriter(tmp_path) as writer:
        provenance = Provenance(kind="test")
        assert writer.add_provenance(provenance) == writer.add_provenance(provenance) == provenance.id
        assert writer.add_skipped([], provenance_id=provenance.id) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": "fine"}, "none of diffusive"),
        ({"verdict": "too short"}, "only that has one"),
        ({"sigma_ms_per_cm": None}, "only that has one"),
        ({"sigma_high_ms_per_cm": math.nan}, "sigma_high_ms_per_cm is nan"),
        ({"sigma_low_ms_per_cm": -1.0}, "sigma_low_ms_per_cm is -1.0"),
        ({"temperature_k": -73.0}, "temperature_k is -73.0; from 1 to 10000"),
        ({"n_working_ions": 0}, "n_working_ions is 0"),
        ({"simulated_ps": math.inf}, "simulated_ps is inf"),
        ({"d_cm2_per_s": None}, "a diffusive run has a diffusivity"),
        ({"d_cm2_per_s": 1e-4}, "not within its interval"),
        ({"sigma_low_ms_per_cm": 200.0}, "not within its interval"),
        ({"teacher_force_mae_ev_per_a": 2000.0}, "teacher_force_mae_ev_per_a"),
    ],
)
def test_conductivity_record_refuses(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RecordError, match=words):
        conductivity("r", "mp-1", **changes)
