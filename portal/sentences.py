"""Sentences of the services that subscribers read, marked for translation: the services themselves speak English.

``said`` looks them up; a sentence that is not here is shown as it is.
"""

from __future__ import annotations


def N_(sentence: str) -> str:
    return sentence


SENTENCES = (
    # data
    N_("this is required"),
    N_("the check digits do not fit; look for a typing error"),
    N_("the value does not have the form that is asked for"),
    N_("invisible and direction-changing characters cannot be used"),
    N_("control, private and unassigned characters cannot be used"),
    N_("control characters cannot be used"),
    N_("too many marks stand on one letter"),
    N_("say how identity is established"),
    N_("choose a service centre"),
    N_("a name is there twice"),
    # documents
    N_("send this document"),
    N_("the file is empty; choose it again and send it once more"),
    N_("the file is not a PDF, JPEG, PNG or TIFF; save it as one of these and send it again"),
    N_("the file is damaged or incomplete; open it, save or print it as a new PDF and send that"),
    N_("the file takes too much time or memory to check; print it as a new, plain PDF and send that"),
    N_("the file contains other data beside the document; print it as a new PDF or take a new picture"),
    N_("the PDF is protected by a password or by permissions; save it without protection"),
    N_("the PDF contains JavaScript; print it as a new, plain PDF and send that"),
    N_("the PDF starts programs, sends forms or plays media; print it as a new, plain PDF and send that"),
    N_("the PDF carries other files inside; send each of them as a document of its own"),
    N_("the PDF is an XFA form; fill it in, print it as a new, plain PDF and send that"),
    N_("the PDF refers to data outside of itself; print it as a new, plain PDF and send that"),
    N_("the PDF unpacks to more data than is accepted; print it as a new, plain PDF and send that"),
    N_("this is the file that was refused; send a corrected one"),
    # keys and certificates
    N_("it was imported, so nothing is known to begin with; apply for a new one in its place"),
    N_("the text is not exactly one PEM block"),
    N_("this key is in somebody else's certificate; make a new one"),
    N_("a replacement needs a new key; make one"),
    N_("the key is on the list of compromised keys; make a new one"),
    N_("no certificate has this code; look at the paper that it was printed on"),
)
