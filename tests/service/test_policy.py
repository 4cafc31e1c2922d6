"""Who may start, steer, see and publish, and how large a run may be."""

from pathlib import Path

import pytest

from core.dispatch import tickets
from core.dispatch.process import ProcessIdentity
from core.errors import NotAllowedError, SettingsError
from core.service import policy as policy_module
from core.service.policy import Policy, Visitor, start
from core.tasks import list_jobs, queue
from tests.app.md_runs import spec
from tests.tasks import toy_potential

HERE = Visitor(is_local=True, browser="a" * 16)
ANNA = Visitor(name="anna", browser="b" * 16)
STRANGER = Visitor(browser="c" * 16)


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: ProcessIdentity.current())
    toy_potential.register()


def test_who_comes_through_a_proxy_is_not_local_and_has_its_name_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Visitor.of({}, None, {}).is_local
    assert Visitor.of({}, "127.0.0.1", {}).is_local
    assert not Visitor.of({}, "203.0.113.7", {}).is_local
    assert not Visitor.of({"X-Forwarded-For": "203.0.113.7"}, "127.0.0.1", {}).is_local
    assert Visitor.of({"X-Forwarded-User": "anna"}, None, {}).name is None  # nobody said to believe it
    monkeypatch.setenv("MGC_USER_HEADER", "X-Forwarded-User")
    assert Visitor.of({"x-forwarded-user": "anna"}, None, {}).name == "anna"


def test_a_cookie_tells_browsers_apart_and_is_not_kept(tmp_path: Path) -> None:
    mine = Visitor.of({}, None, {"mgc_browser": "secret"})
    assert mine.browser != Visitor.of({}, None, {"mgc_browser": "other"}).browser
    job = start(spec(), mine)
    assert "secret" not in (job.path / "owner.json").read_text()


def test_by_default_this_machine_alone_starts_and_merges() -> None:
    policy = Policy()
    policy.check_start(HERE, spec())
    policy.check_merge(HERE)
    for visitor in (ANNA, STRANGER):
        with pytest.raises(NotAllowedError, match="MGC_MAY_START"):
            policy.check_start(visitor, spec())
        with pytest.raises(NotAllowedError, match="MGC_OWNERS"):
            policy.check_merge(visitor)


def test_the_owner_names_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_MAY_START", "anna, ben")
    policy = Policy.from_environment()
    policy.check_start(ANNA, spec())
    with pytest.raises(NotAllowedError, match="to anna, ben"):
        policy.check_start(STRANGER, spec())
    monkeypatch.setenv("MGC_OWNERS", "none")
    with pytest.raises(NotAllowedError, match="nobody"):
        Policy.from_environment().check_merge(HERE)


def test_a_run_belongs_to_who_started_it() -> None:
    policy = Policy(may_start=("all",))
    job = start(spec(), STRANGER, policy)
    policy.check_steer(STRANGER, job)
    policy.check_steer(HERE, job)
    with pytest.raises(NotAllowedError, match=job.job_id):
        policy.check_steer(ANNA, job)
    nothing_known: frozenset[str] = frozenset()
    assert [policy.sees(it, job, nothing_known) for it in (STRANGER, HERE, ANNA)] == [True, True, False]
    assert policy.sees(ANNA, job, frozenset({job.spec.subject.id}))
    start(spec(), HERE, policy)  # the same run again: it stays the first one's
    assert not policy.sees(ANNA, job, nothing_known)


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"max_atoms": 10}, "MGC_MAX_ATOMS"), ({"max_ps": 0.01}, "MGC_MAX_PS"), ({"max_runs": 0}, "MGC_MAX_RUNS")],
)  # fmt: skip
def test_what_is_too_large_is_refused_with_limit_and_setting(limits: dict[str, float], words: str) -> None:
    with pytest.raises(NotAllowedError, match=words):
        start(spec(), HERE, Policy(**limits))
    assert list_jobs() == []


def test_a_full_share_of_the_disk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs" / "old").mkdir(parents=True)
    (tmp_path / "runs" / "old" / "trajectory").write_bytes(b"0" * 10_000)
    with pytest.raises(NotAllowedError, match="MGC_MAX_DISK_GB"):
        start(spec(), HERE, Policy(max_disk_gb=1e-6))


def test_what_did_not_change_is_not_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, active = (tmp_path / "runs" / name for name in ("old", "active"))
    for folder in (old, active):
        folder.mkdir(parents=True)
        (folder / "trajectory").write_bytes(b"0" * 1000)
    assert policy_module._used_bytes() == 2000
    walked: list[Path] = []
    walk = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, pattern: walked.append(path) or walk(path, pattern))
    (active / "trajectory").write_bytes(b"0" * 5000)
    (active / "progress.jsonl").touch()
    assert policy_module._used_bytes() == 6000 and walked == [active]


@pytest.mark.parametrize(("state", "may"), [("cancelled", False), ("failed", True), ("interrupted", True)])
def test_who_may_go_on_with_what_another_started(state: str, may: bool) -> None:
    """To cancel is somebody's decision; that a run broke is nobody's."""
    policy = Policy(may_start=("all",), owners=("none",))
    job = start(spec(), STRANGER, policy)
    tickets.withdraw(job.path)
    job.folder.write_status(state)
    if may:
        assert start(spec(), ANNA, policy).state == "queued"
    else:
        with pytest.raises(NotAllowedError, match="another seed"):
            start(spec(), ANNA, policy)
        assert list_jobs()[0].state == "cancelled"
        assert start(spec(), STRANGER, policy).state == "queued"


def test_a_limit_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_MAX_PS", "many")
    with pytest.raises(SettingsError, match="MGC_MAX_PS"):
        Policy.from_environment()
