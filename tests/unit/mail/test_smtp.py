"""Mail handed to a real SMTP server, which takes it, refuses it, or is not there."""

from __future__ import annotations

import datetime as dt
import email
import socket
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ca_core.domain.errors import ConfigurationError, InvalidInput, Refused, TryAgain
from ca_core.mail.smtp import SmtpMailer

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)


class Postbox:
    """Takes what comes; answers RCPT or DATA with a refusal when told to."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.recipients: list[str] = []
        self.logins: list[bytes] = []
        self.rcpt_answer = "250 OK"
        self.data_answer = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            self.recipients.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append(envelope.content)
        return self.data_answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data.password == b"right", handled=False)

    def only(self) -> EmailMessage:
        (content,) = self.received
        message = email.message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay")])
    present = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(present - dt.timedelta(days=1))
        .not_valid_after(present + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("relay") / "relay.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@pytest.fixture
def relay(certificate: Path) -> Iterator[Callable[..., tuple[Postbox, int]]]:
    """Starts servers: ``relay("starttls")`` gives a postbox and its port."""
    running: list[Controller] = []

    def start(security: str = "none", **options: Any) -> tuple[Postbox, int]:
        postbox = Postbox()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if security == "tls":
            options |= {"ssl_context": context, "auth_require_tls": False}  # it only knows of STARTTLS
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(postbox, hostname="localhost", port=port, authenticator=postbox.authenticate, **options)
        controller.start()
        running.append(controller)
        return postbox, port

    yield start
    for controller in running:
        controller.stop()


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def mailer(port: int, security: Any = "none", **options: Any) -> SmtpMailer:
    settings = {"sender": "Pechatnik <ca@example.org>", "timeout": 5.0, "clock": lambda: NOW, **options}
    return SmtpMailer(host="localhost", port=port, security=security, **settings)


def send(through: SmtpMailer, **changes: str) -> None:
    through.send(
        **{
            "to": "anna@example.org",
            "subject": "Заявление 2026-000001 одобрено",
            "text": "Здравствуйте!\n.\nВсё в порядке.\n",
            "message_id": "0190-notice",
            **changes,
        }
    )


def test_a_message_arrives_as_it_was_written(relay: Callable[..., tuple[Postbox, int]]) -> None:
    postbox, port = relay()
    send(mailer(port))
    message = postbox.only()
    assert postbox.recipients == ["anna@example.org"]
    assert message["Subject"] == "Заявление 2026-000001 одобрено"
    assert message.get_content().replace("\r\n", "\n") == "Здравствуйте!\n.\nВсё в порядке.\n"
    assert message["From"] == "Pechatnik <ca@example.org>"
    assert message["To"] == "anna@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<0190-notice@example.org>"
    assert message["Date"].datetime == NOW


def test_headers_on_the_wire_are_ascii_in_encoded_words(relay: Callable[..., tuple[Postbox, int]]) -> None:
    postbox, port = relay()
    send(mailer(port, sender="Печатник <ca@example.org>"))
    head = postbox.received[0].split(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"=?utf-8?" in head
    assert postbox.only()["From"] == "Печатник <ca@example.org>"


def test_the_same_notice_keeps_its_message_id(relay: Callable[..., tuple[Postbox, int]]) -> None:
    postbox, port = relay()
    send(mailer(port))
    send(mailer(port))
    ids = {email.message_from_bytes(content)["Message-ID"] for content in postbox.received}
    assert len(postbox.received) == 2
    assert len(ids) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_goes_over_tls(relay: Callable[..., tuple[Postbox, int]], certificate: Path, security: str) -> None:
    postbox, port = relay(security)
    send(mailer(port, security, tls=trusting(certificate), username="ca", password="right"))
    assert postbox.only()["Subject"]
    assert postbox.logins == [b"ca"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_relay_whose_certificate_nobody_vouches_for_gets_nothing(
    relay: Callable[..., tuple[Postbox, int]], security: str
) -> None:
    postbox, port = relay(security)
    with pytest.raises(ConfigurationError):
        send(mailer(port, security))
    assert postbox.received == []


def test_a_relay_without_starttls_gets_nothing(relay: Callable[..., tuple[Postbox, int]]) -> None:
    postbox, port = relay()
    with pytest.raises(ConfigurationError):
        send(mailer(port, "starttls"))
    assert postbox.received == []


def test_a_wrong_password_is_a_matter_of_configuration(
    relay: Callable[..., tuple[Postbox, int]], certificate: Path
) -> None:
    postbox, port = relay("starttls")
    with pytest.raises(ConfigurationError):
        send(mailer(port, "starttls", tls=trusting(certificate), username="ca", password="wrong"))
    assert postbox.received == []


@pytest.mark.parametrize("part", ["rcpt_answer", "data_answer"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 try later", TryAgain), ("421 closing", TryAgain), ("550 no such mailbox", Refused)],
    ids=["451", "421", "550"],
)
def test_what_the_relay_answers_says_whether_to_try_again(
    relay: Callable[..., tuple[Postbox, int]], part: str, answer: str, error: type[Exception]
) -> None:
    postbox, port = relay()
    setattr(postbox, part, answer)
    with pytest.raises(error) as caught:
        send(mailer(port))
    assert "anna" not in str(caught.value)


def test_a_relay_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TryAgain):
        send(mailer(port))


def test_a_relay_that_says_nothing_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TryAgain):
        send(mailer(silent.getsockname()[1], timeout=0.2))


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: everybody@example.org"},
        {"subject": "Hello\nX: y"},
        {"subject": ""},
        {"to": "anna@example.org\r\nRCPT TO:<b@example.org>"},
        {"to": "anna@example.org\n"},
        {"to": "anna"},
        {"to": ""},
        {"message_id": "a\r\nBcc: b@example.org"},
    ],
    ids=lambda changes: ascii(next(iter(changes.items()))),
)
def test_a_header_cannot_break_out_of_its_line(
    relay: Callable[..., tuple[Postbox, int]], changes: dict[str, str]
) -> None:
    postbox, port = relay()
    with pytest.raises(InvalidInput):
        send(mailer(port), **changes)
    assert postbox.received == []
    assert postbox.recipients == []


@pytest.mark.parametrize("sender", ["", "nobody", "@example.org", "ca@", "ca@example.org\nBcc: x@example.org"])
def test_a_sender_that_is_no_address_stops_the_start(sender: str) -> None:
    with pytest.raises(ConfigurationError):
        mailer(25, sender=sender)


def test_a_password_is_never_sent_in_clear() -> None:
    with pytest.raises(ConfigurationError):
        mailer(25, username="ca", password="right")
