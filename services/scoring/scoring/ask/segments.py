"""How many SMS a text costs. Alphabet and lengths: 3GPP TS 23.038 (GSM 7-bit, basic and extension) and 23.040 (concatenation)."""

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("^{}\\[~]|€\f")
GSM_SINGLE, GSM_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


def segments(text: str) -> int:
    """How many messages the text is sent as; one character outside the GSM alphabet makes all of it 16-bit."""
    if not text:
        return 0
    if GSM_BASIC.union(GSM_EXTENSION).issuperset(text):
        return _parts([2 if letter in GSM_EXTENSION else 1 for letter in text], single=GSM_SINGLE, part=GSM_PART)
    return _parts([len(letter.encode("utf-16-le")) // 2 for letter in text], single=UCS2_SINGLE, part=UCS2_PART)


def _parts(widths: list[int], *, single: int, part: int) -> int:
    """A character of two units never stands across two parts."""
    if sum(widths) <= single:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > part:
            count, used = count + 1, 0
        used += width
    return count
