"""Code tables in layers."""

import pytest

from hub.mapping.errors import MappingFault, Unmapped
from hub.mapping.tables import CodeTables, Layered, load_tables

SHIPPED = {"carrier": {"UPS": "ups", "DHL": "dhl"}}


def test_the_merchants_words_come_first():
    tables = CodeTables({"carrier": {"DHL": "dhl_express"}}, SHIPPED)
    assert tables.find("carrier", "DHL") == "dhl_express"
    assert tables.find("carrier", "UPS") == "ups"


def test_words_match_without_regard_to_case_when_not_exactly():
    assert CodeTables({"t": {"Paid": "x", "paid": "y"}}).find("t", "paid") == "y"
    assert CodeTables(SHIPPED).find("carrier", "dhl") == "dhl"


def test_an_unknown_word_is_none_or_raises():
    tables = Layered({"carrier": {"Bote": "own"}}, CodeTables(SHIPPED))
    assert tables.require("carrier", "bote") == "own"
    assert tables.find("carrier", "Pigeon") is None
    with pytest.raises(Unmapped, match="carrier 'Pigeon' is not mapped") as caught:
        tables.require("carrier", "Pigeon")
    assert (caught.value.kind, caught.value.value) == ("carrier", "Pigeon")


@pytest.mark.parametrize(
    ("text", "position"),
    [("x = 1", "x"), ("[t]\na = 5", "t.a"), ("[t]\na = ''", "t.a"), ("[t", "tables")],
)
def test_a_table_file_that_is_wrong_names_the_place(text, position):
    with pytest.raises(MappingFault) as caught:
        load_tables(text)
    assert caught.value.position == position
