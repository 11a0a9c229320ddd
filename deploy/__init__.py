"""How Aftercall runs: on one machine from nothing but Python, in containers."""
