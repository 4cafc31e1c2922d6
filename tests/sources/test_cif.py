"""CIF: the same crystal as pymatgen reads where it reads it right, and a refusal where a file leaves things open."""

import re
import subprocess
import sys

import numpy as np
import pytest

from core.errors import StructureError
from core.sources.cif import parse_cif
from core.sources.cif_tags import blocks, strict_blocks
from core.sources.symmetry import parse_operation
from core.store import open_reader

SPINEL = """data_spinel
_symmetry_space_group_name_H-M 'F d -3 m:2'
_symmetry_Int_Tables_number 227
_cell_length_a 8.32(1)
_cell_length_b 8.32(1)
_cell_length_c 8.32(1)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 0.125 0.125 0.125
Cr1 0.5 0.5 0.5
O1 0.261 0.261 0.261
"""


def structure(text: str):
    from pymatgen.core import Structure

    found = parse_cif(text, 400)
    return Structure(found["lattice"], found["species"], found["frac"])


@pytest.fixture(scope="module")
def real_structures(precomputed):
    """Some forty of the shipped candidates."""
    with open_reader(precomputed) as reader:
        ids = sorted(reader.screen(columns=("id",))["id"])[::80]
        return [reader.crystal(id).to_pymatgen() for id in ids]


@pytest.fixture(scope="module")
def matcher():
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher(primitive_cell=True, scale=False)


def test_a_spinel_from_its_symbol(matcher) -> None:
    from pymatgen.io.cif import CifWriter

    spinel = structure(SPINEL)
    assert spinel.composition.formula == "Mg8 Cr16 O32"
    written = str(CifWriter(spinel, symprec=0.01))
    again = structure(written)
    assert len(again) == 56 and matcher.fit(spinel, again)
    assert len(structure(str(CifWriter(spinel.get_primitive_structure())))) == 14


def test_special_positions_written_with_few_digits_are_one_site() -> None:
    text = SPINEL.replace("F d -3 m:2", "P 3").replace("227", "143").replace("gamma 90", "gamma 120")
    rows = "Mg1 0.333 0.667 0.0\nO1 0.333 0.667 0.5\n"
    assert len(structure(re.sub(r"Mg1 .*", rows, text, flags=re.DOTALL))) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("F d -3 m:2", "F d -3 m", "two origins"),
        ("'F d -3 m:2'", "?", "two origins"),
        ("F d -3 m:2", "F q -3 z", "not known by that name"),
        ("F d -3 m:2", "P 3", "does not have the symmetry"),
        ("F d -3 m:2", "Fd-3mZ", None),
        ("_cell_length_c 8.32(1)", "_cell_length_c 9.5", "does not have the symmetry"),
        ("_cell_length_c 8.32(1)\n", "", "does not state _cell_length_c"),
        ("_cell_length_c 8.32(1)", "_cell_length_c ?", "does not state _cell_length_c"),
        ("_atom_site_fract_z", "_atom_site_cartn_z", "lack coordinates"),
        ("_atom_site_fract", "_atom_site_Cartn", "no atoms with fractional coordinates"),
        ("0.261 0.261 0.261", "0.26 0.03 0.17", None),
        ("O1 0.261", "OW1 0.261", None),
        ("Cr1", "Qr1", "does not exist"),
        ("Cr1", "CR1", "may be C or Cr"),
        ("Mg1", "CA1", "may be C or Ca"),
        ("data_spinel", "", "no data block"),
        ("loop_", "loop_\n_space_group_symop_magn_operation_xyz\nx,y,z,+1\nloop_", "magnetic"),
        ("loop_", "loop_\n_atom_site_fract_x\n0.1\nloop_", "twice"),
    ],
)
def test_what_a_file_leaves_open_is_refused(old: str, new: str, said: str | None) -> None:
    text = SPINEL.replace(old, new, 1) if "fract" not in old else SPINEL.replace(old, new)
    if said is None:
        assert len(structure(text)) in {56, 216}
    else:
        with pytest.raises(StructureError, match=re.escape(said)):
            parse_cif(text, 400)


def test_hydrogens_without_positions_are_refused() -> None:
    text = SPINEL.replace("_fract_z\n", "_fract_z\n_atom_site_attached_hydrogens\n")
    text = re.sub(r"^((Mg|Cr|O)1 .*)$", r"\1 0", text, flags=re.MULTILINE)
    assert len(structure(text)) == 56
    with pytest.raises(StructureError, match="hydrogens without positions"):
        parse_cif(text.replace("0.261 0", "0.261 2"), 400)


