"""One colour a working ion and one an element class, the same in every figure; all hold on dark and on light ground."""

from typing import Final

ION_COLOURS: Final = {
    "Li": "#4f86c6", "Mg": "#e0524d", "Na": "#f0902b", "Al": "#c9a800", "K": "#4da35a", "Ca": "#2fa7a0",
    "Zn": "#8b7ad1", "Y": "#d66fb0", "Rb": "#9c755f", "Cs": "#8d989e",
}  # fmt: skip

CLASS_COLOURS: Final = {
    "alkali metal": "#e0524d", "alkaline earth": "#f0902b", "transition metal": "#4f86c6",
    "post-transition metal": "#2fa7a0", "lanthanide": "#4da35a", "actinide": "#9c755f", "metalloid": "#a56fd0",
    "non-metal": "#8d989e", "halogen": "#d3b000",
}  # fmt: skip
