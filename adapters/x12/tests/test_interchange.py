"""The tolerant reader: delimiters, envelopes, noise, cuts."""

import random
import time
from pathlib import Path

import pytest

from adapters.x12.harness import BOUGHT, CHANGES, LEVELS, PROFILE, RECEIVED, SHIPPED
from adapters.x12.interchange import MOST_UNREADABLE, Interchange, NotX12, read
from adapters.x12.settings import Profile
from adapters.x12.simulator import X12Partner
from adapters.x12.split import refusal, split
from adapters.x12.translate import READERS
from hub.mapping.tables import CodeTables, load_tables
from hub.sdk.translate import Malformed, Unmapped

FILE = Path(__file__).resolve().parents[3] / "mappings" / "x12" / "tables.toml"
NOISE = (
    b"*",
    b"~",
    b"~\r\n",
    b"",
    b"99",
    b"-1",
    b"ISA",
    b"ST*",
    b"SE*",
    b"\xc2\xb2",
    b"\xff\x00",
    b"1e9",
    b"NaN",
    b"~~**",
)
BODY = [("W15", "20260116", "ADJ-1"), ("W19", "06", "-2", "EA", "", "VN", "MUG")]


@pytest.fixture
def good() -> bytes:
    return X12Partner().file("947", BODY)


def only(body: bytes) -> Interchange:
    (found,) = read(body)
    return found


def names(found: Interchange) -> list[str]:
    groups = [finding for group in found.groups for finding in group.findings]
    inner = [finding for group in found.groups for one in group.transactions for finding in one.findings]
    return [finding.name for finding in (*found.findings, *groups, *inner)]


def segments(found: Interchange) -> list[tuple[str, ...]]:
    return [s for group in found.groups for one in group.transactions for s in one.segments]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: "\ufeff  \r\n" + text,
        lambda text: text.replace("\r\n", ""),
        lambda text: text.replace("~\r\n", "\n"),
        lambda text: text.replace("~\r\n", "\r\n"),
        lambda text: text.replace("~\r\n", "'"),
        lambda text: text.replace("*", "|").replace("~", "\x1c"),
        lambda text: text.replace("*", "^").replace(">", "\\"),
        lambda text: text.replace(" ", "").replace("WAREHOUSE1", "WAREHOUSE1  "),
        lambda text: text.replace("*P*>~", "*P*~"),
        lambda text: text.replace("*P*>~", "*P~"),
        lambda text: text + "\n\n\x1a",
        lambda text: text.replace("~\r\n", "\r"),
        lambda text: text.replace("~\r\n", "~\r"),
        lambda text: text.replace("~\r\n", "~  "),
        lambda text: text.replace("~\r\n", "~ \n"),
        lambda text: text.replace("*", "\x1d").replace("~\r\n", "\x1c").replace(">", "\x1f"),
        lambda text: text.replace("*", "\t"),
        lambda text: text.replace("*", "]"),
    ],
)
def test_the_same_is_read_however_it_is_written(good: bytes, change: object) -> None:
    assert callable(change)
    found = only(change(good.decode()).encode())
    assert found.fault is None
    assert (found.sender, found.receiver) == (PROFILE.partner, PROFILE.us)
    assert segments(found) == BODY
    assert set(names(found)) <= {"no_component_separator"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "latin-1"])
def test_the_same_is_read_in_whatever_encoding_it_comes(good: bytes, encoding: str) -> None:
    text = good.decode().replace("MUG", "MUG-\u00c9")
    found = only(("\ufeff" * (encoding == "utf-16-be") + text).encode(encoding))
    assert segments(found)[1][-1] == "MUG-\u00c9"
    assert names(found) == []


