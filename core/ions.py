"""The working ions that the data knows, and the charge number each carries from electrode to electrode."""

from typing import Final

from core.errors import UnknownIonError

CHARGE_NUMBER: Final[dict[str, int]] = {
    "Li": 1, "Na": 1, "K": 1, "Rb": 1, "Cs": 1,
    "Mg": 2, "Ca": 2, "Zn": 2,
    "Al": 3, "Y": 3,
}  # fmt: skip
"""Default charge number z of each working ion; functions take z as an argument, and callers pass this one."""

WORKING_IONS: Final[tuple[str, ...]] = tuple(CHARGE_NUMBER)
"""The ten working ions that labelled electrodes exist for."""

PAPER_IONS: Final[tuple[str, ...]] = ("Li", "Mg", "Na", "Al", "K", "Ca", "Zn")
"""The seven ions that Chen et al. (2024) report errors for, in their order."""


def charge_number(working_ion: str) -> int:
    """Return the default charge number of a working ion; raise `UnknownIonError` for any other element."""
    try:
        return CHARGE_NUMBER[working_ion]
    except KeyError:
        raise UnknownIonError(working_ion, WORKING_IONS) from None
