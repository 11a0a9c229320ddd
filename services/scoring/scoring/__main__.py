"""`python -m scoring`: run, migrate, dead-letters, login-link, api-key, settings."""

import sys

from scoring.app import build
from scoring.settings import Settings
from shared.runtime.commands import main

if __name__ == "__main__":
    sys.exit(main(Settings, build))
