"""One clock for all processes: the database's, carried forward by one that cannot be set."""

from datetime import UTC, datetime, timedelta

from hub.store.clock import SLACK, DatabaseClock

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class Machine:
    """A machine whose clock can be set, and whose ticks cannot."""

    def __init__(self) -> None:
        self.wall, self.ticks = NOON, 1000.0

    def wait(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds


def clock_of(machine: Machine) -> DatabaseClock:
    return DatabaseClock(lambda: machine.wall, lambda: machine.ticks)


def test_before_the_first_reading_it_is_the_machines() -> None:
    machine = Machine()
    clock = clock_of(machine)
    assert clock() == NOON


def test_a_machine_that_is_an_hour_wrong_tells_the_databases_time() -> None:
    machine = Machine()
    clock = clock_of(machine)
    clock.hear(NOON + timedelta(hours=1), machine.ticks)
    machine.wait(5)
    assert clock() == NOON + timedelta(hours=1, seconds=5)


def test_a_clock_that_is_set_changes_nothing() -> None:
    machine = Machine()
    clock = clock_of(machine)
    clock.hear(NOON, machine.ticks)
    machine.wall -= timedelta(hours=1)
    machine.wait(3)
    assert clock() == NOON + timedelta(seconds=3)


def test_answers_that_were_slow_do_not_make_time_jump() -> None:
    machine = Machine()
    clock = clock_of(machine)
    clock.hear(NOON, machine.ticks)
    asked_at = machine.ticks
    machine.wait(2)
    clock.hear(NOON + timedelta(seconds=0.1), asked_at)
    assert clock() == NOON + timedelta(seconds=2), "told at some moment of the two seconds: no news"


def test_a_database_whose_clock_was_set_is_followed() -> None:
    machine = Machine()
    clock = clock_of(machine)
    clock.hear(NOON, machine.ticks)
    machine.wait(1)
    later = NOON + timedelta(seconds=1) + 4 * SLACK
    clock.hear(later, machine.ticks)
    assert clock() == later
