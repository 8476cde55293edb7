"""The ports of ``ca_core.services.ports``, one module for each kind of row."""
