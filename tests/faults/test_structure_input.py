"""Spoilt, odd and hostile structure files: each is read right or refused with what is wrong and what to do.

A structure without a working ion is a matter of the voltage model and tested with it.
"""

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import ExplorerError, SourceError, StructureError
from core.records import Crystal, FailedInput
from core.settings import ROOT
from core.sources.files import parse_upload, read_paths, read_structure_file, read_untrusted
from core.sources.json_lines import read_json_lines
from core.sources.limits import ParseLimits
from core.sources.sandbox import StructureParser, _environment

Parse = Callable[..., Crystal]

HEADER = """data_MgO
_cell_length_a {a}
_cell_length_b 4.21
_cell_length_c 4.21
_cell_angle_alpha {alpha}
_cell_angle_beta 90
_cell_angle_gamma 90
"""
OPERATIONS = "loop_\n_symmetry_equiv_pos_as_xyz\n{operations}\n"
ATOMS = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""
CENTRED = ("x,y,z", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z")
ROWS = ("Mg1 Mg 0 0 0 1", "O1 O 0.5 0.5 0.5 1")


def cif(
    *rows: str, a: str = "4.21", alpha: str = "90", operations: tuple[str, ...] = CENTRED, formula: str = ""
) -> str:
    quoted = "\n".join(f"'{operation}'" for operation in operations)
    declared = f"_chemical_formula_sum '{formula}'\n" if formula else ""
    return (
        HEADER.format(a=a, alpha=alpha)
        + declared
        + OPERATIONS.format(operations=quoted)
        + ATOMS
        + "\n".join(rows or ROWS)
        + "\n"
    )


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


@pytest.fixture(scope="module")
def parser() -> Iterator[StructureParser]:
    with StructureParser() as parser:
        yield parser


@pytest.fixture
def parse(parser: StructureParser) -> Parse:
    def parse(text: str | bytes, name: str = "test.cif") -> Crystal:
        data = text if isinstance(text, bytes) else text.encode()
        return read_untrusted(name, data, parser, source="test")

    return parse


@pytest.fixture
def refused(parse: Parse) -> Callable[..., str]:
    """Return the message of a file that must be refused."""

    def refused(text: str | bytes, name: str = "test.cif") -> str:
        with pytest.raises(StructureError) as caught:
            parse(text, name)
        return str(caught.value)

    return refused


def test_the_sound_file_that_the_faults_are_made_from(parse: Parse) -> None:
    assert parse(cif()).count("Mg") == 4
    assert parse(cif(formula="Mg O")).formula == "MgO"
    assert parse(POSCAR, "POSCAR").species == ("Mg", "O")


# Empty, HTML, binary


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file(data: bytes, refused: Callable[..., str]) -> None:
    assert "empty" in refused(data)


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><html></html>", "\n <HTML>", "<?xml version='1.0'?><html/>"]
)
def test_a_web_page(page: str, refused: Callable[..., str]) -> None:
    assert "web page" in refused(page)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\x7fELF\x02\x01" + b"\x00" * 64, b"data_x\n\x07"]
)
def test_binary_data(data: bytes, refused: Callable[..., str]) -> None:
    assert "binary" in refused(data)


# Byte-order mark, and other encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_read(encoding: str, parse: Parse) -> None:
    assert parse(cif().encode(encoding)).formula == "MgO"


def test_latin_1_and_windows_line_ends_are_read(parse: Parse) -> None:
    text = "# Grüße\n" + cif()
    assert parse(text.replace("\n", "\r\n").encode("latin-1")).formula == "MgO"


def test_a_typographic_minus_keeps_its_sign(parse: Parse) -> None:
    crystal = parse(cif("Mg1 Mg \N{MINUS SIGN}0.25 0 0 1", "O1 O 0.25 0 0 1", operations=("x,y,z",)))
    assert crystal.frac[0, 0] == pytest.approx(0.75)


# Cut inside a loop, unbalanced loop


def test_cut_anywhere_gives_the_whole_or_a_refusal(parse: Parse) -> None:
    text = cif(formula="Mg O")
    whole = parse(text)
    for end in range(40, len(text) - 1, 7):
        try:
            crystal = parse(text[:end])
        except StructureError:
            continue
        assert crystal.species == whole.species and (crystal.frac == whole.frac).all(), end


