"""What is forgotten of answers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import run


async def erase(tx: AsyncConnection, survey_ids: Sequence[UUID]) -> int:
    """Words and wishes go, of every answer to these surveys; day, grain and score stay. How many answers that were."""
    surveys = list(survey_ids)
    await run(
        tx,
        "update feedback set comment = null, comment_language = null, callback_wish = '[]' where survey_id = any(:surveys)",
        surveys=surveys,
    )
    return await run(
        tx,
        "update answer set comment = null, callback_wish = null, language = null where survey_id = any(:surveys)",
        surveys=surveys,
    )
