"""Numbers and formulas as people read them."""

from typing import Final

_SOURCES: Final = {
    "MP-battery(sondrt)": "MP batteries",
    "MP-multivalent mvc(sondrt)": "MP multivalent",
    "MP-MDR-phonon(AlghamdiNada)": "MP phonons",
    "MP(3DSC)": "MP in 3DSC",
    "MP-20 mini(SLICES)": "MP-20",
    "MP-2025(MPElectroML)": "MP 2025",
    "GNoME(Energy-GNoME)": "GNoME",
}
_SUBSCRIPT: Final = str.maketrans("0123456789.", "₀₁₂₃₄₅₆₇₈₉.")


def pretty_formula(formula: str) -> str:
    """Return a chemical formula with its counts as subscripts: MgMn2O4 -> MgMn₂O₄."""
    pretty, previous = [], ""
    for character in formula:
        after_symbol = previous.isalpha() or previous == ")" or (previous and previous[-1] in "₀₁₂₃₄₅₆₇₈₉.")
        if (character.isdigit() or character == ".") and after_symbol:
            character = character.translate(_SUBSCRIPT)
        pretty.append(character)
        previous = character
    return "".join(pretty)


def source_label(source: str) -> str:
    """Return a short name for a source of the reference data (MP is Materials Project), or the source itself."""
    return _SOURCES.get(source, source)
