"""A labelled data set small enough to train on in a test: strained copies of made crystals."""

from functools import cache

import numpy as np

from core.graphs import build_graph
from core.records import Crystal, Electrode
from core.voltage.dataset import LabelledData
from core.voltage.kinds.cgcnn.batches import GraphTable
from tests.voltage.crystals import layered, rock_salt, spinel

IONS = {"Mg": 2.0, "Ca": 1.0}


@cache
def labelled(n_copies: int = 10) -> LabelledData:
    """Three hosts by two ions by `n_copies` volumes; the label falls with volume and depends on the ion."""
    electrodes, crystals = [], []
    for make in (spinel, layered, rock_salt):
        for ion, base_v in IONS.items():
            for copy in range(n_copies):
                crystal = strained(make(), ion, 1.0 + 0.1 * copy / n_copies)
                voltage_v = base_v + 20.0 / (crystal.volume_a3 / crystal.n_sites)
                electrodes.append(electrode(crystal, ion, voltage_v, host=f"{make.__name__}{copy // 2}"))
                crystals.append(crystal)
    return LabelledData(electrodes=tuple(electrodes), crystals=tuple(crystals), data_sha256="0" * 64)


def strained(crystal: Crystal, ion: str, factor: float) -> Crystal:
    """The crystal with another ion in place of Mg, its cell scaled."""
    return Crystal(
        id=f"{crystal.id}-{ion}-{factor:.4f}",
        formula=crystal.formula.replace("Mg", ion),
        lattice_a=factor * crystal.lattice_a,
        species=tuple(ion if symbol == "Mg" else symbol for symbol in crystal.species),
        frac=crystal.frac,
        source=crystal.source,
    )


def electrode(crystal: Crystal, ion: str, voltage_v: float, *, host: str) -> Electrode:
    """The label of a crystal."""
    return Electrode(
        battery_id=f"{crystal.id}_{ion}", working_ion=ion, average_voltage_v=voltage_v,
        formula_discharge=crystal.formula, formula_charge=host, id_discharge=crystal.id, id_charge="none",
        host_formula=host, voltage_check="ok",
    )  # fmt: skip


@cache
def table() -> GraphTable:
    """The graphs of `labelled()`."""
    data = labelled()
    return GraphTable.from_graphs(
        [build_graph(crystal) for crystal in data.crystals], data.working_ions, merge_equivalent=True
    )


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Even rows to train on, odd ones to stop on."""
    rows = np.arange(len(labelled()))
    return rows[::2], rows[1::2]
