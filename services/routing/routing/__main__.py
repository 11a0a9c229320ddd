"""`python -m routing run | migrate | login-link | api-key | settings`."""

import sys

from routing.app import build
from routing.settings import Settings
from shared.runtime.commands import main

if __name__ == "__main__":
    sys.exit(main(Settings, build))
