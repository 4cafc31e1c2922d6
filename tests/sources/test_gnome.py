"""GNoME's table and archive in miniature: the same columns and member names, made here."""

import zipfile
from pathlib import Path

import pytest

from core.errors import SourceError
from core.records import Crystal, Skipped
from core.sources.gnome import read_gnome
from core.sources.limits import MAX_INPUT_BYTES

HEADER = (
    ",Composition,MaterialId,Reduced Formula,Elements,NSites,Volume,Density,Point Group,Space Group,"
    "Space Group Number,Crystal System,Corrected Energy,Formation Energy Per Atom,Decomposition Energy Per Atom,"
    "Dimensionality Cheon,Bandgap,Is Train,Decomposition Energy Per Atom All,Decomposition Energy Per Atom Relative,"
    "Decomposition Energy Per Atom MP,Decomposition Energy Per Atom MP OQMD"
)
ROCK_SALT = """data_image0
_cell_length_a 2.977
_cell_length_b 2.977
_cell_length_c 2.977
_cell_angle_alpha 60
_cell_angle_beta 60
_cell_angle_gamma 60
_symmetry_space_group_name_H-M 'P 1'
loop_
 _symmetry_equiv_pos_as_xyz
 'x, y, z'
loop_
 _atom_site_type_symbol
 _atom_site_label
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
 Mg Mg0 0.0 0.0 0.0 1
 O O1 0.5 0.5 0.5 1
"""


def row(id: str, elements: str, hull: str = "-1.2e-16") -> str:
    return (
        f'0,Mg1O1,{id},MgO,"{elements}",2,18.7,3.6,m-3m,Fm-3m,225,cubic,-12.1,-3.0,-0.05,,4.4,True,'
        f"{hull},-0.1,-0.05,-0.05"
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [
        row("0a1b2c3d4e", "['Mg', 'O']"),
        row("1111111111", "['Mn', 'O']"),
        row("2222222222", "['Mg', 'O']"),
        row("../../evil", "['Mg', 'O']"),
        row("3333333333", "['Mg', 'O']"),
        row("4444444444", "['Mg', 'O']", hull="n/a"),
    ]
    path = tmp_path / "stable_materials_summary.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "by_id.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("by_id/0a1b2c3d4e.CIF", ROCK_SALT)
        members.writestr("by_id/2222222222.CIF", "<html>quota exceeded</html>")
        members.writestr("../../evil.CIF", ROCK_SALT)
        members.writestr("by_id/3333333333.CIF", b" " * (MAX_INPUT_BYTES + 1))
        members.writestr("by_id/4444444444.CIF", ROCK_SALT)
    return path


def test_magnesium_rows_become_crystals_and_the_rest_reasons(table: Path, archive: Path) -> None:
    items = list(read_gnome(table, archive))
    assert [item.id for item in items] == [
        "gnome-0a1b2c3d4e", "gnome-2222222222", "gnome-evil", "gnome-3333333333", "gnome-4444444444",
    ]  # fmt: skip
    first, page, evil, bomb, last = items
    assert isinstance(first, Crystal) and first.species == ("Mg", "O")
    assert (first.license, first.source, first.spacegroup) == ("CC BY-NC 4.0", "GNoME", "Fm-3m")
    assert first.e_above_hull_ev_per_atom == 0.0
    assert isinstance(page, Skipped) and "web page" in page.reason
    assert isinstance(evil, Skipped) and "no CIF of this id" in evil.reason
    assert isinstance(bomb, Skipped) and "more than 2,000,000 bytes" in bomb.reason
    assert isinstance(last, Crystal) and last.e_above_hull_ev_per_atom is None
    assert sorted(path.name for path in table.parent.iterdir()) == [
        "by_id.zip",
        "stable_materials_summary.csv",
    ]


def test_a_damaged_or_encrypted_member_is_skipped(table: Path, archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    start = data.index(b"by_id/0a1b2c3d4e.CIF") + len(b"by_id/0a1b2c3d4e.CIF")
    data[start : start + 40] = bytes(40)
    central = data.rindex(b"by_id/4444444444.CIF") - 46
    data[central + 8] |= 1
    archive.write_bytes(bytes(data))
    reasons = {item.id: item.reason for item in read_gnome(table, archive) if isinstance(item, Skipped)}
    assert "damaged in the archive" in reasons["gnome-0a1b2c3d4e"]
    assert "encrypted" in reasons["gnome-4444444444"]


def test_absent_or_foreign_files_are_named(table: Path, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.zip cannot be read"):
        list(read_gnome(table, tmp_path / "absent.zip"))
    with pytest.raises(SourceError, match=r"stable_materials_summary\.csv cannot be read"):
        list(read_gnome(table, table))
    with pytest.raises(SourceError, match=r"absent\.csv cannot be read"):
        list(read_gnome(tmp_path / "absent.csv", archive))
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="has no column MaterialId"):
        list(read_gnome(foreign, archive))
