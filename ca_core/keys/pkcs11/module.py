"""A PKCS#11 library, loaded once per process, used by many threads, started anew when a token went away."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock

from pkcs11 import MultipleTokensReturned, NoSuchToken, PKCS11Error, Token
from pkcs11._pkcs11 import lib

from ca_core.domain.errors import ConfigurationError, KeyUnavailable

RESTART_INTERVAL = 5.0
"""Seconds between two restarts, so that a token that stays away is not searched for at every signature."""

QUIET_TIMEOUT = 30.0
"""Seconds that a restart waits for calls in other threads to come back."""

_CKF_OS_LOCKING_OK = 2
_CKR_OK, _CKR_CRYPTOKI_ALREADY_INITIALIZED = 0, 0x191


class _InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (PKCS#11 v3.1 §3.7)."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _FunctionList(ctypes.Structure):
    """The head of CK_FUNCTION_LIST (PKCS#11 v3.1 §3.6)."""

    _fields_ = (
        ("major", ctypes.c_ubyte),
        ("minor", ctypes.c_ubyte),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


class Module:
    """One library. Every call into it happens inside :meth:`in_use`, so that a restart never pulls it from under one.

    python-pkcs11 initialises a library without locking, which tells it that one thread alone will call it (PKCS#11
    v3.1 §5.4.1); it then calls it without the interpreter's lock. So the library is initialised here.
    """

    def __init__(self, path: Path) -> None:
        """:class:`ConfigurationError` when there is no such library."""
        self.path = path
        try:
            functions = ctypes.POINTER(_FunctionList)()
            found = ctypes.CDLL(str(path)).C_GetFunctionList(ctypes.byref(functions))
            # Made without its __init__, which would initialise the library; see above.
            self._library = lib.__new__(lib, str(path))  # type: ignore[call-arg]  # the stub leaves out __cinit__
        except (OSError, AttributeError, PKCS11Error) as error:
            raise ConfigurationError(f"{path} is not a PKCS#11 library that can be loaded: {error}") from None
        if found != _CKR_OK:
            raise ConfigurationError(f"the PKCS#11 library {path} gives no functions (CKR {found:#x})")
        self._functions = functions.contents
        self._changed = Condition()
        self._users = 0
        self._restarting = False
        self._started = False
        self._generation = 0
        self._restarted = -RESTART_INTERVAL

    @contextmanager
    def in_use(self) -> Iterator[int]:
        """The generation of the library; sessions of an earlier one are gone. Keeps restarts off meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._restarting)
            if not self._started:
                self._start()
            self._users += 1
            generation = self._generation
        try:
            yield generation
        finally:
            with self._changed:
                self._users -= 1
                if self._restarting:
                    self._changed.notify_all()

    def restart(self, generation: int, *, interval: float = RESTART_INTERVAL) -> bool:
        """Let the library look for its tokens again. Not to be called from inside :meth:`in_use`.

        True when it is of a later generation than ``generation`` now; False when the last restart was less than
        ``interval`` seconds ago, or other threads' calls do not come back.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._restarting)
            if self._generation != generation:
                return True
            if time.monotonic() - self._restarted < interval:
                return False
            self._restarting = True
            try:
                if not self._changed.wait_for(lambda: self._users == 0, QUIET_TIMEOUT):
                    return False
                self._functions.finalize(None)
                self._started = False
                self._generation += 1
                self._restarted = time.monotonic()
                return True
            finally:
                self._restarting = False
                self._changed.notify_all()

    def token(self, *, label: str | None, serial: str | None) -> Token:
        """The one token with that label, that serial number, or both. Inside :meth:`in_use` only."""
        wanted = " and ".join(
            f"{name} {value!r}" for name, value in (("label", label), ("serial number", serial)) if value is not None
        )
        try:
            return self._library.get_token(token_label=label, token_serial=None if serial is None else serial.encode())
        except NoSuchToken:
            raise NoSuchToken(f"no token with {wanted} is present") from None
        except MultipleTokensReturned:
            raise ConfigurationError(f"there are several tokens with {wanted}; choose one by serial number") from None

    def _start(self) -> None:
        arguments = _InitializeArguments(flags=_CKF_OS_LOCKING_OK)
        result = self._functions.initialize(ctypes.byref(arguments))
        if result not in (_CKR_OK, _CKR_CRYPTOKI_ALREADY_INITIALIZED):
            raise KeyUnavailable(f"the PKCS#11 library {self.path} does not start (CKR {result:#x}); see its log")
        self._started = True


_modules: dict[Path, Module] = {}
_loading = Lock()


def load_module(path: Path) -> Module:
    """The library at ``path``, the same object for every caller in the process."""
    with _loading:
        module = _modules.get(path)
        if module is None:
            module = _modules[path] = Module(path)
        return module
