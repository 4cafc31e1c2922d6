"""Paths of the command line: kinds of files, ids, working ions, folders."""

import json
from pathlib import Path

import pytest

from core.errors import StructureError
from core.records import Crystal, FailedInput
from core.sources.files import read_paths, read_structure_file

POSCAR = """rock salt
4.21
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
Mg O
1 1
Direct
0 0 0
0.5 0.5 0.5
"""
LINE = {
    "id": "one",
    "lattice": [[0, 2.105, 2.105], [2.105, 0, 2.105], [2.105, 2.105, 0]],
    "species": ["Mg", "O"],
    "frac": [[0, 0, 0], [0.5, 0.5, 0.5]],
}


def test_a_folder_is_read_to_its_ends_in_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("a.vasp", "a.poscar", "deep/POSCAR", ".hidden/b.vasp"):
        (tmp_path / name).write_text(POSCAR)
    (tmp_path / "README.txt").write_text("not a structure")
    (tmp_path / "c.json").write_text(json.dumps(LINE))
    (tmp_path / "set.jsonl").write_text(json.dumps(LINE | {"working_ion": "Ca"}) + "\n")
    items = list(read_paths([tmp_path], "Mg"))
    assert all(isinstance(item, Crystal) for item in items)
    assert [item.id for item in items] == ["a.poscar", "a.vasp", "c", "deep:POSCAR", "one"]
    assert [item.working_ion for item in items] == ["Mg"] * 4 + ["Ca"]


def test_what_is_not_there_fails_with_a_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.jsonl").write_text("\n")
    (tmp_path / "POSCAR_1").write_text(POSCAR)
    names = ("absent.cif", "empty", "blank.jsonl", "POSCAR_1")
    *failed, good = read_paths([tmp_path / name for name in names], "Zn")
    assert isinstance(good, Crystal) and good.working_ion == "Zn" and good.id == "POSCAR_1"
    assert [type(item) for item in failed] == [FailedInput] * 3
    reasons = [item.reason for item in failed if isinstance(item, FailedInput)]
    assert ["no file" in reasons[0], "no structure file" in reasons[1], "empty" in reasons[2]] == [True] * 3
    assert {item.working_ion for item in failed} == {"Zn"}


def test_kinds_are_told_by_content_where_the_name_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(json.dumps(LINE))
    (crystal,) = read_structure_file(tmp_path / "a.txt")
    assert crystal.formula == "MgO" and crystal.source == "file"


def test_json_lines_of_a_bad_line_raise_when_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    assert [item.id for item in read_structure_file(path)] == ["one"]
    path.write_text(json.dumps(LINE | {"frac": []}) + "\n")
    with pytest.raises(StructureError, match="one: `frac` must hold 2 x 3 numbers"):
        read_structure_file(path)


def test_cartesian_and_selective_poscar(tmp_path: Path) -> None:
    path = tmp_path / "CONTCAR"
    moved = POSCAR.replace("Direct", "Selective dynamics\nCartesian").replace("0 0 0\n", "0 0 0 T T F\n")
    path.write_text(moved.replace("0.5 0.5 0.5\n", "0.5 0.5 0.5 T T T\n"))
    (crystal,) = read_structure_file(path)
    assert crystal.frac[1] == pytest.approx([0.5, 0.5, 0.5])


@pytest.mark.parametrize("name", ["Mg_pv O", "Mg/474ac0d O/77d9987a"])
def test_symbols_of_pseudopotentials(tmp_path: Path, name: str) -> None:
    path = tmp_path / "POSCAR"
    path.write_text(POSCAR.replace("Mg O", name))
    assert read_structure_file(path)[0].species == ("Mg", "O")