def test_bare_transactions_end_their_segments_as_they_like(good: bytes) -> None:
    bare = good[good.index(b"ST*") : good.index(b"GE*")].decode()
    for text in (bare, bare.replace("~\r\n", "\r"), bare.replace("~\r\n", "\n"), bare.replace("*", "\x1d")):
        assert segments(only(text.encode())) == BODY


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("SE*4*", "SE*9*", "segment_count"),
        ("SE*4*0001", "SE*0001", "segment_count"),
        ("SE*4*0001", "SE*4*0002", "control_number"),
        ("GE*1*1", "GE*2*1", "transaction_count"),
        ("GE*1*1", "GE*1*7", "group_control_number"),
        ("IEA*1*", "IEA*3*", "group_count"),
        ("IEA*1*000000001", "IEA*1*000000002", "interchange_control_number"),
        ("IEA*1*000000001~\r\n", "", "no_iea"),
        ("GE*1*1~\r\n", "", "no_ge"),
    ],
)
def test_a_count_that_is_wrong_is_told_and_the_rest_is_read(good: bytes, old: str, new: str, name: str) -> None:
    found = only(good.replace(old.encode(), new.encode()))
    assert name in names(found)
    assert segments(found) == BODY
    assert not any(finding.fatal for finding in found.groups[0].transactions[0].findings)


def test_several_of_everything(good: bytes) -> None:
    start, end = good.index(b"ST*"), good.index(b"GE*")
    transaction = good[start:end]
    group = good[good.index(b"GS*") : good.index(b"IEA*")]
    many = good[:end] + transaction.replace(b"0001", b"0002") + good[end:].replace(b"IEA*1", group + b"IEA*2")
    first, second = read(many.replace(b"GE*1*1", b"GE*2*1", 1) + b"junk\r\n" + good)
    assert [len(one.transactions) for one in first.groups] == [2, 1]
    assert names(first) == ["junk"]
    assert segments(second) == BODY


def test_a_number_is_twice_only_within_its_group(good: bytes) -> None:
    text = good.decode()
    one = text[text.index("ST*") : text.index("GE*")]
    group = text[text.index("GS*") : text.index("IEA*")]
    twice = text.replace(one, one * 2).replace("GE*1*", "GE*2*")
    assert names(only(twice.encode())) == ["control_number_twice"]
    assert names(only(text.replace(group, group * 2).replace("IEA*1*", "IEA*2*").encode())) == []


def test_a_file_of_very_many_transactions_is_read_in_time_that_grows_with_it(good: bytes) -> None:
    text = good.decode()
    one = text[text.index("ST*") : text.index("GE*")]
    many = "".join(one.replace("0001", f"{number:06}") for number in range(20_000))
    began = time.process_time()
    found = only(text.replace(one, many).replace("GE*1*", "GE*20000*").encode())
    # A second where each is compared with none of the others, ten where it is with all.
    assert time.process_time() - began < 5
    assert (len(found.groups[0].transactions), names(found)) == (20_000, [])


def test_an_interchange_that_begins_before_the_last_one_ended(good: bytes) -> None:
    cut = good[: good.index(b"GE*")]
    first, second = read(cut + good)
    assert segments(first) == segments(second) == BODY
    assert names(first) == ["no_iea", "no_ge"]


@pytest.mark.parametrize("end", [b"W19*06*-2", b"SE*"])
def test_what_is_cut_off_is_refused_and_what_was_whole_before_is_not(good: bytes, end: bytes) -> None:
    whole = good[: good.index(b"GE*")]
    second = good[good.index(b"ST*") : good.index(end)].replace(b"0001", b"0002")
    found = only(whole + second)
    one, other = found.groups[0].transactions
    assert one.fault is None
    assert other.fault is not None
    assert other.fault.name == "truncated"
    items = split([found], PROFILE, {})
    assert [item.topic for item in items] == ["947", "answer"]
    with pytest.raises(Malformed, match="truncated"):
        READERS["answer"](items[1].body, CodeTables())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\x00", "empty"),
        (b"<!DOCTYPE html><html>gateway</html>", "html"),
        (b"<?xml version='1.0'?><a/>", "xml"),
        (b'{"error": 1}', "json"),
        (b"UNB+UNOA:1+A+B'", "edifact"),
        (b"sku,quantity\nMUG,1\n", "no_header"),
        (b"ST*945", "no_delimiters"),
        (b"\xff\xfe\x00bin", "no_header"),
    ],
)
def test_what_is_no_x12_is_refused_by_name(body: bytes, reason: str) -> None:
    with pytest.raises(NotX12) as found:
        read(body)
    assert found.value.reason == reason


