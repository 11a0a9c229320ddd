"""From whoever owes messages to whoever publishes them, inside one process."""

import asyncio


class Wake:
    """Tells the relay in this process that rows were committed; polling is the fallback for those of other processes."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return after a commit, or after `seconds` without one."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._event.clear()
