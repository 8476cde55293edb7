"""Mail over SMTP (RFC 5321), to one relay, with or without TLS."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Literal

from ca_core.domain.errors import ConfigurationError, InvalidInput, Refused, TryAgain
from ca_core.services.ports import Clock

TIMEOUT = 20.0
"""Seconds for each step of the conversation."""
RETRY_AFTER = 60
"""Seconds."""


class SmtpMailer:
    """One connection for each message. Thread-safe."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Literal["none", "starttls", "tls"],
        sender: str,
        username: str | None = None,
        password: str | None = None,
        timeout: float = TIMEOUT,
        tls: ssl.SSLContext | None = None,
        clock: Clock,
    ) -> None:
        """``sender`` is an address, with or without a name. ``tls`` overrides the system's trusted roots.
        ConfigurationError for a sender that is none, and for a password that would go over the wire in clear."""
        name, address = parseaddr(sender)
        local, at, domain = address.rpartition("@")
        try:
            self._sender = Address(name, local, domain)
        except ValueError:
            at = ""
        if not (at and local and domain and sender.isprintable()):
            raise ConfigurationError("mail.sender is not an e-mail address")
        if username and security == "none":
            raise ConfigurationError("mail.security is 'none', so the mail password would be readable; use starttls")
        self._host, self._port, self._security = host, port, security
        self._username, self._password = username, password
        self._timeout = timeout
        self._tls = tls
        self._clock = clock

    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        """Hand one plain text over. ``message_id`` is the part before the @ of the Message-ID; the same for each
        attempt, so that a second delivery can be told.

        TryAgain when the relay cannot be reached or says "later" (4yz); Refused when it refuses the message (5yz);
        ConfigurationError when log-in or TLS fail; InvalidInput for a header that would break out of its line."""
        message = self._message(to=to, subject=subject, text=text, message_id=message_id)
        try:
            with self._connection() as relay:
                relay.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _refusal(min(codes, default=550)) from None
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < 500:
                raise _refusal(error.smtp_code) from None
            raise ConfigurationError("the mail relay does not accept mail.username and its password") from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise ConfigurationError(
                "the mail relay does not offer what mail.security and mail.username ask for"
            ) from None
        except ssl.SSLError:
            raise ConfigurationError(
                "the TLS connection to the mail relay failed; check its certificate and mail.security"
            ) from None
        except (OSError, smtplib.SMTPException):
            raise TryAgain("the mail relay cannot be reached", retry_after=RETRY_AFTER) from None

    def _message(self, *, to: str, subject: str, text: str, message_id: str) -> EmailMessage:
        for value in (to, subject, message_id):
            if not value or not value.isprintable():
                raise InvalidInput("a mail header cannot hold line breaks or control characters")
        local, at, domain = to.rpartition("@")
        message = EmailMessage(policy=SMTP)
        try:
            if not (local and at and domain):
                raise ValueError(to)
            message["From"] = self._sender
            message["To"] = Address("", local, domain)
            message["Subject"] = subject
            message["Message-ID"] = f"<{message_id}@{self._sender.domain}>"
            message["Date"] = format_datetime(self._clock())
            # RFC 3834 §5: nobody's holiday notice has to answer.
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(text)
        except (ValueError, IndexError):
            raise InvalidInput("the recipient is not an e-mail address") from None
        return message

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        context = self._tls or ssl.create_default_context()
        if self._security == "tls":
            relay: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        else:
            relay = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        with relay:
            if self._security == "starttls":
                relay.starttls(context=context)
            if self._username:
                relay.login(self._username, self._password or "")
            yield relay


def _refusal(code: int) -> TryAgain | Refused:
    if code < 500:
        return TryAgain(f"the mail relay says to come back later ({code})", retry_after=RETRY_AFTER)
    return Refused(f"the mail relay refuses the message ({code})")