@pytest.mark.parametrize("body", [b"ISA", b"ISA*00*", b"ISAAAAAAAAAA", b"ISA*1*2~GS*3~", b"ISA*" * 15])
def test_an_isa_that_cannot_be_read_is_refused_alone(body: bytes, good: bytes) -> None:
    fault = read(body)[0].fault
    assert fault is not None
    assert fault.name == "bad_isa"
    assert segments(read(body + b"~\r\n" + good)[-1]) == BODY


def test_a_file_of_unreadable_headers_has_an_end() -> None:
    assert len(read(b"ISA*" * 5000)) == MOST_UNREADABLE + 1


def test_an_envelope_around_nothing_is_told(good: bytes) -> None:
    empty = good[: good.index(b"ST*")] + good[good.index(b"GE*") :].replace(b"GE*1", b"GE*0")
    (item,) = split(read(empty), PROFILE, {})
    with pytest.raises(Malformed, match="nothing_inside"):
        READERS[item.topic](item.body, CodeTables())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("WAREHOUSE1     *", "WAREHOUSE2     *", "wrong_sender: the file names ZZ/WAREHOUSE2, agreed is ZZ/WAREHOUSE1"),
        ("ZZ*WAREHOUSE1", "01*WAREHOUSE1", "wrong_sender"),
        ("CROSSDOCK      *", "SOMEONE        *", "wrong_receiver"),
        ("*0*P*", "*0*T*", "wrong_usage"),
    ],
)
def test_a_file_that_is_not_between_us_is_refused(good: bytes, old: str, new: str, reason: str) -> None:
    found = only(good.replace(old.encode(), new.encode(), 1))
    assert (refusal(found, PROFILE) or "").startswith(reason)


def test_bare_transactions_are_taken_only_by_agreement(good: bytes) -> None:
    found = only(good[good.index(b"ST*") : good.index(b"GE*")])
    assert (refusal(found, PROFILE) or "").startswith("no_envelope")
    agreed = Profile(us=PROFILE.us, partner=PROFILE.partner, bare=True, location="dock")
    (item,) = split([found], agreed, {})
    assert item.topic == "947"


def test_the_same_document_in_another_envelope_has_the_same_key() -> None:
    partner = X12Partner()
    keys = [split(read(partner.file("947", BODY)), PROFILE, {})[0].key for _ in range(2)]
    assert keys[0] == keys[1]
    other = [BODY[0], ("W19", "06", "-3", "EA", "", "VN", "MUG")]
    assert split(read(partner.file("947", other)), PROFILE, {})[0].key != keys[0]
    unnumbered = [("W15", "20260116"), BODY[1]]
    first, second = (split(read(partner.file("947", unnumbered)), PROFILE, {})[0].key for _ in range(2))
    assert first != second


@pytest.mark.parametrize("seed", range(6))
def test_whatever_bytes_come_they_are_read_or_refused(seed: int) -> None:
    chance, tables = random.Random(seed), CodeTables(load_tables(FILE.read_text("utf-8")))
    stored = (SHIPPED, RECEIVED, BOUGHT, LEVELS, CHANGES)
    bodies = [X12Partner().file(str(one["set"]), one["segments"]) for one in stored]  # type: ignore[arg-type]
    seen = set()
    for _ in range(400):
        body = bytearray(chance.choice(bodies))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 3)] = chance.choice(NOISE)
        try:
            items = split(read(bytes(body)), PROFILE, {})
        except NotX12 as fault:
            seen.add(fault.reason)
            continue
        assert items
        for item in items:
            try:
                READERS[item.topic](item.body, tables)
            except (Malformed, Unmapped) as fault:
                seen.add(type(fault).__name__)
    assert {"Malformed", "Unmapped"} <= seen
