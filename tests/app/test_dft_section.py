"""First principles on the Candidate page: what it would cost, what is missing, what came out."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.calculations.kinds.dft import DftEnd, DftSpec, assemble
from core.provenance import Provenance
from core.relaxation import without
from core.service import dft
from core.tasks.elsewhere import keep_finished
from tests.app.md_runs import MGO, words

Opener = Callable[..., AppTest]
BUTTON = "Compute by first principles"


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_where_gpaw_is_missing_the_page_says_how_to_get_it(
    open_md: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dft, "dft_available", lambda: False)
    app = open_md("candidate", id=MGO.id)
    assert "make dft" in words(app) and "dft prepare" in words(app)
    assert BUTTON not in labels(app)


def test_where_it_is_there_the_cost_stands_before_the_button(
    open_md: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dft, "dft_available", lambda: True)
    app = open_md("candidate", id=MGO.id)
    assert "minutes of one core" in words(app) and BUTTON in labels(app)


def test_a_result_shows_both_voltages_moments_and_its_level(open_md: Opener) -> None:
    host = without(MGO, [site for site, element in enumerate(MGO.species) if element == "Mg"])
    discharged = DftEnd(
        crystal=MGO, n_ions=MGO.count("Mg"), energy_ev=-100.0, dispersion_ev=-1.0, total_moment_mu_b=8.0,
        moments_mu_b=(0.0,) * (MGO.n_sites - 1) + (1.7,), k_grid=(4, 4, 4),
    )  # fmt: skip
    charged = DftEnd(crystal=host, n_ions=0, energy_ev=-60.0, dispersion_ev=-0.5)
    spec = DftSpec(crystal=MGO, engine="vasp")
    result = assemble(
        discharged, charged, working_ion="Mg", metal_ev=-1.5, metal_dispersion_ev=-0.2, level="PBE <i> to 520 eV",
        engine="VASP", geometry="as given", is_relaxed=False, hubbard_u_ev={}, provenance=Provenance(kind="dft"),
    )  # fmt: skip
    keep_finished(spec, result)
    app = open_md("candidate", id=MGO.id)
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Voltage by DFT"] == f"{result.voltage_v:.2f} V"
    assert shown["With D3 dispersion"] == f"{result.voltage_d3_v:.2f} V"
    text = words(app)
    assert "4 × 4 × 4" in text and "O +1.7" in text
    assert "to 520 eV" in text and "<i>" not in text
    assert BUTTON not in labels(app)
