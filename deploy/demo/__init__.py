"""The whole product with a made-up contact center, on one machine."""