def test_cut_between_two_atoms_is_seen_by_the_formula(refused: Callable[..., str]) -> None:
    assert "atoms are missing" in refused(cif(ROWS[0], formula="Mg O"))


@pytest.mark.parametrize("lines", [5, 7, 8, 9])
def test_cut_poscar(lines: int, refused: Callable[..., str]) -> None:
    message = refused("\n".join(POSCAR.splitlines()[:lines]), "POSCAR")
    assert "cut" in message or "missing" in message


def test_unbalanced_loop(refused: Callable[..., str]) -> None:
    assert "cut or unbalanced" in refused(cif("Mg1 Mg 0 0 0 1", "O1 O 0.5 0.5 0.5"))
    assert "cut or unbalanced" in refused(cif("Mg1 Mg 0 0 0 1 7", "O1 O 0.5 0.5 0.5 1"))


# NaN or ? coordinates, infinite, zero, negative cell, impossible angles


@pytest.mark.parametrize("value", ["nan", "?", ".", "inf", "-inf", "1e999", "0x1", "1/3", "zero"])
def test_coordinate_that_is_no_number(value: str, refused: Callable[..., str]) -> None:
    message = refused(cif(f"Mg1 Mg {value} 0 0 1", ROWS[1]))
    assert "Mg1" in message or "NaN or infinity" in message or "fractional coordinate" in message


@pytest.mark.parametrize("value", ["nan", "inf", "x"])
def test_coordinate_of_a_poscar(value: str, refused: Callable[..., str]) -> None:
    message = refused(POSCAR.replace("0.5 0.5 0.5\n", f"0.5 {value} 0.5\n"), "POSCAR")
    assert "NaN or infinity" in message or "numbers" in message


@pytest.mark.parametrize("value", ["inf", "nan", "?", "1e400", "0", "-4.21", "1e-30", "1e9"])
def test_impossible_cell(value: str, refused: Callable[..., str]) -> None:
    message = refused(cif(a=value))
    assert "cell" in message and ("angstrom" in message or "number" in message or "length" in message)


@pytest.mark.parametrize("scale", ["0", "nan", "inf", "a", "1 1 1"])
def test_scale_of_a_poscar(scale: str, refused: Callable[..., str]) -> None:
    assert refused(POSCAR.replace("4.21", scale), "POSCAR")


def test_flat_poscar(refused: Callable[..., str]) -> None:
    assert "flat" in refused(POSCAR.replace("0.5 0.5 0\n", "0.25 0.25 0.5\n"), "POSCAR")


@pytest.mark.parametrize("alpha", ["0", "180", "-90", "360", "nan"])
def test_impossible_angle(alpha: str, refused: Callable[..., str]) -> None:
    assert "alpha" in refused(cif(alpha=alpha))


def test_angles_that_close_no_cell(refused: Callable[..., str]) -> None:
    text = cif().replace("_cell_angle_beta 90", "_cell_angle_beta 20").replace("alpha 90", "alpha 120")
    assert "close no cell" in refused(text)


# Occupancies


@pytest.mark.parametrize(("value", "word"), [("-1", "between 0 and 1"), ("1.5", "between 0 and 1")])
def test_impossible_occupancy(value: str, word: str, refused: Callable[..., str]) -> None:
    message = refused(cif(f"Mg1 Mg 0 0 0 {value}", ROWS[1]))
    assert "Mg1" in message and word in message


@pytest.mark.parametrize("value", ["0.5", "0", "0.98(2)"])
def test_partial_occupancy(value: str, refused: Callable[..., str]) -> None:
    message = refused(cif(f"Mg1 Mg 0 0 0 {value}", ROWS[1]))
    assert "disordered" in message and "ordered cell" in message


def test_two_elements_on_one_site(refused: Callable[..., str]) -> None:
    assert "disordered" in refused(cif("Mg1 Mg 0 0 0 0.5", "Zn1 Zn 0 0 0 0.5", ROWS[1]))


def test_unstated_occupancy_is_full(parse: Parse) -> None:
    assert parse(cif("Mg1 Mg 0 0 0 .", ROWS[1])).formula == "MgO"


# Unknown element, deuterium


@pytest.mark.parametrize("symbol", ["Xx", "Q", "Mg12O", "?", "<b>"])
def test_unknown_element(symbol: str, refused: Callable[..., str]) -> None:
    message = refused(cif(f"Mg1 {symbol} 0 0 0 1", ROWS[1]))
    assert "does not exist" in message and "<" not in message


