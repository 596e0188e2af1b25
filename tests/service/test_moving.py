"""Copying a database to the other kind and back; documents in S3; orphans."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import insert, select

from benchmarks._bench import APPROVE, installation, package
from engine.documents import (
    DocumentMissingError,
    DocumentStoreFullError,
    DocumentStoreUnreachableError,
    FolderBlobStore,
)
from engine.service.cases import list_cases, start_case
from engine.service.installation import Installation
from engine.service.moving import SourceMissingError, TargetNotEmptyError, copy_database
from engine.service.orphans import collect_orphans
from engine.service.tasks import complete_task, list_tasks
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from engine.store.database import Database
from engine.store.tables import documents, evidence


@pytest.mark.postgres
def test_a_copy_goes_to_postgresql_and_back_and_works_on(postgres, tmp_path):
    told = []
    with installation(package("approve", APPROVE)) as (app, actor):
        for amount in range(30):
            start_case(app, actor, "approve", {"amount": 90 + amount, "name": "Grüße"})
        for task in list_tasks(app, actor)[:5]:
            complete_task(app, actor, task.id)
        there = postgres.fresh()
        out = copy_database(str(app.database.url), there, lambda *progress: told.append(progress))
        assert ("cases", 30, 30) in told
        moved = Installation(app.settings, Database(there), app.clock)
        assert verify_installation(moved).faults == ()
        assert {c.id for c in list_cases(moved, actor)} == {c.id for c in list_cases(app, actor)}
        back_url = f"sqlite:///{tmp_path / 'back.db'}"
        back = copy_database(there, back_url, lambda *_: None)
        assert {(c.table, c.digest) for c in out} <= {(c.table, c.digest) for c in back}
        returned = Installation(app.settings, Database(back_url), app.clock)
        assert run_until_idle(returned).jobs == 5
        assert verify_installation(returned).faults == ()
        with pytest.raises(TargetNotEmptyError, match="not empty"):
            copy_database(there, back_url, lambda *_: None)
        returned.close()
        moved.close()


def test_a_mistyped_source_is_not_made(tmp_path):
    missing = tmp_path / "dienstwge.db"
    with pytest.raises(SourceMissingError, match="no file"):
        copy_database(f"sqlite:///{missing}", f"sqlite:///{tmp_path / 'new.db'}", lambda *_: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
def test_work_that_waits_in_procrastinate_is_not_left_behind(postgres, tmp_path):
    from engine.clock import SystemClock

    url = postgres.fresh()
    with installation(package("approve", APPROVE), database_url=url, clock=SystemClock()) as (app, actor):
        start_case(app, actor, "approve", {"amount": 200})
        complete_task(app, actor, list_tasks(app, actor)[0].id)
        target = f"sqlite:///{tmp_path / 'small.db'}"
        copy_database(url, target, lambda *_: None)
        small = Installation(app.settings, Database(target), SystemClock())
        run_until_idle(small)
        assert [task.name for task in list_tasks(small, actor)] == ["Sign"]
        small.close()


@pytest.mark.postgres
def test_work_that_waits_is_copied_on_from_copy_to_copy(postgres, tmp_path):
    """Procrastinate counts from one in every database; what an earlier copy brought is in nobody's way."""
    from engine.clock import SystemClock

    url, second = postgres.fresh(), postgres.fresh()
    with installation(package("approve", APPROVE), database_url=url, clock=SystemClock()) as (app, actor):
        last = f"sqlite:///{tmp_path / 'last.db'}"
        for here, there in ((url, second), (second, last)):
            moved = Installation(app.settings, Database(here), SystemClock())
            start_case(moved, actor, "approve", {"amount": 200})
            complete_task(moved, actor, list_tasks(moved, actor)[0].id)
            moved.close()
            assert ("procrastinate_jobs", 1) in {
                (c.table, c.rows) for c in copy_database(here, there, _quiet)
            }
        small = Installation(app.settings, Database(last), SystemClock())
        assert run_until_idle(small).jobs == 2
        assert [task.name for task in list_tasks(small, actor)] == ["Sign", "Sign"]
        small.close()


