"""E-mail addresses: confirmed by a link in a letter, by whoever is logged in; where no letters go out, never asked."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import Client, TestResponse

from ca_core.domain.access import SYSTEM_ACTOR, Role
from ca_core.domain.account import Account
from ca_core.domain.audit import said
from ca_core.domain.errors import AddressUnconfirmed, Duplicate, InvalidInput, NotAuthenticated, NotPermitted
from ca_core.services.addresses import LINK_LASTS
from ca_core.storage.tables import accounts
from pechatnik.wsgi import compose
from web.limits import limiter

PASSWORD = "correct horse battery staple"
MAIL = '[mail]\nhost = "127.0.0.1"\n'
ANNA = "anna@example.org"


class Postbox:
    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def send(self, **letter: str) -> None:
        self.sent.append(letter)

    def link(self) -> str:
        """The link in the last letter."""
        return re.search(r"http://pki\.example\.com(/confirm-address\?token=\S+)", self.sent[-1]["text"])[1]  # type: ignore[index]

    def token(self) -> str:
        return self.link().partition("=")[2]


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def posting(open_house: Any, postbox: Postbox) -> Any:
    """An authority that sends letters."""
    house = open_house(extra=MAIL)
    house.services.addresses._mailer = house.services.notices._mailer = postbox
    return house


def post(house: Any) -> None:
    house.program.worker.run_once()


def anna(house: Any) -> Account:
    return house.services.accounts.find_by_email(house.administrator, ANNA)  # type: ignore[no-any-return]


def registered(house: Any, language: str = "en") -> Account:
    house.services.accounts.register(email=ANNA, name="Anna", password=PASSWORD, language=language)
    post(house)
    return anna(house)


def records(house: Any, account: Account) -> list[tuple[str, Any]]:
    found = house.services.audit.list(house.auditor, object_id=str(account.id))
    return [(one.action, one.details) for one in found if "address" in one.action or one.action == "letter.sent"]


def test_until_it_is_confirmed_everything_but_submitting_goes_on(posting: Any, postbox: Postbox) -> None:
    me = registered(posting).actor()
    application = posting.apply(posting.signing(), by=me)
    posting.attach(application, "request-form", by=me)
    with pytest.raises(AddressUnconfirmed):
        posting.submit(application, by=me)
    posting.services.addresses.confirm(me, postbox.token())
    assert posting.submit(application, by=me).state.value == "submitted"


def test_staff_submit_for_somebody_whose_address_is_not_confirmed(posting: Any) -> None:
    new = posting.tls(registered(posting).actor())
    assert posting.submit(posting.apply(new, by=posting.operator), by=posting.operator).state.value == "submitted"


@pytest.mark.parametrize(("language", "word"), [("en", "24 hours"), ("ru", "24 часа"), ("ar", "24 ساعة")])
def test_the_letter_is_in_the_language_of_the_account(posting: Any, postbox: Postbox, language: str, word: str) -> None:
    registered(posting, language)
    [letter] = postbox.sent
    assert (letter["to"], word in letter["text"]) == (ANNA, True)


def test_the_link_is_good_once_for_its_account_and_for_a_day(posting: Any, postbox: Postbox, clock: Any) -> None:
    account = registered(posting)
    confirm, token = posting.services.addresses.confirm, postbox.token()
    for who, wrong in ((posting.subscriber, token), (account.actor(), token[:-8] + "AAAAAAA="), (account.actor(), "ё")):
        with pytest.raises(InvalidInput):
            confirm(who, wrong)
    clock.advance(LINK_LASTS)
    with pytest.raises(InvalidInput):
        confirm(account.actor(), token)
    posting.services.addresses.ask_again(account.actor())
    post(posting)
    fresh = postbox.token()
    assert confirm(account.actor(), fresh).email_confirmed_at == clock()
    with pytest.raises(InvalidInput):
        confirm(account.actor(), fresh)
    posting.services.addresses.ask_again(account.actor())
    post(posting)
    assert len(postbox.sent) == 2, "what is confirmed is asked no more"


def test_an_api_token_confirms_nothing(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    with pytest.raises(NotPermitted):
        posting.services.addresses.confirm(account.actor(scopes=frozenset()), postbox.token())


def test_accounts_made_by_staff_count_as_confirmed(posting: Any) -> None:
    account = posting.services.accounts.get(SYSTEM_ACTOR, posting.subscriber.id)
    assert account.email_confirmed_at == account.created_at
    assert posting.submit(posting.apply()).state.value == "submitted"


def test_without_letters_nobody_is_asked(house: Any) -> None:
    account = registered(house)
    assert not house.services.addresses.waits(account)
    assert house.submit(house.apply(house.tls(), by=account.actor()), by=account.actor()).state.value == "submitted"
    assert [job.kind for job in house.services.jobs.list(SYSTEM_ACTOR, limit=200).items].count("letter") == 0
    with pytest.raises(NotPermitted):
        house.services.accounts.change_email(
            account.actor(), email="new@example.org", current=PASSWORD, source="203.0.113.5"
        )


def register_again(house: Any, password: str) -> None:
    house.services.accounts.register(email=ANNA, name="The true Anna", password=password)
    post(house)


def test_an_address_that_nobody_confirmed_in_time_is_of_whoever_registers_it_next(
    posting: Any, postbox: Postbox, clock: Any
) -> None:
    before, mine = registered(posting), "another horse battery"
    log_in = posting.services.accounts.log_in
    _, token = posting.services.tokens.create(
        before.actor(), label="script", scopes=before.actor().permissions, days=30
    )
    clock.advance(LINK_LASTS - timedelta(seconds=1))
    register_again(posting, mine)
    assert log_in(email=ANNA, password=PASSWORD, source="203.0.113.5").name == "Anna", "the link is still good"
    clock.advance(timedelta(seconds=1))
    register_again(posting, mine)
    account = log_in(email=ANNA, password=mine, source="203.0.113.5")
    assert (account.id, account.name, account.created_at) == (before.id, "The true Anna", clock())
    for refused in (
        lambda: log_in(email=ANNA, password=PASSWORD, source="203.0.113.5"),
        lambda: posting.services.tokens.authenticate(token),
    ):
        with pytest.raises(NotAuthenticated):
            refused()
    actions = [one.action for one in posting.services.audit.list(posting.auditor, object_id=str(account.id))]
    assert actions.count("account.registered-again") == 1
    assert posting.services.audit.verify(posting.auditor).ok
    assert posting.services.addresses.confirm(account.actor(), postbox.token()).email_confirmed_at == clock()
    assert posting.services.audit.verify(posting.auditor).ok


@pytest.mark.parametrize("kept_by", ["confirmation", "application", "staff", "change", "closing"])
def test_an_account_that_is_in_use_is_not_taken_over(posting: Any, postbox: Postbox, clock: Any, kept_by: str) -> None:
    before, accounts = registered(posting), posting.services.accounts
    match kept_by:
        case "confirmation":
            posting.services.addresses.confirm(before.actor(), postbox.token())
        case "application":
            posting.apply(posting.signing(), by=before.actor())
        case "staff":
            accounts.change_roles(posting.administrator, before.id, roles=[Role.SUPPORT], centres=[])
        case "change":  # which waits for a second administrator
            accounts.change_roles(posting.administrator, before.id, roles=[Role.REVIEWER], centres=[])
        case "closing":
            accounts.deactivate(posting.administrator, before.id)
    clock.advance(LINK_LASTS)
    now = anna(posting)
    register_again(posting, "another horse battery")
    assert anna(posting) == now


def test_where_no_letters_go_out_no_account_is_taken_over(house: Any, clock: Any) -> None:
    before = registered(house)
    clock.advance(LINK_LASTS)
    register_again(house, "another horse battery")
    assert anna(house) == before


def change(house: Any, account: Account, email: str, current: str = PASSWORD) -> None:
    house.services.accounts.change_email(account.actor(), email=email, current=current, source="203.0.113.5")
    post(house)


def test_another_address_holds_when_it_is_confirmed_and_the_old_one_is_told(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    posting.services.addresses.confirm(account.actor(), first := postbox.token())
    account = anna(posting)
    change(posting, account, "New@example.org")
    assert anna(posting) == account
    assert postbox.sent[-1]["to"] == "new@example.org"
    token = postbox.token()
    changed = posting.services.addresses.confirm(account.actor(), token)
    assert (changed.email, changed.email_confirmed_at) == ("new@example.org", posting.program.clock())
    for spent in (first, token):
        with pytest.raises(InvalidInput):
            posting.services.addresses.confirm(changed.actor(), spent)
    post(posting)
    assert {one["to"] for one in postbox.sent[-2:]} == {ANNA, "new@example.org"}
    assert all("another e-mail address" in one["text"] for one in postbox.sent[-2:])
    log_in = posting.services.accounts.log_in
    assert log_in(email="new@example.org", password=PASSWORD, source="203.0.113.5").id == account.id


def test_an_address_that_was_asked_for_before_somebody_became_staff_is_not_taken(
    posting: Any, postbox: Postbox
) -> None:
    account = registered(posting)
    posting.services.addresses.confirm(account.actor(), postbox.token())
    change(posting, anna(posting), "new@example.org")
    with posting.program.transactions.begin(SYSTEM_ACTOR) as tx:
        tx.accounts.replace(replace(anna(posting), roles=frozenset({Role.SUPPORT})))
    with pytest.raises(NotPermitted):
        posting.services.addresses.confirm(anna(posting).actor(), postbox.token())
    assert anna(posting).email == ANNA


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(
    "values", [{"email": "evil@example.net"}, {"email_confirmed_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_an_address_that_was_not_confirmed_by_its_link_contradicts_the_record(
    posting: Any, postbox: Postbox, confirmed: bool, values: dict[str, object]
) -> None:
    account = registered(posting)
    if confirmed:
        posting.services.addresses.confirm(account.actor(), postbox.token())
        change(posting, anna(posting), "new@example.org")
        assert posting.services.audit.verify(posting.auditor).ok
        posting.services.addresses.confirm(anna(posting).actor(), postbox.token())
    assert posting.services.audit.verify(posting.auditor).ok
    with posting.program.engine.begin() as connection:
        connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))
    [fault] = posting.services.audit.verify(posting.auditor).faults
    assert (fault.table, fault.object) == ("accounts", str(account.id))


def test_what_happened_to_an_address_is_on_record_and_the_address_is_not(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    confirmed = posting.services.addresses.confirm(account.actor(), postbox.token())
    found = records(posting, confirmed)
    assert [action for action, _ in found] == ["account.address-asked", "letter.sent", "account.address-confirmed"]
    assert {details.get("address", details.get("to")) for _, details in found} == {said(ANNA)}
    assert ANNA not in str([details for _, details in found])


def test_whether_an_address_is_taken_shows_in_no_answer(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    taken = posting.subscriber.name
    change(posting, account, taken)
    assert postbox.sent[-1]["to"] == taken, "as to any other"
    with pytest.raises(Duplicate):
        posting.services.addresses.confirm(account.actor(), postbox.token())
    assert posting.services.accounts.register(email=ANNA, name="Eve", password=PASSWORD) is None
    assert posting.services.accounts.register(email="eve@example.org", name="Eve", password=PASSWORD) is None


def test_changing_needs_the_password_and_is_not_for_staff(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    with pytest.raises(InvalidInput):
        change(posting, account, "new@example.org", "wrong horse battery")
    operator = posting.services.accounts.get(SYSTEM_ACTOR, posting.operator.id)
    with pytest.raises(NotPermitted):
        change(posting, operator, "new@example.org")
    assert [one["to"] for one in postbox.sent] == [ANNA]


def test_the_page_says_which_address_is_going_to_be_confirmed(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    posting.services.addresses.confirm(account.actor(), spent := postbox.token())
    change(posting, anna(posting), "new@example.org")
    browser = Browser(compose(posting.program))
    browser.get("/login")
    browser.post("/login", email=ANNA, password=PASSWORD)
    page = browser.get(postbox.link()).text
    assert "<strong><bdi>new@example.org</bdi></strong>" in page
    assert f"no longer with this one: <bdi>{ANNA}</bdi>" in page
    refused = browser.get(f"/confirm-address?token={spent}")
    assert (refused.status_code, "used already" in refused.text) == (422, True)


class Browser:
    def __init__(self, application: Any) -> None:
        limiter.reset()
        self.client = Client(application)
        self.token = ""

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path)
        if found := re.search(r'name="csrf_token" value="([^"]+)"', answer.text):
            self.token = found[1]
        return answer

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **fields})


def test_opening_the_link_confirms_nothing_and_the_button_does(posting: Any, postbox: Postbox) -> None:
    account = registered(posting)
    browser, link = Browser(compose(posting.program)), postbox.link()
    assert browser.get(link).location.startswith("/login?next=/confirm-address?token")
    browser.get("/login")
    target = browser.post("/login", email=ANNA, password=PASSWORD, next=link).location
    assert "Send it again" in browser.get("/").text
    number = posting.apply(by=account.actor()).number
    assert f"/applications/{number}/submit" not in browser.get(f"/applications/{number}").text
    page = browser.get(target).text
    assert posting.services.addresses.waits(anna(posting)), "a program that looks through mail opens links too"
    token = html.unescape(re.search(r'name="token" value="([^"]+)"', page)[1])  # type: ignore[index]
    assert browser.post("/confirm-address", token=token).location == "/"
    assert not posting.services.addresses.waits(anna(posting))
    assert f"/applications/{number}/submit" in browser.get(f"/applications/{number}").text
    again = browser.post("/confirm-address", token=token)
    assert (again.status_code, "used already" in again.text) == (422, True)


def test_letters_are_rationed(posting: Any) -> None:
    registered(posting)
    browser = Browser(compose(posting.program))
    browser.get("/login")
    browser.post("/login", email=ANNA, password=PASSWORD)
    browser.get("/address")
    assert [browser.post("/address/again").status_code for _ in range(6)] == [302] * 5 + [429]
    limiter.reset()


def test_where_no_letters_go_out_there_are_no_such_pages(house: Any) -> None:
    browser = Browser(compose(house.program))
    assert [browser.get(path).status_code for path in ("/address", "/confirm-address")] == [404, 404]


def test_a_link_says_nothing_when_the_account_was_closed(posting: Any, postbox: Postbox, clock: Any) -> None:
    posting.services.accounts.register(email=ANNA, name="Anna", password=PASSWORD)
    posting.services.accounts.deactivate(posting.administrator, anna(posting).id)
    clock.advance(timedelta(seconds=1))
    post(posting)
    assert postbox.sent == []