def test_unknown_element_of_a_poscar(refused: Callable[..., str]) -> None:
    assert "does not exist" in refused(POSCAR.replace("Mg O", "Mg Zz"), "POSCAR")


def test_poscar_without_elements_is_not_taken_for_hydrogen_and_helium(refused: Callable[..., str]) -> None:
    assert "line of symbols" in refused(POSCAR.replace("Mg O\n", ""), "POSCAR")


@pytest.mark.parametrize("symbol", ["D", "T", "D1+"])
def test_deuterium_is_refused_with_what_to_write(symbol: str, refused: Callable[..., str]) -> None:
    assert "write H" in refused(cif(f"D1 {symbol} 0 0 0 1", ROWS[1]))


# Overlapping atoms, also 0.3 angstrom apart


def test_overlapping_atoms(refused: Callable[..., str]) -> None:
    assert "overlap" in refused(cif(*ROWS, "O2 O 0.5 0.5 0.5 1"))
    assert "overlap" in refused(cif(*ROWS, "Zn1 Zn 1.0 0 0 1"))


def test_pair_of_0_3_angstrom_across_the_boundary(refused: Callable[..., str]) -> None:
    message = refused(cif("Mg1 Mg 0.99 0 0 1", f"O1 O {0.3 / 4.21 - 0.01:.6f} 0 0 1", operations=("x,y,z",)))
    assert "overlap" in message and "0.30 angstrom" in message
    assert "overlap" in refused(POSCAR.replace("0.5 0.5 0.5\n", "0.99 0.99 0.01\n"), "POSCAR")


# Two data blocks


def test_two_structures_in_one_file(refused: Callable[..., str]) -> None:
    message = refused(cif() + cif().replace("data_MgO", "data_other"))
    assert "2 structures" in message and "file of its own" in message
    assert "2 structures" in refused(cif() + cif())


def test_a_block_without_atoms_beside_the_structure_is_read(parse: Parse) -> None:
    assert parse("data_global\n_journal_year 2024\n" + cif()).formula == "MgO"


# Code in a symmetry operation


@pytest.mark.parametrize(
    "operation",
    [
        "x,y,__import__('os').system('touch pwned')",
        "x,y,().__class__",
        "x,y,z;z",
        "x,y",
        "x,y,1/0",
        "x,x,z",
        "2x,y,z",
        "x" * 200 + ",y,z",
    ],
)
def test_code_in_a_symmetry_operation(operation: str, refused: Callable[..., str], tmp_path: Path) -> None:
    text = cif().replace("'x,y+1/2,z+1/2'", f'"{operation}"')
    message = refused(text)
    assert "symmetry operation" in message or "cut or unbalanced" in message
    assert not Path("pwned").exists()


# Symmetry bomb, too many sites, a long line, a compressed bomb


def test_symmetry_bomb_is_counted_before_the_work(refused: Callable[..., str]) -> None:
    shifts = tuple(f"x+{step}/97,y,z" for step in range(97))
    assert "more than 400 sites" in refused(
        cif(*(f"O{n} O 0.1 0.{n} 0.3 1" for n in range(1, 10)), a="40", operations=shifts)
    )
    many = tuple(f"x+{step}/1000,y,z" for step in range(300))
    assert "no space group has more than 192" in refused(cif(operations=many))


def test_a_parser_that_does_not_end_is_stopped_and_replaced() -> None:
    slow = cif().replace("data_MgO", "data_MgO\n_publ_section_comment " + "'a " * 400_000)
    with StructureParser(ParseLimits(cpu_s=1.0)) as parser:
        with pytest.raises(StructureError, match="took more than 1 s"):
            parser.parse("CIF", slow)
        assert parser.parse("CIF", cif())["species"][0] == "Mg"


def test_a_parser_that_swells_is_stopped_and_replaced() -> None:
    libraries = (
        "from core.sources._parse_child import _load_libraries; _load_libraries(); import re, pathlib;"
        "print(re.search(r'VmPeak:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])"
    )
    found = subprocess.run(
        [sys.executable, "-c", libraries], capture_output=True, check=True, env=_environment(), cwd=ROOT
    )
    limits = ParseLimits(memory_bytes=int(found.stdout) * 1024 + (60 << 20))  # the file below takes 80 MB
    with StructureParser(limits) as parser:
        with pytest.raises(StructureError, match="MB"):
            parser.parse("CIF", cif() + "_x\n" + "a " * 900_000)
        assert parser.parse("CIF", cif())["species"][0] == "Mg"


