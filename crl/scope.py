"""Which certificates one list speaks for: all of an issuer's, or those of one partition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ca_core.domain.authority import ISSUERS, Authority, AuthorityState
from ca_core.domain.errors import InvalidInput, NotFound
from ca_core.services.certificate_content import urls_of


@dataclass(frozen=True, kw_only=True)
class ListScope:
    """The complete list of an issuer (partition 0), or one of its partitions (1 and up)."""

    issuer: Authority
    partition: int

    @property
    def name(self) -> str:
        """``issuing`` or ``issuing/3``."""
        return f"{self.issuer.name}/{self.partition}" if self.partition else self.issuer.name

    @property
    def delta_name(self) -> str:
        """That of the deltas to it: ``issuing-delta`` or ``issuing/3-delta``, as in their address."""
        return f"{self.name}-delta"

    def distribution_point(self, base_url: str) -> str | None:
        """The address in the issuing distribution point: the one baked into the partition's certificates
        (RFC 5280 §5.2.5, invariant 9). None for a complete list, which has no such extension."""
        if not self.partition:
            return None
        return urls_of(self.issuer.key_identifier, base=base_url, partition=self.partition)["crl"]

    def freshest(self, base_url: str) -> str:
        """Where its deltas lie (RFC 5280 §5.2.6)."""
        return urls_of(self.issuer.key_identifier, base=base_url, partition=self.partition)["freshest_crl"]


def scopes_of(issuer: Authority) -> Iterator[ListScope]:
    """Every list of that issuer; none where its key is elsewhere. The complete list stands beside the partitions: it
    also covers the authority's own certificates, which are in none."""
    count = 0 if issuer.state is AuthorityState.ELSEWHERE else issuer.partitions + 1
    return (ListScope(issuer=issuer, partition=partition) for partition in range(count))


def scope_of(issuer: Authority, partition: int) -> ListScope:
    """One of :func:`scopes_of`. InvalidInput when the authority issues nothing, NotFound without such a partition, or
    where its key is elsewhere."""
    if issuer.kind not in ISSUERS:
        raise InvalidInput(f"{issuer.name} issues nothing and signs no lists; name its issuer")
    if issuer.state is AuthorityState.ELSEWHERE:
        raise NotFound(f"{issuer.name} signs no lists here: its key is elsewhere")
    if not 0 <= partition <= issuer.partitions:
        raise NotFound(f"{issuer.name} has no partition {partition}; it has {issuer.partitions}")
    return ListScope(issuer=issuer, partition=partition)
