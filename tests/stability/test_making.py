"""`hull phases` and `hull fit` on small data: what they write, and what they say where data are absent."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.cli import main
from core.records import Crystal
from core.stability import fitting
from core.stability.labels import Labelled
from core.stability.phases import TABLE, read_phases


def test_phases_are_made_of_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "formula,formation_energy_per_atom_ev\nMgO,-3.0\nMgO2,-1.0\nMgCr2O4,-2.7\nCr2O3,-2.4\n"
    (tmp_path / TABLE).write_bytes(gzip.compress(rows.encode()))
    assert main(["hull", "phases", "--data", str(tmp_path), "--output", str(tmp_path / "hull")]) == 0
    assert "3 of 4 compositions" in capsys.readouterr().err
    assert len(read_phases(tmp_path / "hull")) == 3
    card = json.loads((tmp_path / "hull" / "phases.json").read_text())
    assert card["licence"] == "CC BY 4.0" and card["made_by"] == "python -m core hull phases"


@pytest.mark.parametrize("action", ["phases", "fit"])
def test_absent_data_are_said(action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hull", action, "--data", str(tmp_path / "none")]) == 2
    assert "--data" in capsys.readouterr().err
    assert main(["hull", action, "--data", str(tmp_path)]) == 2
    assert "is not there" in capsys.readouterr().err


def test_a_fit_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "metals_ev", lambda potential, elements: {"Mg": -1.6})
    compositions = [("Mg",) * a + ("O",) * b for a in range(1, 6) for b in range(1, 6)]
    labelled = [
        Labelled(
            crystal=Crystal(
                id=str(number), formula="MgO", lattice_a=np.eye(3) * 5.0, species=species,
                frac=np.linspace(0.0, 0.9, 3 * len(species)).reshape(-1, 3), source="made",
            ),
            formation_energy_ev_per_atom=-2.0, e_above_hull_ev_per_atom=0.0, group=number,
            ends=frozenset({"Mg charged" if number % 2 else "Mg discharged"}),
        )
        for number, species in enumerate(compositions)
    ]  # fmt: skip
    energies_ev = {
        it.crystal.id: -2.0 * it.crystal.n_sites - 1.6 * it.composition["Mg"] - 4.2 * it.composition["O"]
        for it in labelled[:-1]
    }
    card = SimpleNamespace(energy_scale="made", sha256="0", elements=("Mg", "O"))
    potential = SimpleNamespace(name="made", card=card)
    model, about = fitting.fit_and_describe(labelled, energies_ev, {}, potential)  # type: ignore[arg-type]
    assert dict(zip(model.terms, model.mu_ev, strict=True)) == pytest.approx(
        {"Mg": -1.6, "O": -4.2}, abs=1e-3
    )
    assert about["n_structures"] == 24, "one has no energy of the potential"
    errors = about["cross_validated"]["Mg charged ends"]
    assert errors["n"] == 12 and errors["mae_low_ev_per_atom"] <= errors["mae_ev_per_atom"] < 0.001
