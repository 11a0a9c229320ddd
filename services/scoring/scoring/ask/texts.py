"""The words of an invitation: a text of the policy, filled in with the brand and the link and nothing else."""

from collections.abc import Mapping

from scoring.decide.policy import Text

DEFAULT_LANGUAGE = "en"


def text_for(texts: Mapping[str, Mapping[str, Text]], *, channel: str, language: str | None) -> Text:
    """In the customer's language, else in that language without its region, else in English, else in what there is."""
    of_channel = texts[channel]
    wanted = (language or DEFAULT_LANGUAGE).lower()
    for tag in (wanted, wanted.split("-")[0], DEFAULT_LANGUAGE):
        if tag in of_channel:
            return of_channel[tag]
    return next(iter(of_channel.values()))


def fill(text: Text, *, brand: str, link: str) -> tuple[str | None, str]:
    """Subject and body as they leave."""
    subject = text.subject and text.subject.format(brand=brand, link=link)
    return subject, text.body.format(brand=brand, link=link)
