"""A kind that nobody knew, added in one file: queued, run, killed, resumed, stored, listed and exported."""

import csv
import io
import json
import os
import signal
from pathlib import Path

import pytest

from core.calculations import Spec, all_kinds, read_spec
from core.cli import main
from core.errors import CalculationError
from core.service.calculations import job_row
from core.store import open_reader
from core.tasks import list_jobs, queue, released, resume, submit
from tests.store.small_release import crystals, make_release
from tests.tasks.conftest import wait_until

FOLDER = Path(__file__).parent
MODULE = "toy_kind"
TOTAL = sum(i**2 for i in range(40))


@pytest.fixture(autouse=True)
def announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named in the environment, which the worker inherits; it is the worker that ships, with no test's help."""
    monkeypatch.setenv("MGC_KINDS", MODULE)
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(queue, "WORKER", ("-m", "core.tasks.worker"))


def spec(**changes) -> Spec:
    return all_kinds()["squares"](**{"crystal": crystals()[1], "n": 40, "device": "cpu"} | changes)


def test_it_is_a_kind_and_its_spec_survives_json() -> None:
    assert all_kinds()["squares"] is not None
    again = read_spec(json.loads(json.dumps(spec().to_dict())))
    assert again.key == spec().key and again.name == spec().name


def test_only_what_differs_from_the_defaults_enters_its_identity() -> None:
    assert spec(pause_s=0.0).key == spec().key != spec(pause_s=0.5).key
    assert spec(seed=1).key != spec().key
    older = {name: value for name, value in spec().to_dict().items() if name != "pause_s"}
    assert read_spec(older).key == spec().key  # the field came later, with a default


def test_it_is_queued_run_killed_and_resumed() -> None:
    job = submit(spec(pause_s=0.05))
    job = wait_until(job, lambda it: it.progress)
    assert job.state == "running" and 0 < job.fraction < 1
    os.kill(job.folder.worker().pid, signal.SIGKILL)
    job = wait_until(job, lambda it: it.state == "interrupted")
    job = wait_until(resume(job.job_id), lambda it: not it.is_active)
    assert (job.state, job.error) == ("finished", None)
    assert job.result.total == TOTAL and job.result.n_sittings == 2
    assert [row["step"] for row in job.progress] == list(range(1, 41))
    assert job_row(job)["verdict"] == "summed"


def test_it_is_stored_listed_and_exported(tmp_path, monkeypatch, capsys) -> None:
    precomputed = tmp_path / "precomputed"
    monkeypatch.setenv("MGC_PRECOMPUTED", str(precomputed))
    make_release(precomputed, "1")
    asked = tmp_path / "spec.json"
    asked.write_text(json.dumps(spec().to_dict()))
    assert main(["runs", "submit", str(asked)]) == 0
    name = capsys.readouterr().out.strip()
    wait_until(list_jobs()[0], lambda it: not it.is_active)
    assert main(["runs", "list"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["name"], row["kind"], row["state"], row["verdict"]) == (name, "squares", "finished", "summed")
    assert main(["runs", "merge", name]) == 0
    with open_reader(precomputed) as reader:
        (kept,) = released(reader, kind="squares")
        assert kept.result.total == TOTAL and kept.spec.key == spec().key
        assert kept.read_file("terms.bin") == bytes(range(40))
    assert main(["runs", "merge", name]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["runs", "export", "-o", str(tmp_path / "all.jsonl")]) == 0
    documents = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [it["result"]["total"] for it in documents if it["name"] == name] == [TOTAL]
    assert main(["runs", "export", "--kind", "squares"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["name"], row["verdict"]) == (name, "summed")
    assert main(["runs", "kinds"]) == 0
    assert "Sum of squares" in capsys.readouterr().out


def test_a_release_is_read_where_its_kind_is_not_known(tmp_path, monkeypatch) -> None:
    precomputed = tmp_path / "precomputed"
    make_release(precomputed, "1")
    job = wait_until(submit(spec()), lambda it: not it.is_active)
    from core.tasks import merge

    merge([job.path], precomputed)
    monkeypatch.delenv("MGC_KINDS")
    with open_reader(precomputed) as reader:
        assert released(reader, kind="squares") == []
        assert len(reader.calculations(kind="squares")) == 1


def test_a_module_that_is_no_kind_is_told(monkeypatch) -> None:
    for module, words in (("no.such.module", "cannot be imported"), ("json", "SPEC must be a subclass")):
        monkeypatch.setenv("MGC_KINDS", module)
        with pytest.raises(CalculationError, match=words):
            all_kinds()


def test_a_newer_version_is_refused_by_its_number() -> None:
    with pytest.raises(CalculationError, match="version 7"):
        read_spec(spec().to_dict() | {"version": 7})
