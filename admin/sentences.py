"""Sentences of the services that staff read, marked for translation: the services themselves speak English."""

from __future__ import annotations


def N_(sentence: str) -> str:
    return sentence


SENTENCES = (
    N_("accept or refuse it first"),
    N_("look at every page of it first"),
    N_("look at every page of the document before you accept it"),
    N_("choose a reason"),
    N_("say what to correct"),
    N_("the applicant needs the reason"),
    N_("say why"),
    N_("nobody reviews an application of his own"),
    N_("you approved this already; somebody else has to be the second"),
    N_("you entered or changed this application; somebody else has to decide on it"),
    N_("nobody changes the rights of his own account; ask another administrator"),
    N_("you asked for this change; another administrator has to confirm it"),
    N_("an account needs at least one role"),
    N_("an operator works in his own centres; for a role that sees every centre make another account"),
    N_("there is no such service centre"),
    N_("the code of a centre is 1 to 32 ASCII characters without spaces, for example MSK-01"),
    N_("the authority's own certificates are renewed by the authority"),
    # of this site itself
    N_("the form names nothing; load the page again"),
    N_("the form does not say what was shown; load the page again"),
    N_("choose what to do with the application"),
    N_("choose at least one role"),
    N_("this site is for staff"),
    N_("this page is for others than you; ask an administrator if it should not be"),
)
