"""Gathering: those who come while others are served are served together, and none is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from ca_core.domain.errors import TryAgain
from ca_core.services.gathering import Gathering


class Kitchen:
    """Serves whoever comes; the first serving waits until the test has seen enough come."""

    def __init__(self, *, together: int = 64, waiting: int = 512) -> None:
        self.servings: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.fail: Exception | None = None
        self.gathering: Gathering[int, str] = Gathering(self.serve, together=together, waiting=waiting)
        self.answers: dict[int, str | Exception] = {}
        self.threads: list[threading.Thread] = []

    def serve(self, items: Sequence[int]) -> Sequence[str]:
        self.servings.append(list(items))
        self.begun.set()
        assert self.go_on.wait(10)
        if self.fail is not None:
            failure, self.fail = self.fail, None
            raise failure
        return [f"served {item}" for item in items]

    def come(self, item: int) -> None:
        def ask() -> None:
            try:
                self.answers[item] = self.gathering.put(item)
            except Exception as error:
                self.answers[item] = error

        thread = threading.Thread(target=ask)
        self.threads.append(thread)
        thread.start()

    def come_all(self, items: Sequence[int]) -> None:
        """The first is being served when the others come, in their order."""
        self.come(items[0])
        assert self.begun.wait(10)
        for number, item in enumerate(items[1:], start=1):
            self.come(item)
            until(lambda number=number: len(self.gathering._queue) == number)  # type: ignore[misc]

    def end(self) -> None:
        self.go_on.set()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive(), "somebody waits for ever"


def until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(10_000):
        if holds():
            return
        waiting.wait(0.001)
    raise AssertionError("it never came to that")


def test_who_comes_alone_is_served_alone_and_at_once() -> None:
    kitchen = Kitchen()
    kitchen.go_on.set()
    assert [kitchen.gathering.put(item) for item in (1, 2)] == ["served 1", "served 2"]
    assert kitchen.servings == [[1], [2]]


def test_who_comes_during_a_serving_shares_the_next() -> None:
    kitchen = Kitchen()
    kitchen.come_all([1, 2, 3, 4])
    kitchen.end()
    assert kitchen.servings == [[1], [2, 3, 4]]
    assert kitchen.answers == {item: f"served {item}" for item in (1, 2, 3, 4)}


def test_no_serving_is_larger_than_it_may_be() -> None:
    kitchen = Kitchen(together=2)
    kitchen.come_all([1, 2, 3, 4])
    kitchen.end()
    assert kitchen.servings == [[1], [2, 3], [4]]
    assert kitchen.answers == {item: f"served {item}" for item in (1, 2, 3, 4)}


def test_when_too_many_wait_the_next_is_told_to_come_again() -> None:
    kitchen = Kitchen(waiting=2)
    kitchen.come_all([1, 2, 3])
    with pytest.raises(TryAgain) as refusal:
        kitchen.gathering.put(4)
    assert refusal.value.retry_after == 1
    kitchen.end()
    assert kitchen.servings == [[1], [2, 3]]


def test_a_serving_that_fails_fails_for_all_of_it_and_the_next_goes_on() -> None:
    kitchen = Kitchen(together=2)
    kitchen.come_all([1, 2, 3, 4])
    kitchen.fail = None
    first = kitchen.serve

    def breaking(items: Sequence[int]) -> Sequence[str]:
        if 2 in items:
            raise RuntimeError("the oven is out")
        return first(items)

    kitchen.gathering._serve = breaking
    kitchen.end()
    assert isinstance(kitchen.answers[2], RuntimeError), "the thread that ran it says what happened"
    assert isinstance(kitchen.answers[3], TryAgain)
    assert kitchen.answers[4] == "served 4"
