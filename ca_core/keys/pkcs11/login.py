"""Logging in to a token without ever locking it."""

from __future__ import annotations

from pkcs11 import (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    Session,
    Token,
    TokenFlag,
    UserAlreadyLoggedIn,
    UserPinNotInitialized,
)

from ca_core.domain.errors import KeyLocked
from ca_core.keys.secrets_source import Secret


class Login:
    """Logs a process in to one token. A PIN that was refused is not tried again: a few wrong ones lock a token."""

    def __init__(self, pin: Secret) -> None:
        self._pin = pin
        self._refused: set[bytes] = set()

    def perform(self, token: Token) -> Session | None:
        """The session that the login was made on, to be kept open; None when the process is logged in already.

        A login holds for all sessions of the process with the token (PKCS#11 v3.1 §5.6.8).
        :class:`KeyLocked` says what is wrong with the PIN.
        """
        problem = pin_problem(token.flags, token.label)
        if problem:
            raise KeyLocked(problem)
        pin = self._pin()
        if pin in self._refused:
            raise KeyLocked(
                f"the token {token.label} refused this PIN before, so it is not tried again; put the right PIN in place"
            )
        try:
            return token.open(user_pin=pin.decode("utf-8"))
        except UserAlreadyLoggedIn:
            return None
        except (PinIncorrect, PinInvalid, PinLenRange, UnicodeDecodeError):
            self._refused.add(pin)
            raise KeyLocked(f"the token {token.label} refuses the PIN; put the right PIN in place") from None
        except PinLocked:
            raise KeyLocked(_LOCKED.format(token.label)) from None
        except PinExpired:
            raise KeyLocked(f"the PIN of the token {token.label} has expired; set a new one") from None
        except UserPinNotInitialized:
            raise KeyLocked(f"the token {token.label} has no user PIN yet; set one") from None


_LOCKED = "the PIN of the token {} is locked; unlock it with the security officer's PIN"


def pin_problem(flags: TokenFlag, label: str) -> str | None:
    """What the token's flags say against a login, as a sentence."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return _LOCKED.format(label)
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return f"one more wrong PIN locks the token {label}, so none is tried; log in to it once by hand"
    return None