def _quiet(*_: object) -> None:
    """Tell nobody of the progress."""


def test_orphans_are_found_after_a_day_and_what_rows_name_is_kept():
    with installation() as (app, _actor):
        kept, orphan = app.documents.put_bytes(b"kept"), app.documents.put_bytes(b"orphan")
        with app.write() as tx:
            row = {"authority_id": "1", "sha256": kept.sha256, "size": 4, "stored_at": app.clock.now()}
            tx.execute(insert(documents).values(**row))
        assert collect_orphans(app, remove=True) == []
        tomorrow = datetime.now(UTC) + timedelta(days=2)
        assert collect_orphans(app, remove=False, now=tomorrow) == [orphan.sha256]
        assert collect_orphans(app, remove=True, now=tomorrow) == [orphan.sha256]
        assert list(app.documents.digests()) == [kept.sha256]
        with app.read() as tx:
            assert tx.scalar(select(documents.c.sha256)) == kept.sha256


@pytest.fixture
def s3(monkeypatch, tmp_path):
    moto = pytest.importorskip("moto", reason="moto is not installed")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    from engine.documents.s3 import open_s3

    with moto.mock_aws():
        store = open_s3("letters", "sb", tmp_path / "cache", None, "eu-central-1")
        place = {"LocationConstraint": "eu-central-1"}
        store._client.create_bucket(Bucket="letters", CreateBucketConfiguration=place)
        yield store


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_documents_lie_in_an_s3_compatible_store(s3, tmp_path):
    blob = s3.put_bytes(b"a letter" * 1000)
    assert s3.put_bytes(b"a letter" * 1000) == blob
    assert list(s3.digests()) == [blob.sha256]
    with s3.open(blob.sha256) as content:
        assert content.read() == b"a letter" * 1000
    assert s3.stored_at(blob.sha256).tzinfo is not None
    s3.delete(blob.sha256)
    assert list(s3.digests()) == []
    with pytest.raises(DocumentMissingError):
        s3.local_path(blob.sha256)
    s3._bucket = "nowhere"
    with pytest.raises(DocumentStoreFullError, match="does not take"):
        s3.put_bytes(b"x")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_check_looks_at_the_store_itself_not_at_a_copy_of_it(s3):
    with installation() as (app, _actor):
        app.documents = s3
        kept = s3.put_bytes(b"a letter")
        with app.write() as tx:
            row = {"sha256": kept.sha256, "size": 8, "name": "x", "kind": "note", "media_type": "text/plain"}
            row |= {"id": "1", "authority_id": "1", "at": app.clock.now()}
            tx.execute(insert(evidence).values({n: v for n, v in row.items() if n in evidence.c}))
        s3.local_path(kept.sha256)
        assert verify_installation(app).faults == ()
        s3._client.put_object(Bucket="letters", Key=s3._key(kept.sha256), Body=b"forged")
        assert "was changed" in verify_installation(app).faults[0]
        s3._client.delete_object(Bucket="letters", Key=s3._key(kept.sha256))
        assert "no content" in verify_installation(app).faults[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_store_that_does_not_answer_is_not_taken_for_one_that_lost_its_content(s3):
    blob = s3.put_bytes(b"a letter")
    s3._bucket = "nowhere"
    for ask in (
        lambda: s3.local_path(blob.sha256),
        lambda: s3.original(blob.sha256),
        lambda: [*s3.digests()],
    ):
        with pytest.raises(DocumentStoreUnreachableError, match=r"nowhere.*check the network"):
            ask()


def test_what_a_full_disk_cut_short_takes_no_space(tmp_path):
    store = FolderBlobStore(tmp_path)

    class Broken(BytesIO):
        def read(self, _size=-1):
            if self.tell():
                raise OSError(28, "No space left on device")
            return super().read(4)

    with pytest.raises(DocumentStoreFullError, match="No space left"):
        store.put(Broken(b"a letter"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
