"""The words a reply is read by. Lower case, without accents; every language together, since a reply names none."""

NUMBERS = {
    **{word: value for value, word in enumerate("zero one two three four five six seven eight nine ten".split())},
    **{word: value for value, word in enumerate("cero uno dos tres cuatro cinco seis siete ocho nueve diez".split())},
}

# Outside the scale, but numbers all the same: a reply that has one of them beside a score is not a clear one.
OTHER_NUMBERS = frozenset(
    "eleven twelve thirteen fifteen twenty thirty fifty hundred thousand half doce trece quince veinte cien mil medio".split()
)

# Places where "one" and its like count nothing.
IDIOMS = (
    r"\b(?:no|some|any|every|each|the|this|that|another|which|last|next)[ -]one\b|\bone (?:of|who|that|day|thing)\b|\buno de\b|\bcada uno\b"
)

# Words that may stand before a score without changing what it means. A reply may string several together.
LEAD_INS = (
    r"i'?d (?:say|give|rate|go with)",
    r"i (?:would|will) (?:say|give|rate|go with)",
    r"i'?ll (?:say|give|go with)",
    r"i (?:say|give|rate|choose|pick)",
    r"(?:my |the )?(?:score|rating|answer|number|vote)(?: is| was|:)?",
    r"it'?s|it (?:is|was)|that'?s|definitely|probably|maybe|a solid|solid|an easy|easy|a|an|it a|it|you a|you|them a|them|him a|her a",
    r"hi|hello|ok|okay|well|so|yes|sure|thanks|thank you|hola|bueno|pues|gracias",
    r"(?:yo )?diria(?: que)?|(?:yo )?(?:le|les|te) (?:doy|daria|pongo)|pongo|doy|mi (?:nota|respuesta|puntuacion) es|es|seria|un|una",
)

# Counted things: "2 hours" is a wait and "5 stars" another scale, never a score.
UNITS = frozenset(
    """h hr hrs hour hours min mins minute minutes sec secs second seconds day days week weeks month months year years am pm o'clock
    oclock time times call calls agent agents people person persons transfer transfers rep reps attempt attempts try tries star stars
    dollar dollars bucks euro euros message messages text texts email emails different other more hora horas minuto minutos dia dias
    semana semanas mes meses ano anos vez veces llamada llamadas agente agentes persona personas estrella estrellas dolar dolares
    mensaje mensajes % ٪""".split()
)

# "9 or so" leaves another score open.
ALTERNATIVES = frozenset({"or", "o", "u", "plus", "+", "/", "~"})

# What may follow a number in letters and leave it the score: "nine because Ana helped".
CONNECTIVES = frozenset("but because cause cuz since thanks thank pero porque gracias ya for por".split())

STOP_WORDS = frozenset(
    """stop stopall stopp unsubscribe quit end cancel revoke optout arret arretez alto parar pare paren basta baja cancelar detener remove
    wrongnumber""".split()
)

# Politeness around a stop word: "please stop it now" says stop.
POLITE = frozenset(
    """please pls plz por favor thanks thank you now ok okay just me my us ya all it this these those them messages texts surveys sms
    gracias immediately already sorry hey hi hello hola""".split()
)

STOP_PHRASES = (
    r"\b(?:stop|quit|cease) (?:all |with |the |these |those |this |your |any )*(?:text|messag|ask|contact|e-?mail|bother|spam)\w*",
    r"\b(?:stop|quit|cease) (?:all |with |the |these |those |this |your |any )*(?:send|call|writ|survey|question|sms|harass)\w*",
    r"\b(?:please|pls|plz|just|now) stop\b|\bstop (?:please|pls|plz|now)\b",
    r"\b(?:do not|don'?t|never) (?:ever )?(?:text|message|contact|e-?mail|write|bother|survey|send)(?: to)? (?:me|us|this|here|any)\b",
    r"\b(?:do not|don'?t|never) (?:ever )?ask(?: me| us)? (?:again|any ?more|anything|questions?)\b",
    r"\bunsubscribe\b|\bstop ?all\b|\bopt(?:ing)?(?: me)?[ -]?out\b|\bleave me alone\b",
    r"\b(?:remove|take) me (?:from|off)\b|\brevoke (?:my |all )?(?:consent|permission)\b",
    r"\bno more (?:text|message|survey|question|sms|e-?mail)s?\b",
    r"\bno (?:me|nos) (?:escriba|manden?|mande|envie|contacte|pregunte|moleste)n?\b",
    r"\b(?:deje|dejen|deja|paren|pare) de (?:escribir|mandar|enviar|contactar|preguntar|molestar)\w*",
    r"\b(?:no quiero|no mas) (?:mas )?(?:mensajes|encuestas|preguntas|textos)\b|\bdar(?:me)? de baja\b",
)

START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info", "ayuda"})
