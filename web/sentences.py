"""Sentences of the services that anybody may read, marked for translation: the services themselves speak English."""

from __future__ import annotations


def N_(sentence: str) -> str:
    return sentence


SENTENCES = (
    N_("e-mail, password or one-time code is not right, or the account is locked for a while after too many attempts"),
    N_("several people are logging in to this account; try again"),
    N_("this is not an e-mail address; write one like name@example.org, other alphabets' domains as xn--…"),
    N_("the name has 1 to 200 printable characters"),
    N_("the password has 12 to 200 characters"),
    N_("the password must not be the e-mail address"),
    N_("the present password is not right"),
    N_("too many wrong passwords; wait a while"),
    N_("the code is not right; wait for the next one"),
    N_("a second factor is set up already; ask an administrator to reset it first"),
    N_("say it in at most 500 characters"),
    N_("confirm your e-mail address first: the link is in the letter that we sent to it"),
    N_("this link is not right, too old or used already; let us send another one"),
    N_("there is an account with this e-mail address already"),
    N_("this address is not changed here; ask an administrator"),
    N_("log in first"),
    N_("set up your second factor first"),
    N_("give your password again before you decide"),
    N_("the form does not say what it was made from; load the page again"),
    N_("somebody changed this since you read it; look at it again, then decide"),
    N_("the cabinet is for subscribers; staff work at /admin/"),
    N_("this site is not served under that name; use the address that you were given"),
    N_("The CSRF token is missing."),
    N_("The CSRF token is invalid."),
    N_("The CSRF token has expired."),
    N_("The CSRF session token is missing."),
    N_("The CSRF tokens do not match."),
)
