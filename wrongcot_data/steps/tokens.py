r"""Running text cut into the pieces that arithmetic is made of: numbers, signs, brackets, words.

Prose, plain arithmetic, LaTeX, Markdown and GSM8K's calculator marks come in one stream, because traces mix them within
a sentence. What is only dress (`$`, `\(`, `\left`, `\,`, `\displaystyle`, `**` round a word) is dropped. What may be
mathematics that is not read here (`\log`, `_`, `|`, `\overline`) is kept as `unknown`, so that whatever touches it is
left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "number", "operator", "word", "equals", "relation", "group", "power", "factorial", "percent", "fraction", "root"
    , "binomial", "stop", "unknown", "mark", "dots"
]  # fmt: skip

MAX_DEPTH = 40
"""Open brackets at one place; what is nested deeper is not read."""


@dataclass(slots=True)
class Token:
    """A piece of text: `text[start:end]`.

    Attributes:
        value: a plain form: `*` for every sign of multiplication, digits without separators, the words of `\\text{}`.
        inside: what is between the brackets of a group, or in a calculator mark.
        reading: what a reader made of a group, kept so that it is read once however deep it lies; None before that.
    """

    kind: Kind
    start: int
    end: int
    value: str
    inside: list[Token] = field(default_factory=list)
    reading: Any = None


_DRESS = r"(?:(?:\\left|\\right|\\[bB]igg?[lrm]?)\s*)?"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("word", r"[^\W\d_²³½¼¾]+(?:['’][^\W\d_²³½¼¾]+)?"),
    ("space", r"[ \t\r\f]+"),
    ("mark", r"<<[^<>\n]*>>"),
    ("number", r"(?:[0-9]{1,3}(?:(?:,|\{,\}|\\,|\\!,|,\\!)[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
               r"|(?<![0-9A-Za-z])\.[0-9]+"),
    ("text", r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|sf|tt)|mbox|hbox)\s*\{[^{}]*\}"),
    ("matrix", r"\\(?:begin|end)\s*\{(?:[bpvBV]?(?:small)?matrix|array|tabular|cases)\*?\}"),
    ("environment", r"\\(?:begin|end)\s*\{[^{}]*\}(?:\{[lcr|]*\})?"),
    ("row", r"\\\\(?:\[[^\]\n]{0,20}\])?|\\(?:quad|qquad|newline|hline)(?![A-Za-z])|\\[hv]space\*?\s*\{[^{}]*\}"),
    ("degrees", r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|°"),
    ("open", rf"{_DRESS}(?<!\\)[(\[{{]|\\[{{]"),
    ("close", rf"{_DRESS}(?<!\\)[)\]}}]|\\[}}]"),
    ("dots", r"\.\.\.+|…|\\(?:[lcd]?dots|dotsc|dotsb|vdots|ddots)(?![A-Za-z])"),
    ("fraction", r"\\[dtc]?frac(?![A-Za-z])"),
    ("root", r"\\sqrt(?![A-Za-z])|√"),
    ("binomial", r"\\[dt]?binom(?![A-Za-z])"),
    ("times", r"\\(?:times|cdot)(?![A-Za-z])|[×∗⋅·✕✖]"),
    ("over", r"\\div(?![A-Za-z])|[÷∕⁄]"),
    ("escaped", r"\\[#&_]|\\ast(?![A-Za-z])|(?<=[A-Za-z'’])['’]"),
    ("column", r"&(?!\s*=)"),
    ("percent", r"\\?%"),
    ("relation", r"\\(?:n?eq|ne|approxeq|sim|simeq|cong|equiv|le|leq|ge|geq|lt|gt|leqslant|geqslant|to"
                 r"|rightarrow|Rightarrow|longrightarrow|Longrightarrow|implies|iff|therefore|because|Leftrightarrow|mapsto|propto)(?![A-Za-z])"
                 r"|[≠≤≥≡→⇒⟹∴⇔~]|<=|>=|(?<![0-9)}])!=|==+|=>|-{1,9}>|<|>"),
    ("about", r"\\approx(?![A-Za-z])|≈|\\doteq(?![A-Za-z])"),
    ("equals", r"(?:&\s*)?=(?:\s*&)?"),
    ("display", r"\\[\[\]]|\$\$"),
    ("dress", r"\\[(),;:! ]|\\?\$|\\(?:left|right|displaystyle|textstyle|boxed|fbox|mathbf|boldsymbol|bf|rm)"
              r"(?![A-Za-z])|[€£¥]|[`\u200b\u200c\u200d\u2060\ufeff]"),
    ("power", r"(?<=[0-9)])\*\*(?=[0-9(])|(?<=[0-9)]\s)\*\*(?=\s[0-9(])|\^|[²³]"),
    ("bold", r"\*\*+|__+"),
    ("sign", r"//|[-+*/−–—＋]"),
    ("factorial", r"!"),
    ("pair", r"(?<=[0-9]):(?=[0-9])|(?<=[0-9]\s):\s?(?=[0-9])|(?<=[0-9]),(?=[0-9])"),
    ("stop", r"[.,;:?\"“”‘’'\n#]"),
    ("unknown", r"\\[A-Za-z]+|\S"),
)  # fmt: skip
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))
_SEPARATOR = re.compile(r"[^0-9.]")
_BRACES = re.compile(r"\{([^{}]*)\}")

_SAME: dict[str, Kind] = {
    name: name
    for name in ("fraction", "root", "binomial", "relation", "factorial", "stop", "unknown", "word", "percent", "dots")
}
_VALUES: dict[str, tuple[Kind, str]] = {
    "times": ("operator", "*"),
    "over": ("operator", "/"),
    "about": ("equals", "≈"),
    "equals": ("equals", "="),
    "environment": ("stop", "|"),
    "matrix": ("unknown", "|"),
    "display": ("stop", ""),
    "row": ("stop", ""),
    "pair": ("unknown", ":"),
    "column": ("stop", ""),
    "escaped": ("unknown", "#"),
}
_SIGNS = {"−": "-", "–": "-", "＋": "+"}
_PARTNERS = {"(": ")", "[": "]", "{": "}"}


def tokens(text: str, start: int, end: int) -> list[Token]:
    """The tokens of `text[start:end]`; a bracket and its partner make one group. Takes time linear in the length."""
    rows: list[list[Token]] = [[]]
    opened: list[Token] = []
    for token in _flat(text, start, end):
        if token.value in _PARTNERS and token.kind == "group":
            if len(opened) < MAX_DEPTH:
                opened.append(token)
                rows.append([])
            else:
                rows[-1].append(Token("unknown", token.start, token.end, token.value))
        elif token.kind == "group":
            if opened and _PARTNERS[opened[-1].value] == token.value:
                inside, group = rows.pop(), opened.pop()
                group.end, group.inside = token.end, inside
                rows[-1].append(group)
            else:
                rows[-1].append(Token("stop", token.start, token.end, token.value))
        else:
            rows[-1].append(token)
    while opened:  # a bracket without a partner only ends what stood before it
        inside, group = rows.pop(), opened.pop()
        rows[-1].append(Token("stop", group.start, group.start + 1, group.value))
        rows[-1].extend(inside)
    return rows[0]


def _flat(text: str, start: int, end: int) -> Iterator[Token]:
    """The tokens one after the other; an opening or closing bracket is a `group` of its own here."""
    for found in _TOKEN.finditer(text, start, end):
        name = found.lastgroup or "unknown"
        begin, stop = found.span()
        if name in _SAME:
            yield Token(_SAME[name], begin, stop, found[0])
        elif name == "number":
            yield Token("number", begin, stop, _SEPARATOR.sub("", found[0]))
        elif name == "sign":
            sign = _SIGNS.get(found[0], found[0])
            yield Token("unknown" if sign in ("//", "—") else "operator", begin, stop, sign)
        elif name in _VALUES:
            yield Token(_VALUES[name][0], begin, stop, _VALUES[name][1])
        elif name in ("open", "close"):
            escaped = found[0].startswith("\\") and found[0][1] in "{}"
            kind: Kind = "unknown" if escaped else "group"
            yield Token(kind, begin if kind == "unknown" else stop - len(found[0].lstrip()), stop, found[0][-1])
        elif name == "power":
            yield Token("power", begin, stop, {"²": "2", "³": "3"}.get(found[0], "^"))
        elif name == "mark":
            yield Token("mark", begin, stop, "", tokens(text, begin + 2, stop - 2))
        elif name == "text":
            yield from _words(text, begin + found[0].index("{") + 1, stop - 1)


def _words(text: str, start: int, end: int) -> Iterator[Token]:
    r"""What is in `\text{…}`; anything but words and stops in it is not read."""
    for token in _flat(text, start, end):
        yield (
            token
            if token.kind in ("word", "stop", "percent", "relation")
            else Token("unknown", token.start, token.end, token.value)
        )