def test_a_parser_without_room_for_its_libraries_says_so() -> None:
    with (
        StructureParser(ParseLimits(memory_bytes=100 << 20)) as parser,
        pytest.raises(SourceError, match="did not start"),
    ):
        parser.parse("CIF", cif())


def test_a_parser_that_waits_is_stopped() -> None:
    slow = cif().replace("data_MgO", "data_MgO\n_publ_section_comment " + "'a " * 400_000)
    with (
        StructureParser(ParseLimits(cpu_s=60.0, wall_s=0.5)) as parser,
        pytest.raises(StructureError, match="stopped"),
    ):
        parser.parse("CIF", slow)


def test_twenty_thousand_sites(refused: Callable[..., str]) -> None:
    rows = [f"O{n} O {n / 20000:.6f} 0 0 1" for n in range(20_000)]
    assert "20,000 atoms" in refused(cif(*rows))
    assert "20,000 sites" in refused(POSCAR.replace("1 1\n", "1 19999\n"), "POSCAR")
    assert "at most 400" in refused(POSCAR.replace("1 1\n", "1 " + "9" * 30 + "\n"), "POSCAR")
    assert "one positive number" in refused(POSCAR.replace("1 1\n", "1 -1\n"), "POSCAR")
    wide = {"lattice": [[900, 0, 0], [0, 9, 0], [0, 0, 9]], "species": ["O"] * 401, "frac": [[0, 0, 0]] * 401}
    assert "401 sites" in refused(json.dumps(wide), "wide.json")


def test_a_line_of_5_mb(refused: Callable[..., str]) -> None:
    assert "2,000,000 bytes" in refused("data_x _y " + "a" * 5_000_000)


def test_a_long_line_of_json_lines_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    good = json.dumps({"id": "good", **ROCK_SALT})
    path.write_text(json.dumps({"id": "long", "x": "a" * 5_000_000}) + "\n" + good + "\n")
    long, crystal = read_json_lines(path)
    assert isinstance(long, FailedInput) and long.id == "long" and "2,000,000 bytes" in long.reason
    assert crystal.id == "good"


@pytest.mark.parametrize("name", ["bomb.cif", "bomb.cif.gz", "POSCAR.gz"])
def test_a_compressed_upload_is_not_unpacked(name: str, refused: Callable[..., str]) -> None:
    assert "compressed" in refused(gzip.compress(bytes(50_000_000), 9), name)


