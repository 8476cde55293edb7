"""The HTTP client for addresses that stand in certificates of others: nobody named them, so they lead to the public
Internet or nowhere (the server-side request forgery that CWE-918 tells of)."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from http.client import HTTPException
from threading import Event, Timer

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from ca_core.domain.errors import InvalidInput, TryAgain
from ca_core.outbound.guarded_client import PORTS, Reply, no_answer, origin_of, reply_of

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, in text; OSError where there are none."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> Sequence[str]:
    """Asks the system."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class PublicClient:
    """Safe to share among threads. It keeps no connection and follows no redirect."""

    def __init__(
        self,
        ports: Collection[int],
        *,
        seconds: float,
        resolve: Resolve = resolve,
        is_public: Callable[[str], bool] | None = None,
    ) -> None:
        """``seconds`` for a whole answer, from the connection on. ``is_public`` tells which addresses may be
        reached; a test has none but its own machine's."""
        self._ports = frozenset(ports)
        self._seconds = seconds
        self._resolve = resolve
        self._is_public = is_public or public

    def get(self, url: str, *, most: int) -> Reply:
        """The answer to a GET. InvalidInput for an address that may not be called, TryAgain when there is no answer, it
        takes too long, or its body has more than ``most`` octets."""
        return self._call("GET", url, None, {}, most)

    def post(self, url: str, body: bytes, *, most: int, headers: Mapping[str, str]) -> Reply:
        """As :meth:`get`."""
        return self._call("POST", url, body, headers, most)

    def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], most: int) -> Reply:
        origin = origin_of(url)
        parts = parse_url(url)
        scheme, host = str(parts.scheme), str(parts.host).strip("[]")
        port = parts.port or PORTS[scheme]
        if port not in self._ports:
            raise InvalidInput(f"{origin} is at a port that may not be called")
        address = self._address(host, port, origin)
        connection = self._connection(scheme, address, port, host)
        # Each wait has its end in the socket's time-out. This ends them all: whoever sends an octet a second, of the
        # handshake, of the head or of the body, is not waited for longer than others.
        late = Event()
        guard = Timer(self._seconds, _cut, [connection, late])
        guard.start()
        try:
            # What is not encoded cannot expand to more than was sent.
            sent = {**headers, "Host": parts.netloc or host, "Accept-Encoding": "identity"}
            connection.request(method, parts.request_uri, body=body, headers=sent, preload_content=False)
            response = connection.getresponse()
            reply = reply_of(response, origin, lambda size: response.read(size, decode_content=False), most=most)
            if late.is_set():  # and what was read is what had come until then
                raise TryAgain(f"{origin} does not answer in {self._seconds:g} seconds")
            return reply
        except HTTPError as error:
            raise no_answer(origin, error) from None
        except (OSError, HTTPException) as error:
            raise TryAgain(f"{origin} does not answer: {type(error).__name__}") from None
        finally:
            guard.cancel()
            connection.close()

    def _address(self, host: str, port: int, origin: str) -> str:
        """The one that is then connected to: a name that is asked for twice may have two answers."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise TryAgain(f"{origin} does not answer: its host is not known") from None
        if not found or not all(map(self._is_public, found)):
            raise InvalidInput(f"{origin} does not lead to the public Internet")
        return found[0]

    def _connection(self, scheme: str, address: str, port: int, host: str) -> HTTPConnection:
        if scheme == "http":
            return HTTPConnection(address, port, timeout=self._seconds)
        return HTTPSConnection(
            address, port, timeout=self._seconds, cert_reqs="CERT_REQUIRED", assert_hostname=host, server_hostname=host
        )


def _cut(connection: HTTPConnection, late: Event) -> None:
    late.set()
    held = connection.sock
    if held is not None:
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)


def public(address: str) -> bool:
    """Whether it is a unicast address of the public Internet, also where an IPv4 address is packed into it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False  # with a zone: link-local
    if isinstance(ip, ipaddress.IPv6Address):
        packed = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            packed = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if packed is not None and not public(str(packed)):
            return False
        if ip.ipv4_mapped:
            return True
    return ip.is_global and not ip.is_multicast