def test_a_column_of_another_loop_must_fit_the_atoms() -> None:
    text = SPINEL + "loop_\n_atom_site_occupancy\n1\n1\n"
    with pytest.raises(StructureError, match="2 values of _atom_site_occupancy for 3 atoms"):
        parse_cif(text, 400)


def test_operations_that_make_no_group_are_refused() -> None:
    operations = "".join(f"'{item}'\n" for item in ("x,y,z", "x+1/97,y,z", "x+1/2,y,z"))
    text = SPINEL.replace("loop_", f"loop_\n_symmetry_equiv_pos_as_xyz\n{operations}loop_", 1)
    with pytest.raises(StructureError, match="make no group"):
        parse_cif(text, 400)


def test_a_structure_without_symmetry_is_taken_as_listed() -> None:
    text = re.sub(r"_symmetry.*\n", "", SPINEL)
    assert len(structure(text)) == 3


@pytest.mark.parametrize(
    ("text", "point", "image"),
    [
        ("x, y, z", (0.1, 0.2, 0.3), (0.1, 0.2, 0.3)),
        ("-y, x-y, z+1/3", (0.1, 0.2, 0.3), (-0.2, -0.1, 0.3 + 1 / 3)),
        ("1/2+x, .5-y, -Z", (0.1, 0.2, 0.3), (0.6, 0.3, -0.3)),
    ],
)
def test_operations(text: str, point: tuple, image: tuple) -> None:
    rotation, translation = parse_operation(text)
    assert np.allclose(rotation @ point + translation, image)


PLAIN = """data_plain # a comment
_Cell_Length_A 3.2(1)
_quoted 'it''s here'
_text
;
Mg O
 Mn
;
loop_
_atom_site_label
_atom_site_type_symbol
'Mg 1' "Mg2+"
D1 ?
"""


def test_tags_are_read_without_case_and_quotes() -> None:
    assert strict_blocks(PLAIN) == [
        {
            "_cell_length_a": "3.2(1)",
            "_quoted": "it''s here",
            "_text": "Mg O  Mn",
            "_atom_site_label": ["Mg 1", "D1"],
            "_atom_site_type_symbol": ["Mg2+", "?"],
        }
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data_plain", "data_plain\n_quoted twice"),
        ("_quoted", "_cell_length_a 3.2\n_quoted"),
        ("D1 ?", "D1"),
        ("'it''s here'", "'it is"),
        ("loop_", "save_frame\n_a 1\nsave_\nloop_"),
        ("'Mg 1' \"Mg2+\"\nD1 ?\n", ""),
        ("_quoted", "[quoted]\n_quoted"),
    ],
)
def test_a_breach_of_the_grammar_goes_to_the_lenient_reader(old: str, new: str) -> None:
    assert strict_blocks(PLAIN.replace(old, new, 1)) is None


@pytest.mark.parametrize("symprec", [None, 0.1])
def test_both_readers_give_pymatgens_structure(real_structures, symprec) -> None:
    from pymatgen.core import Structure
    from pymatgen.io.cif import CifWriter

    for known in real_structures:
        text = str(CifWriter(known, symprec=symprec))
        lenient = blocks(text.replace("data_", "data_doubled\n_a 1\n_a 1\ndata_", 1))[1]
        assert strict_blocks(text) == [lenient]
        read, expected = structure(text), Structure.from_str(text, fmt="cif")
        assert np.allclose(read.lattice.matrix, expected.lattice.matrix, rtol=0.0, atol=1e-9)
        assert len(read) == len(expected)
        unmatched = list(expected)
        for site in read:
            (twin,) = [other for other in unmatched if other.distance(site) < 1e-5]
            assert twin.specie.symbol == site.specie.symbol
            apart = twin.frac_coords - site.frac_coords
            assert np.abs(apart - np.round(apart)).max() < 1e-6
            unmatched.remove(twin)


def test_a_plain_cif_is_read_without_pymatgen(root) -> None:
    code = (
        "import sys; from core.sources.cif import parse_cif; parse_cif(sys.stdin.read(), 400);"
        "print('pymatgen' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], input=SPINEL, capture_output=True, text=True, check=True, cwd=root
    )
    assert found.stdout == "False\n"
