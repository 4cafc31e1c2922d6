"""The reference data's readers, on a miniature of the data set and, where it is there, on the real one."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from core.errors import SourceError
from core.sources import reference

CELL = {
    "lattice": [[0, 2.105, 2.105], [2.105, 0, 2.105], [2.105, 2.105, 0]],
    "species": ["Mg", "O"],
    "frac": [[0, 0, 0], [0.5, 0.5, 0.5]],
}
TABLE = """id,source,formula,spacegroup,e_above_hull,duplicate
mp-1,MP(3DSC),MgO,Fm-3m,0.01,False
mp-2,MP(3DSC),MgO,Fm-3m,,True
gnome-3,GNoME(Energy-GNoME),MgO,Fm-3m,,False
mp-4,MP(3DSC),MgO,Fm-3m,,False
mp-5,MP(3DSC),MgO,Fm-3m,,False
"""
ELECTRODES = """battery_id,working_ion,average_voltage,formula_discharge,formula_charge,id_discharge,id_charge,\
host_formula,voltage_check,capacity_grav_mAh_g,capacity_vol_Ah_L
mp-1_Mg,Mg,{voltage},MgO,O,mp-1,,O,ok,100.5,
"""


def write_structures(path: Path, *rows: dict) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / reference.CANDIDATES).write_text(TABLE)
    (tmp_path / reference.ELECTRODES).write_text(ELECTRODES.format(voltage=2.5))
    rows = [{"id": id, "source": "MP(3DSC)", **CELL} for id in ("mp-1", "mp-2", "gnome-3")]
    write_structures(
        tmp_path / reference.CANDIDATE_STRUCTURES, *rows, {"id": "mp-4", **CELL, "species": ["Mg"]}
    )
    write_structures(tmp_path / reference.ELECTRODE_STRUCTURES, *rows[:2])
    return tmp_path


def test_candidates_are_folded_and_what_is_left_out_has_a_reason(data_dir: Path) -> None:
    candidates, skipped = reference.read_candidates(data_dir)
    assert [(item.id, item.license) for item in candidates] == [
        ("mp-1", "CC BY 4.0"),
        ("gnome-3", "CC BY-NC 4.0"),
    ]
    assert (candidates[0].spacegroup, candidates[0].e_above_hull_ev_per_atom) == ("Fm-3m", 0.01)
    assert candidates[1].e_above_hull_ev_per_atom is None and candidates[1].source == "GNoME(Energy-GNoME)"
    reasons = {item.id: item.reason for item in skipped}
    assert set(reasons) == {"mp-2", "mp-4", "mp-5"}
    assert (reasons["mp-2"], reasons["mp-5"]) == (reference.DUPLICATE, reference.NO_STRUCTURE)
    assert "numbers" in reasons["mp-4"]


def test_electrodes_and_their_structures(data_dir: Path) -> None:
    (electrode,) = reference.read_electrodes(data_dir)
    assert (electrode.average_voltage_v, electrode.capacity_grav_mah_per_g) == (2.5, 100.5)
    assert electrode.capacity_vol_ah_per_l is None and electrode.id_charge == ""
    assert set(reference.read_electrode_structures(data_dir)) == {"mp-1", "mp-2"}


@pytest.mark.parametrize(
    ("voltage", "said"), [("", "no average_voltage"), ("high", "number"), ("nan", "finite")]
)
def test_a_label_that_is_no_number_is_refused(data_dir: Path, voltage: str, said: str) -> None:
    (data_dir / reference.ELECTRODES).write_text(ELECTRODES.format(voltage=voltage))
    with pytest.raises(SourceError, match=said):
        reference.read_electrodes(data_dir)


def test_a_damaged_line_of_the_data_set_is_named(data_dir: Path) -> None:
    path = data_dir / reference.ELECTRODE_STRUCTURES
    write_structures(path, {"id": "mp-9", **CELL, "frac": []})
    with pytest.raises(SourceError, match=r"mp-9.*copy the data set again"):
        reference.read_electrode_structures(data_dir)


def test_a_missing_column_is_named(data_dir: Path) -> None:
    (data_dir / reference.CANDIDATES).write_text("id,source\nmp-1,MP\n")
    with pytest.raises(SourceError, match="no column 'duplicate'"):
        reference.read_candidates(data_dir)


@pytest.mark.parametrize(
    "read", [reference.read_candidates, reference.read_electrodes, reference.read_electrode_structures]
)
def test_an_absent_folder_names_path_and_remedy(tmp_path: Path, read) -> None:
    with pytest.raises(SourceError, match=r"nowhere.*MGC_DATA"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("source", "license"), [("GNoME", "CC BY-NC 4.0"), ("MP-battery(x)", "CC BY 4.0"), ("file", "unknown")]
)
def test_licences(source: str, license: str) -> None:
    assert reference.license_of(source) == license


def test_the_real_candidates(reference_data: Path) -> None:
    candidates, skipped = reference.read_candidates(reference_data)
    assert len(candidates) == 3128 and len({item.id for item in candidates}) == 3128
    assert Counter(item.reason for item in skipped) == {reference.DUPLICATE: 171}
    assert all(item.count("Mg") and item.spacegroup for item in candidates)
    assert all((item.license == "CC BY-NC 4.0") == item.id.startswith("gnome-") for item in candidates)


def test_the_real_electrodes(reference_data: Path) -> None:
    electrodes = reference.read_electrodes(reference_data)
    structures = reference.read_electrode_structures(reference_data)
    assert len(electrodes) == 3504 and len(structures) == 6740
    assert Counter(item.working_ion for item in electrodes)["Mg"] == 347
