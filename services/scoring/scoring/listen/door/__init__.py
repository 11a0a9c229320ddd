"""The door every answer comes through."""
