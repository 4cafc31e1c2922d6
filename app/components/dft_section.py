"""First principles on the Candidate page: the voltage by density-functional theory, or what it would cost here."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import streamlit as st

from app.components.calculation_panel import calculation_panel
from app.components.tables import draw_table
from app.theme import safe
from core.records import Crystal
from core.service import dft
from core.service.calculations import Calculation, Job
from core.service.dft import DftEnd, DftResult
from core.service.release import Reader

_KIND: Final = "dft"


def dft_section(reader: Reader, crystal: Crystal, working_ion: str, jobs: Sequence[Job]) -> None:
    """Draw the first-principles voltage of a crystal, or the way to get one; `jobs` are the runs about it."""
    st.subheader("First principles", anchor="dft")
    calculation_panel(
        reader, crystal, _KIND, jobs, draw=_draw, plan=lambda: dft.planned(crystal, working_ion),
        invitation=_invitation(crystal, working_ion), button="Compute by first principles",
        is_offered=dft.dft_available(),
    )  # fmt: skip


def _invitation(crystal: Crystal, working_ion: str) -> str:
    cost = safe(_cost(crystal, working_ion))
    if dft.dft_available():
        return (
            "PBE+U by GPAW on both ends, relaxed by the potential first: a DFT single point on its geometry, compared "
            f"with the prediction as in the paper's Fig. 4c. {cost} It can be stopped, and goes on from the finished "
            "end."
        )
    return (
        "Not computed yet, and GPAW is not installed on this server: "
        f"`{dft.HOW_TO_GET}` installs it. {cost} Or write VASP inputs for your own machine: "
        f"`python -m core dft prepare {safe(crystal.id)} -o DIR`."
    )


@st.cache_data(show_spinner=False, max_entries=512, hash_funcs={Crystal: attrgetter("fingerprint")})
def _cost(crystal: Crystal, working_ion: str) -> str:
    """Kept, since guessing the oxidation states of many elements takes half a second."""
    return dft.estimate(crystal, working_ion).words


def _draw(found: Calculation) -> None:
    result = found.result
    if not isinstance(result, DftResult):
        return
    ion = safe(found.spec.subject.working_ion)
    first, second = st.container(key=f"stacking-dft-{found.name}").columns(2)
    first.metric(
        "Voltage by DFT", f"{result.voltage_v:.2f} V", border=True, help="Without dispersion, as the labels."
    )
    with_d3 = "not known" if result.voltage_d3_v is None else f"{result.voltage_d3_v:.2f} V"
    second.metric(
        "With D3 dispersion", with_d3, border=True, help="Grimme's D3(BJ) added to all three energies."
    )
    draw_table(
        ["End", f"{ion} in the cell", "Moment in all (μB)", "Local moments (μB)", "k points", "Energy (eV)"],
        [_row("Discharged", result.discharged), _row("Charged", result.charged)],
    )  # fmt: skip
    st.caption(f"{safe(result.verdict)}. {safe(result.level)}. Geometry: {safe(result.geometry)}.")
    for note in result.notes:
        st.caption(safe(note))


def _row(name: str, end: DftEnd) -> list[str]:
    total = "" if end.total_moment_mu_b is None else f"{end.total_moment_mu_b:+.1f}"
    grid = "" if end.k_grid is None else " × ".join(map(str, end.k_grid))
    return [
        name,
        str(end.n_ions),
        total,
        _moments(end.crystal.species, end.moments_mu_b),
        grid,
        f"{end.energy_ev:.3f}",
    ]


def _moments(species: Sequence[str], moments: Sequence[float]) -> str:
    """The largest local moment of each element that has one."""
    largest: dict[str, float] = {}
    for symbol, moment in zip(species, moments, strict=False):
        if abs(moment) > abs(largest.get(symbol, 0.3)):
            largest[symbol] = moment
    return ", ".join(f"{symbol} {moment:+.1f}" for symbol, moment in largest.items()) or "none"
