"""Values, states and rules. Standard library only; no clock, entropy or environment of its own."""