def test_a_bomb_of_json_lines_stops(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as stream:
        stream.write(json.dumps({"id": "good", **ROCK_SALT}).encode() + b"\n")
        for _ in range(70):
            stream.write(b" " * 1_000_000)
    path.write_bytes(packed.getvalue())
    good, bomb = read_json_lines(path)
    assert isinstance(good, Crystal)
    assert isinstance(bomb, FailedInput) and "unpacks to over" in bomb.reason


# Wrong type, JSON with @module

ROCK_SALT = {
    "lattice": [[0, 2.105, 2.105], [2.105, 0, 2.105], [2.105, 2.105, 0]],
    "species": ["Mg", "O"],
    "frac": [[0, 0, 0], [0.5, 0.5, 0.5]],
}
PYMATGEN = {
    "@module": "pymatgen.core.structure",
    "@class": "Structure",
    "lattice": {"matrix": ROCK_SALT["lattice"]},
    "sites": [
        {"species": [{"element": "Mg", "occu": 1}], "abc": [0, 0, 0]},
        {"species": [{"element": "O", "oxidation_state": -2, "occu": 1.0}], "abc": [0.5, 0.5, 0.5]},
    ],
}


def test_both_kinds_of_json_are_read(parse: Parse) -> None:
    for data in (ROCK_SALT, PYMATGEN):
        crystal = parse(json.dumps(data), "test.json")
        assert crystal.species == ("Mg", "O") and crystal.formula == "MgO"


@pytest.mark.parametrize(
    "change",
    [
        {"@module": "os", "@class": "system"},
        {"@class": "Composition"},
        {"@module": 5},
        {"@module": ["subprocess"], "@class": "Popen"},
        {"lattice": None},
        {"lattice": {"matrix": "identity"}},
        {"sites": {}},
        {"sites": []},
        {"sites": [1]},
        {"sites": [{"species": "Mg", "abc": [0, 0, 0]}]},
        {"sites": [{"species": [{"element": "Mg"}]}]},
        {"sites": [{"species": [{"element": {"@module": "os", "@class": "x"}}], "abc": [0, 0, 0]}]},
        {"sites": [{"species": [{"element": "Mg", "occu": "1"}], "abc": [0, 0, 0]}]},
        {"sites": [{"species": [{"element": "Mg", "occu": 0.4}], "abc": [0, 0, 0]}]},
        {"sites": [{"species": [{"element": "Mg"}, {"element": "Zn"}], "abc": [0, 0, 0]}]},
        {"sites": [{"species": [{"element": "Mg"}], "abc": ["a", "b", "c"]}]},
    ],
)
def test_pymatgen_json_of_a_wrong_type(change: dict, refused: Callable[..., str]) -> None:
    assert refused(json.dumps(PYMATGEN | change), "test.json")


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "1", '"text"', "null", "{}", "[" * 50_000, '{"a":' * 50_000,
        json.dumps(ROCK_SALT | {"species": "MgO"}),
        json.dumps(ROCK_SALT | {"species": ["Mg", 8]}),
        json.dumps(ROCK_SALT | {"species": [["Mg"], {"O": 1}]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0]]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0], [0.5, 0.5]]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0], ["0.5", "0.5", "0.5"]]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0], [None, 0, 0]]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0], [float("nan"), 0, 0]]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0], [1e9, 0, 0]]}),
        json.dumps(ROCK_SALT | {"frac": [[0, 0, 0], [10**400, 0, 0]]}),
        json.dumps(ROCK_SALT | {"lattice": [4.21, 4.21, 4.21]}),
        json.dumps(ROCK_SALT | {"lattice": [[True] * 3] * 3}),
        json.dumps(ROCK_SALT | {"lattice": [[0, 0, 0]] * 3}),
        json.dumps(ROCK_SALT | {"e_above_hull": "low"}),
        json.dumps(ROCK_SALT | {"e_above_hull": float("inf")}),
    ],
)  # fmt: skip
def test_json_of_a_wrong_type(text: str, refused: Callable[..., str]) -> None:
    assert refused(text, "test.json")


def test_a_foreign_working_ion_names_the_known_ones() -> None:
    with pytest.raises(ExplorerError, match="choose one of Li"):
        parse_upload("test.json", json.dumps(ROCK_SALT | {"working_ion": "Fe"}).encode())


# Hostile file name


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.cif",
        "C:\\x\\..\\a.cif",
        "<img src=x onerror=alert(1)>.cif",
        "a\x00b.cif",
        "-rf.cif",
        "$(id).cif",
    ],
)
def test_hostile_name_is_only_a_label(name: str, parse: Parse) -> None:
    crystal = parse(cif(), name)
    assert crystal.id and set(crystal.id) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-"
    )
    assert not crystal.id.startswith(("-", "."))


def test_hostile_name_in_a_message(refused: Callable[..., str]) -> None:
    message = refused("nothing known", "<script>alert(1)</script>.exe")
    assert "no known kind" in message and "<" not in message


# The doors that users come through


def test_an_upload_end_to_end() -> None:
    crystal = parse_upload("MgO rock salt.cif", cif().encode())
    assert (crystal.id, crystal.formula, crystal.source) == ("MgO_rock_salt", "MgO", "upload")


def test_one_bad_file_does_not_end_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.cif").write_text(cif())
    (tmp_path / "b.cif").write_text(cif(ROWS[0], formula="Mg O"))
    (tmp_path / "c.vasp").write_text(POSCAR)
    (tmp_path / "d.cif").write_bytes(b"\x00\x01")
    items = list(read_paths([tmp_path], "Mg"))
    assert [type(item) for item in items] == [Crystal, FailedInput, Crystal, FailedInput]


def test_a_file_read_alone_raises(tmp_path: Path) -> None:
    path = tmp_path / "bad.cif"
    path.write_text("<html>")
    with pytest.raises(StructureError, match=r"bad: The file is a web page"):
        read_structure_file(path)
