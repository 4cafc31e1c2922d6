"""Run folders that were cut, edited, swapped or left behind: the others go on, the bad one is named with a remedy."""

import csv
import io
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.api import create_api
from core.calculations.kinds.diffusion import work
from core.cli import main
from core.errors import RunFileError
from core.tasks import list_jobs, merge, queue, status, submit, unreadable_runs
from core.tasks.seal import SEAL_FILE
from core.tasks.worker import run_job
from tests.store.small_release import crystals, make_release
from tests.tasks.conftest import make_spec, runs
from tests.tasks.made_runs import walked

__all__ = ["make_spec", "runs"]  # fixtures

MGO = next(it for it in crystals() if it.id == "mp-2")


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_release(tmp_path / "precomputed", "1")
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    return tmp_path / "precomputed"


@pytest.fixture
def bad(make_spec, runs) -> Path:
    """A finished run beside a sound one, to be damaged."""
    walked(make_spec(crystal=MGO, id="mp-2"), runs, step_a=0.15)
    return walked(make_spec(crystal=MGO, id="mp-2", seed=1), runs, step_a=0.15)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


DAMAGES = {
    "cut result": lambda run: (run / "result.json").write_text((run / "result.json").read_text()[:99]),
    "result of {}": lambda run: (run / "result.json").write_text("{}"),
    "result of []": lambda run: (run / "result.json").write_text("[]"),
    "no result": lambda run: (run / "result.json").unlink(),
    "edited result": lambda run: edit(run / "result.json", '"n_atoms": ', '"n_atoms": 999'),
    "edited displacements": lambda run: (run / "displacements.npz").write_bytes(b"0" * 10),
    "garbled seal": lambda run: (run / SEAL_FILE).write_text("{}"),
    "unreadable spec": lambda run: (run / "spec.json").write_text("\x00"),
    "another seed": lambda run: edit(run / "spec.json", '"seed": 1', '"seed": 2'),
    "no spec": lambda run: (run / "spec.json").unlink(),
    "no files": lambda run: [it.unlink() for it in run.iterdir() if it.is_file()],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_bad_run_is_named_with_a_remedy_and_blocks_no_other(bad, release, damage, monkeypatch, capsys):
    monkeypatch.setattr(queue, "_MAKING_S", 0.0)
    damage(bad)
    for group in ("mlmd", "runs"):
        main([group, "list"])
        told = capsys.readouterr()
        rows = {row["name"]: row for row in csv.DictReader(io.StringIO(told.out))}
        assert sorted(it["state"] for it in rows.values()) in (
            ["failed", "finished"],
            ["finished", "unreadable"],
        )
        assert (
            "runs resume" in rows[bad.name]["error"]
            or "Ask for the same run again" in rows[bad.name]["error"]
        )
        assert "elete" not in rows[bad.name]["error"]
    api = TestClient(create_api(), client=("127.0.0.1", 5000))
    assert {it["name"] for it in api.get("/v1/runs").json()} == set(rows)
    assert main(["mlmd", "merge"]) == 1
    told = capsys.readouterr().err
    assert f"Left out {bad.name}" in told and "-s0-" in told and "Release" in told


def test_other_files_of_a_run_may_hold_anything(bad):
    for name in ("worker.json", "status.json", "progress.jsonl"):
        for content in (
            '{"pid": "x"}',
            "[]",
            "\x00",
            '{"submitted": 5, "error": {}}',
            '{"step": 1, "fraction": "x"}',
        ):
            (bad / name).write_text(content)
            (job,) = [it for it in list_jobs() if it.path == bad]
            assert job.fraction in (None, 1.0) and not job.progress and len(list_jobs()) == 2
    assert unreadable_runs() == []


def test_a_folder_of_somebody_else_is_no_run(bad, runs, monkeypatch):
    monkeypatch.setattr(queue, "_MAKING_S", 0.0)
    (runs / "notes").mkdir()
    (runs / "notes" / "paper.txt").touch()
    assert len(list_jobs()) == 2 and unreadable_runs() == []


@pytest.mark.parametrize("name", ["cut result", "edited result", "no result", "edited displacements"])
def test_a_finished_run_is_measured_again_from_its_frames(make_spec, name):
    """No step is made anew: trajectory and checkpoint stay as they are, to the bit."""
    run = run_job(queue.prepare(make_spec()).path)
    sound, frames = run.result.to_dict(), (run.path / "trajectory.f32").read_bytes()
    if name == "edited displacements":
        (run.path / "path.npz").write_bytes(b"0" * 10)
    else:
        DAMAGES[name](run.path)
    assert status(run.job_id).state == "failed"
    again = run_job(queue.prepare(make_spec()).path)
    assert again.state == "finished" and (run.path / "trajectory.f32").read_bytes() == frames
    assert again.result.to_dict()["msd"] == sound["msd"] and again.result.n_steps == sound["n_steps"]


def test_frames_without_result_and_checkpoint_are_measured_and_never_made_anew(make_spec, monkeypatch):
    run = run_job(queue.prepare(make_spec()).path)
    sound, frames = run.result.to_dict(), (run.path / "trajectory.f32").read_bytes()
    for name in ("result.json", "checkpoint.npz"):
        (run.path / name).unlink()
    monkeypatch.setattr(work, "simulate", lambda *_, **__: pytest.fail("a step was made"))
    again = run_job(queue.prepare(make_spec()).path)
    assert again.state == "finished" and (run.path / "trajectory.f32").read_bytes() == frames
    assert again.result.to_dict()["msd"] == sound["msd"] and again.result.drift_mev_per_atom_per_ps is None


def test_an_edited_number_of_atoms_is_refused(bad, release):
    edit(bad / "result.json", '"n_atoms": ', '"n_atoms": 999')
    report = merge([bad], release)
    assert (
        report.release is None and "result.json was changed after it was written" in report.skipped[0].reason
    )


def test_another_seed_under_the_old_name_is_refused_and_healed_by_asking_again(bad, release, make_spec):
    edit(bad / "spec.json", '"seed": 1', '"seed": 2')
    report = merge([bad], release)
    assert report.release is None and "spec.json" in report.skipped[0].reason
    with pytest.raises(RunFileError, match="it asks for"):
        status(bad.name)
    assert submit(make_spec(crystal=MGO, id="mp-2", seed=1)).state == "finished"


def test_a_copy_under_another_name_is_refused(bad, release, make_spec):
    other = bad.with_name(make_spec(crystal=MGO, id="mp-2", seed=2).name)
    bad.rename(other)
    edit(other / "spec.json", '"seed": 1', '"seed": 2')
    assert "was called" in merge([other], release).skipped[0].reason


def test_a_run_older_than_seals_is_merged_and_said_to_be_so(bad, release, capsys):
    (bad / SEAL_FILE).unlink()
    assert main(["mlmd", "merge", bad.name]) == 0
    assert f"Older than checksums, taken as they stand: {bad.name}" in capsys.readouterr().err


def test_a_seal_holds_the_files_that_a_release_keeps(bad):
    assert set(json.loads((bad / SEAL_FILE).read_text())["sha256"]) == {
        "spec.json",
        "result.json",
        "displacements.npz",
    }
