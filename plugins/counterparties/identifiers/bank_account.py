"""BIK, the code of a bank, and the check of an account number against it."""

from __future__ import annotations

import re
from itertools import cycle

from plugins.counterparties.identifiers.digits import is_digits, weighted_sum

# Two digits of the kind of participant: a bank (04), the treasury and other clients of the central bank (00, 01, 02).
_BIK = re.compile(r"0[0-24][0-9]{7}")
AT_CENTRAL_BANK = ("30101", "40102")
"""Correspondent accounts and the treasury's single accounts, which the central bank itself keeps."""
TREASURY = "03"
"""Accounts within the treasury are numbered without a check digit."""


def is_bik(value: str) -> bool:
    """Whether this has the form of a bank's code; it has no checksum of its own."""
    return _BIK.fullmatch(value) is not None


def is_account(value: str) -> bool:
    """Whether ``BIK/account``, 9 and 20 digits, belong together.

    The sum of the bank's three digits and the account's twenty, times 7, 1, 3 by turns, is a multiple of ten. The
    bank's digits are the last three of the BIK; for an account at the central bank they are 0 and the 5th and 6th.
    """
    bik, _, account = value.partition("/")
    if not is_bik(bik) or not is_digits(account, length=20):
        return False
    if account.startswith(TREASURY):
        return True
    at_central_bank = bik[6:8] == "00" or account.startswith(AT_CENTRAL_BANK)
    bank = "0" + bik[4:6] if at_central_bank else bik[-3:]
    return weighted_sum(bank + account, cycle((7, 1, 3))) % 10 == 0
