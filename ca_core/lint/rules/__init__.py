"""One rule per module, named after its clause. ``check(subject)`` yields one sentence for each fault."""
