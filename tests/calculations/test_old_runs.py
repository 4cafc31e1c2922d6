"""A run of version 0.1, recorded as that version wrote it: read, listed, found again by who asks for the same."""

import json
import shutil
from pathlib import Path

import pytest

from core.calculations import read_result, read_spec
from core.calculations.kinds.diffusion import DiffusionSpec
from core.dynamics import PROTOCOLS
from core.potentials import potential_card
from core.tasks import RunFolder, list_jobs, submit

RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "run-of-0.1"


@pytest.fixture
def old(runs: Path) -> Path:
    name = json.loads((RECORDED / "result.json").read_text())["run_id"]
    shutil.copytree(RECORDED, runs / name)
    return runs / name


def test_it_is_listed_with_its_figures_under_todays_names(old: Path) -> None:
    (job,) = list_jobs()
    written = json.loads((old / "result.json").read_text())
    assert (job.job_id, job.state, job.spec.kind) == (old.name, "finished", "diffusion")
    assert isinstance(job.spec, DiffusionSpec)
    assert job.result.d_low_cm2_per_s == written["d_low"] and job.result.n_working_ions == written["n_mg"]
    assert job.result.sigma_high_ms_per_cm == written["sigma_high"]
    assert job.result.provenance.id == written["provenance"]["id"]
    assert job.result.msd[job.result.working_ion].msd_a2 == tuple(
        written["msd"][written["working_ion"]]["msd_a2"]
    )


def test_what_is_written_anew_reads_the_same(old: Path) -> None:
    folder = RunFolder(path=old)
    spec, result = folder.spec(), folder.result()
    assert read_spec(spec.to_dict()).key == spec.key
    assert read_result(result.to_dict()).to_dict() == result.to_dict()


def test_asking_for_the_same_run_finds_it_though_hashes_have_changed(old: Path) -> None:
    recorded = RunFolder(path=old).spec()
    asked = DiffusionSpec.planned(
        crystal=recorded.crystal, protocol=PROTOCOLS[recorded.protocol.name].with_changes(
            temperature_k=recorded.protocol.temperature_k
        ),
        potential=recorded.potential, device="cpu", seed=recorded.seed, refine_rounds=recorded.refine_rounds,
    )  # fmt: skip
    assert asked.name != old.name and asked.potential_sha256 == potential_card(asked.potential).sha256
    assert RunFolder.of(asked).path == old
    assert submit(asked).state == "finished"
