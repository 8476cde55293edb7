"""Many at the same door at the same moment."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ca_core.domain.errors import CaError, NotAuthenticated, TryAgain

PASSWORD = "correct horse battery staple"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Both: how they lock and count is not the same."""
    return str(request.param)


def log_in(desk: Any, password: str = PASSWORD) -> Any:
    return desk.accounts.log_in(email="anna@example.org", password=password, source="203.0.113.5")


def test_two_people_registering_one_address_at_once_both_hear_the_same(desk: Any) -> None:
    errors: list[BaseException] = []

    def register() -> None:
        try:
            desk.accounts.register(email="anna@example.org", name="Anna", password=PASSWORD)
        except TryAgain:
            pass  # the database was busy, which says nothing of the address
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert desk.actions().count("account.registered") == 1


def test_parallel_guesses_do_not_outrun_the_lock(desk: Any) -> None:
    desk.person("anna")
    outcomes: list[type[BaseException] | None] = []

    def guess() -> None:
        for _ in range(8):
            try:
                log_in(desk, password="wrong horse battery")
                outcomes.append(None)
            except CaError as error:
                outcomes.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {NotAuthenticated, TryAgain}
    assert desk.actions().count("account.login-failed") <= 10
