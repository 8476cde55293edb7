"""The loaded packs, and which version of a profile is in force on which day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from ca_core.domain.errors import ConfigurationError, NotFound
from ca_core.domain.profile import Pack, Pinned, Profile


class PackCatalogue:
    """Packs by name and profiles by key and day. ConfigurationError for two of one name, or overlapping versions."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self._packs: dict[str, Pack] = {}
        self._versions: dict[str, list[Profile]] = {}
        for pack in packs:
            if pack.name in self._packs:
                raise ConfigurationError(f"the pack {pack.name!r} is configured twice")
            self._packs[pack.name] = pack
            for profile in pack.profiles:
                self._versions.setdefault(profile.key, []).append(profile)
        for versions in self._versions.values():
            versions.sort(key=lambda profile: profile.valid_from or date.min)
            for earlier, later in pairwise(versions):
                _refuse_overlap(earlier, later)

    @property
    def packs(self) -> tuple[Pack, ...]:
        """All packs, by name."""
        return tuple(self._packs[name] for name in sorted(self._packs))

    def pack(self, name: str) -> Pack:
        """That pack, or NotFound."""
        try:
            return self._packs[name]
        except KeyError:
            raise NotFound(f"no pack {name!r} is loaded") from None

    def profile(self, key: str, *, on: date) -> Profile:
        """The version of ``pack/name`` that is in force on that day, or NotFound."""
        versions = self._of(key)
        for profile in versions:
            if profile.active_on(on):
                return profile
        terms = ", ".join(
            f"{one.version} from {one.valid_from or 'ever'} to {one.valid_until or 'ever'}" for one in versions
        )
        raise NotFound(f"no version of profile {key!r} is in force on {on}; there is {terms}")

    def pinned(self, by: Pinned) -> Profile:
        """Exactly that version, in force or not; NotFound when it is not loaded any more or was changed."""
        for profile in self._of(by.profile):
            if profile.version == by.profile_version and profile.digest == by.profile_digest:
                return profile
        raise NotFound(
            f"version {by.profile_version!r} of profile {by.profile!r} is not loaded as it was; "
            "keep the files that are in use"
        )

    def profiles(self, on: date) -> Sequence[Profile]:
        """The versions in force on that day, by key."""
        return tuple(
            profile for key in sorted(self._versions) for profile in self._versions[key] if profile.active_on(on)
        )

    def _of(self, key: str) -> list[Profile]:
        try:
            return self._versions[key]
        except KeyError:
            raise NotFound(f"there is no profile {key[:100]!r}; a profile is named pack/name") from None


def _refuse_overlap(earlier: Profile, later: Profile) -> None:
    if earlier.valid_until is None or later.valid_from is None or later.valid_from <= earlier.valid_until:
        raise ConfigurationError(
            f"profile {earlier.key!r}: versions {earlier.version!r} and {later.version!r} are in force on the same "
            "day; end one with valid_until before the other starts with valid_from"
        )
