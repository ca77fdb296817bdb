"""The file port against a real SFTP server on loopback: claimed by move, written whole, the host key pinned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncssh
import msgspec
import pytest

from hub.domain.network import Connection
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.connecting import open_files
from hub.sdk.files import RemoteFile, digest
from hub.sdk.folders import NOTE, Folders, Judged, take_files
from hub.sdk.http import HttpClient
from hub.sdk.leased import writing_while
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Unauthorised, Uncertain
from hub.sdk.sftp import CROWDED, SftpFiles
from hub.sdk.testkit.sftp import SftpSimulator
from hub.sdk.wire import NoAuth, Ssh, Transport

FOLDERS = Folders(incoming="in", claimed="in/taking", archive="done", error="bad", settle_seconds=0)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Time in hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


def login(server: SftpSimulator, **changes: object) -> Transport:
    told = {"username": server.username, "password": server.password, "host_keys": (server.host_key,), **changes}
    return Transport(base_url=server.base_url, auth=msgspec.convert(told, Ssh))


@asynccontextmanager
async def reached(server: SftpSimulator, **changes: object) -> AsyncIterator[SftpFiles]:
    files = SftpFiles(login(server, **changes), clock=Clock())
    try:
        yield files
    finally:
        await files.aclose()


@pytest.fixture
async def server() -> AsyncIterator[SftpSimulator]:
    async with SftpSimulator(folders=("in", "out", "ours")) as made:
        yield made
        assert made.violations == []


def judge(file: RemoteFile, body: bytes) -> Judged:
    item = Pulled(key=f"file:{file.name}:{digest(body)}", topic="file", object=file.name, body=body)
    return Judged(item=item, error="no letter in it" if body.isdigit() else None)


async def took(
    server: SftpSimulator,
    folders: Folders = FOLDERS,
    cursor: str | None = None,
    clock: Clock | None = None,
    into: list[Page] | None = None,
) -> list[Page]:
    """Pages of a pull, in `into` too when it is interrupted."""
    clock, pages = clock or Clock(), [] if into is None else into
    connection = Connection(id="c", merchant="m", account=1, account_name="a", adapter="x", name="x")
    async with reached(server) as files, HttpClient(Transport(base_url="http://nowhere"), clock=clock) as client:
        context = Context[Ssh](
            connection=connection,
            settings=Ssh(username="u", host_keys=()),
            client=client,
            now=clock,
            files=files,
        )
        async for page in take_files(context, folders, judge, cursor):
            pages.append(page)
    return pages


def brought(pages: list[Page]) -> list[bytes]:
    return [item.body for page in pages for item in page.items]


async def refused(files: SftpFiles) -> object:
    with pytest.raises(Interrupted) as caught:
        await files.list("in")
    return caught.value.outcome


# --- the log-in ------------------------------------------------------------------------------------------------------


async def test_only_a_pinned_host_key_is_believed(server: SftpSimulator) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint("sha256")
    for pinned in ((other,), ()):
        async with reached(server, host_keys=pinned) as files:
            outcome = await refused(files)
        assert isinstance(outcome, NeedsPerson)
        assert server.host_key in outcome.reason
    whole = server.key.export_public_key().decode()
    async with reached(server, host_keys=(other, whole)) as files:
        assert await files.list("in") == []


async def test_a_refused_log_in_is_unauthorised(server: SftpSimulator) -> None:
    async with reached(server, password="wrong") as files:
        assert isinstance(await refused(files), Unauthorised)


async def test_a_private_key_logs_in(server: SftpSimulator) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server.client_keys = (key.export_public_key().decode(),)
    text = key.export_private_key(passphrase="open sesame", rounds=64).decode()
    async with reached(server, password=None, private_key=text, passphrase="open sesame") as files:
        assert await files.list("in") == []
    async with reached(server, password=None, private_key="no key") as files:
        assert isinstance(await refused(files), NeedsPerson)


async def test_what_cannot_be_reached_is_tried_later(server: SftpSimulator) -> None:
    async with reached(server) as files:
        await server.stop()
        assert isinstance(await refused(files), RetryLater)


async def test_too_many_connections_name_a_time(server: SftpSimulator) -> None:
    async with reached(server) as files:
        server.script.append("throttle")
        outcome = await refused(files)
        assert outcome == RetryLater(reason="list in: the connection broke (SFTPConnectionLost)", at=START + CROWDED)
        assert await files.list("in") == []


async def test_a_broken_session_is_opened_anew(server: SftpSimulator) -> None:
    async with reached(server) as files:
        server.script.append("lost_reply")
        assert isinstance(await refused(files), RetryLater)
        assert await files.list("in") == []


async def test_an_idle_session_ends(server: SftpSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.sdk.sftp.IDLE_SECONDS", 0.01)
    async with reached(server) as files:
        assert await files.list("in") == []
        async with asyncio.timeout(5):
            while server.sessions:
                await asyncio.sleep(0.01)
        assert await files.list("in") == []


async def test_operations_of_many_tasks_take_turns_in_one_session(server: SftpSimulator) -> None:
    server.drop("in/a", b"x" * 100_000)
    async with reached(server) as files:
        bodies = await asyncio.gather(*(files.read("in/a") for _ in range(8)))
    assert set(bodies) == {b"x" * 100_000}


def test_a_transport_without_a_log_in_has_no_files() -> None:
    assert open_files(Transport(base_url="http://x", auth=NoAuth()), Clock()) is None


# --- taking files in -------------------------------------------------------------------------------------------------


async def test_a_file_is_stored_and_then_archived(server: SftpSimulator) -> None:
    server.drop("in/a.csv", b"abc")
    pages = await took(server)
    assert brought(pages) == [b"abc"]
    assert server.within("in") == {}
    assert server.within("in/taking") == {}
    assert server.within("done") == {"20260301T120000000000-a.csv": b"abc"}


async def test_a_bad_file_is_stored_and_lies_with_its_reason(server: SftpSimulator) -> None:
    server.drop("in/a.csv", b"123")
    assert brought(await took(server)) == [b"123"]
    name = "20260301T120000000000-a.csv"
    assert server.within("bad") == {name: b"123", name + NOTE: b"no letter in it"}


async def test_a_file_is_put_away_only_after_it_was_stored(server: SftpSimulator) -> None:
    server.drop("in/a.csv", b"abc")
    connection = Connection(id="c", merchant="m", account=1, account_name="a", adapter="x", name="x")
    async with reached(server) as files, HttpClient(Transport(base_url="http://nowhere"), clock=Clock()) as client:
        settings = Ssh(username="u", host_keys=())
        context = Context[Ssh](connection=connection, settings=settings, client=client, now=Clock(), files=files)
        pages = take_files(context, FOLDERS, judge, None)
        first = await anext(pages)
        assert brought([first]) == [b"abc"]
        assert server.within("in/taking") == {"a.csv": b"abc"}
        # Whoever took it dies here: the next one finds it claimed, and reads it under the same key.
        del pages
    again = await took(server)
    assert [item.key for page in again for item in page.items] == [first.items[0].key]
    assert server.within("in/taking") == {}


async def test_a_file_that_grows_is_waited_for(server: SftpSimulator) -> None:
    patient = msgspec.structs.replace(FOLDERS, settle_seconds=10)
    clock = Clock()
    server.drop("in/a.csv", b"ab")
    looks = await took(server, patient, None, clock)
    assert brought(looks) == []
    clock.at += timedelta(seconds=11)
    server.drop("in/a.csv", b"abc")
    looks = await took(server, patient, looks[-1].cursor, clock)
    assert brought(looks) == []
    clock.at += timedelta(seconds=9)
    assert brought(await took(server, patient, looks[-1].cursor, clock)) == []
    clock.at += timedelta(seconds=2)
    assert brought(await took(server, patient, looks[-1].cursor, clock)) == [b"abc"]


async def test_a_marker_says_that_a_file_is_whole(server: SftpSimulator) -> None:
    marked = msgspec.structs.replace(FOLDERS, done_suffix=".done", settle_seconds=1000)
    server.drop("in/a.csv", b"abc")
    server.drop("in/b.csv", b"half")
    server.drop("in/a.csv.done", b"")
    assert brought(await took(server, marked)) == [b"abc"]
    assert server.within("in") == {"b.csv": b"half"}


async def test_other_names_and_unfinished_uploads_are_left_alone(server: SftpSimulator) -> None:
    for name in ("b.txt", "a.csv.part", "c.csv.tmp", ".d.csv"):
        server.drop(f"in/{name}", b"abc")
    assert brought(await took(server, msgspec.structs.replace(FOLDERS, pattern="*.csv*"))) == []
    assert len(server.within("in")) == 4


@pytest.mark.parametrize("locked", [True, False])
async def test_a_file_that_cannot_be_read_is_told_each_time_and_holds_up_no_other(
    server: SftpSimulator, locked: bool
) -> None:
    server.drop("in/a.csv", b"abc")
    server.disk["/in/a.csv"].locked = locked
    careful = FOLDERS if locked else msgspec.structs.replace(FOLDERS, largest_bytes=2)
    for name in ("b", "c"):
        server.drop(f"in/{name}.csv", name.encode())
        pages: list[Page] = []
        with pytest.raises(Interrupted) as caught:
            await took(server, careful, into=pages)
        assert brought(pages) == [name.encode()]
        assert isinstance(caught.value.outcome, NeedsPerson)
        assert "in/taking/a.csv" in caught.value.outcome.reason
    assert server.within("in/taking") == {"a.csv": b"abc"}
    del server.disk["/in/taking/a.csv"]
    assert brought(await took(server, careful)) == []


async def test_a_name_that_is_no_text_is_taken_like_any_other(server: SftpSimulator) -> None:
    name = b"caf\xe9.csv".decode(errors="surrogateescape")
    server.drop(f"in/{name}", b"abc")
    patient = msgspec.structs.replace(FOLDERS, settle_seconds=10)
    (look,) = await took(server, patient)
    clock = Clock()
    clock.at += timedelta(seconds=11)
    (page, last) = await took(server, patient, look.cursor, clock)
    assert ([item.object for item in page.items], last.items) == (["caf%E9.csv"], ())
    assert list(server.within("done")) == ["20260301T120011000000-caf%E9.csv"]


async def test_two_takers_take_a_file_once(server: SftpSimulator) -> None:
    server.limit_sessions = 2
    for number in range(20):
        server.drop(f"in/{number}.csv", b"a%d" % number)
    found: list[Page] = []
    ends = await asyncio.gather(took(server, into=found), took(server, into=found), return_exceptions=True)
    # Who looks for a file that the other has just put away is interrupted; what it had claimed is left to the next.
    assert all(isinstance(end, list | Interrupted) for end in ends)
    await took(server, into=found)
    assert set(brought(found)) == {b"a%d" % number for number in range(20)}
    assert len(server.within("done")) == 20


async def test_a_claimed_file_that_another_pull_put_away_is_no_persons_business(server: SftpSimulator) -> None:
    server.limit_sessions = 2
    for name in ("a", "b"):
        server.drop(f"in/taking/{name}.csv", name.encode())
    connection = Connection(id="c", merchant="m", account=1, account_name="a", adapter="x", name="x")
    async with (
        reached(server) as files,
        reached(server) as others,
        HttpClient(Transport(base_url="http://nowhere"), clock=Clock()) as client,
    ):
        settings = Ssh(username="u", host_keys=())
        context = Context[Ssh](connection=connection, settings=settings, client=client, now=Clock(), files=files)
        pages = take_files(context, FOLDERS, judge, None)
        assert brought([await anext(pages)]) == [b"a"]
        assert await others.move("in/taking/b.csv", "done/b.csv")
        with pytest.raises(Interrupted) as caught:
            await anext(pages)
    assert isinstance(caught.value.outcome, RetryLater)
    assert brought(await took(server)) == []
    assert sorted(server.within("done").values()) == [b"a", b"b"]


@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("fault", ["lost_reply", "server_error"])
async def test_whatever_breaks_a_pull_the_next_one_ends_it(server: SftpSimulator, place: int, fault: str) -> None:
    server.drop("in/a.csv", b"abc")
    server.script.extend([None] * place)
    server.script.append("lost_reply" if fault == "lost_reply" else "server_error")
    found, outcome = [], None
    try:
        found += brought(await took(server))
    except Interrupted as interruption:
        outcome = interruption.outcome
    assert outcome is None or isinstance(outcome, RetryLater)
    server.script.clear()
    found += brought(await took(server))
    assert set(found) <= {b"abc"}
    assert list(server.within("done").values()) == [b"abc"]


# --- writing ---------------------------------------------------------------------------------------------------------


async def test_a_file_is_written_once(server: SftpSimulator) -> None:
    async with reached(server) as files:
        assert await files.put("out/a.csv", b"abc", staging="ours")
        assert not await files.put("out/a.csv", b"abc", staging="ours")
        with pytest.raises(Interrupted) as caught:
            await files.put("out/a.csv", b"other", staging="ours")
    assert isinstance(caught.value.outcome, NeedsPerson)
    assert server.within("out") == {"a.csv": b"abc"}
    assert server.within("ours") == {"a.csv.sent": b""}


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("place", range(4))
async def test_a_lost_reply_writes_no_second_file(server: SftpSimulator, place: int, taken: bool) -> None:
    async with reached(server) as files:
        server.script.extend([None] * place)
        server.script.append("lost_reply")
        with pytest.raises(Interrupted) as caught:
            await files.put("out/a.csv", b"abc", staging="ours")
        named = server.within("out") == {"a.csv": b"abc"}
        assert isinstance(caught.value.outcome, Uncertain) is named
        assert named is (place == 3)
        if taken and named:
            server.disk.pop("/out/a.csv")
        assert await files.put("out/a.csv", b"abc", staging="ours", look_first=True) is not named
    assert server.within("out") == ({} if taken and named else {"a.csv": b"abc"})


async def test_nobody_sees_half_a_file(server: SftpSimulator) -> None:
    async with reached(server) as files:
        server.script.extend([None, None, "server_error"])
        with pytest.raises(Interrupted):
            await files.put("out/a.csv", b"abc")
        assert [file.name for file in await files.list("out")] == []
        assert await files.put("out/a.csv", b"abc")


async def test_a_lost_lease_gives_no_name(server: SftpSimulator) -> None:
    async with reached(server) as files:
        with writing_while(lambda: False), pytest.raises(Interrupted) as caught:
            await files.put("out/a.csv", b"abc")
        assert isinstance(caught.value.outcome, Uncertain)
    assert "a.csv" not in server.within("out")


async def test_a_missing_folder_is_for_a_person(server: SftpSimulator) -> None:
    async with reached(server) as files:
        with pytest.raises(Interrupted) as caught:
            await files.put("nowhere/a.csv", b"abc")
    assert isinstance(caught.value.outcome, NeedsPerson)


async def test_a_server_that_renames_nothing_is_for_a_person(
    server: SftpSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise asyncssh.SFTPOpUnsupported("Operation not supported: SSH_FXP_RENAME")

    monkeypatch.setattr("hub.sdk.testkit.sftp._Shelf.rename", refuse)
    server.drop("in/a.csv", b"abc")
    pages: list[Page] = []
    with pytest.raises(Interrupted) as pulling:
        await took(server, into=pages)
    async with reached(server) as files:
        with pytest.raises(Interrupted) as putting:
            await files.put("out/a.csv", b"abc", staging="ours")
    for caught, doing in ((pulling, "move in/a.csv to in/taking/a.csv"), (putting, "put out/a.csv")):
        outcome = caught.value.outcome
        assert isinstance(outcome, NeedsPerson)
        assert outcome.reason == f"{doing}: the server does not support renaming files"
        assert "partner" in outcome.next_step
    assert brought(pages) == []
