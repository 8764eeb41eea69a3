"""A page of figures as one file: tables, charts that are drawn from them, and notes.

It opens without a network and reads without scripts: a chart is drawn from the table beneath it.
What comes from a run is escaped by the template; nothing but the scripts and the style of this
package can act, for the page's own policy names their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "\N{EN DASH}"
"""What stands where there is no value."""

Cell = str | int | float | None
"""A text, or a number; None where there is no value."""

_TENTHS_BELOW = 100
# A number with its sign or unit, and from one number to another.
_FIGURE = re.compile(r"[+-]?[\d,.]+( ?%| pp)?(\N{EN DASH}[\d,.]+%?)?|from 0")
_ASKS = "; connect-src 'self'"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence.

    Attributes:
        text: What it says.
        is_loud: Whether a reader must not miss it.
    """

    text: str
    is_loud: bool = False
    kind: str = "note"


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that is read first.

    Attributes:
        value: The number, with its unit.
        name: What it is.
        told: More about it.
    """

    value: str
    name: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; numbers stand to the right, unless all is text.

    Attributes:
        headings: One for each column.
        rows: The cells.
        title: What the rows are, if the section does not say so.
        is_open: Whether it is shown before it is asked for.
        is_text: Whether a number in it is a word among others.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    is_open: bool = True
    is_text: bool = False
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over time, or over labels; drawn from the table beneath it.

    Attributes:
        name: Its name in the page.
        title: What it shows.
        unit: Of all its values.
        columns: What each line is.
        rows: The place on the axis, and the value of each line there; None where there is none.
        labels: What is written at the places; without any they are seconds.
        is_log: Whether ten times as much is one step higher.
        bounds: Values that must not be exceeded, by what they are.
        told: How it is read.
        drawn: How many of the columns are drawn, from the first; all by default.
    """

    name: str
    title: str
    unit: str
    columns: Sequence[str]
    rows: Sequence[Sequence[float | None]]
    labels: Sequence[str] = ()
    is_log: bool = False
    bounds: dict[str, float] = field(default_factory=dict)
    told: str = ""
    drawn: int | None = None
    kind: str = "chart"

    @property
    def spec(self) -> dict[str, Any]:
        """What the script has to know beside the table."""
        return {
            "unit": self.unit,
            "isLog": self.is_log,
            "isTime": not self.labels,
            "bounds": list(self.bounds.items()),
            "drawn": len(self.columns) if self.drawn is None else self.drawn,
        }


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page.

    Attributes:
        title: What it is about.
        blocks: What is in it, in order.
    """

    title: str
    blocks: Sequence[Note | Table | Chart]

    @property
    def anchor(self) -> str:
        """Its name in links."""
        return "".join(one if one.isalnum() else "-" for one in self.title.lower())


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        title: What it is about.
        verdict: One of holds, violated, unknown, or `not judged`.
        banner: What stands in its place at the top, if it is something else that is asked.
        is_well: Whether nothing is to be done about it.
        ending: How it ended, in a sentence.
        facts: What it was, in a few words each.
        tiles: The numbers that are read first.
        sections: The rest; one without blocks is left out.
        faults: What is shaded in charts over time: what, and from and to which second.
        readings: Where new values of tiles and charts come from each second, while a run goes on.
    """

    title: str
    verdict: str
    is_well: bool
    ending: str
    facts: Sequence[tuple[str, str]]
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    faults: Sequence[tuple[str, float, float]] = ()
    readings: str = ""
    banner: str = ""


def render(page: Page) -> str:
    """The page as HTML."""
    live = ["live.js"] if page.readings else []
    script = _together("locale.js", "uPlot.iife.min.js", "charts.js", *live)
    style = _together("uPlot.min.css", "page.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        f"img-src data:; base-uri 'none'; form-action 'none'{_ASKS if live else ''}"
    )
    return _template().render(page=page, script=script, style=style, policy=policy)


def shown(value: float | None) -> str:
    """A number as people read it: as exact as its size asks for."""
    if value is None:
        return NOTHING
    if isinstance(value, int) or abs(value) >= _TENTHS_BELOW:
        return f"{value:,.0f}"
    return f"{value:.3g}" if 0 < abs(value) < 1 else f"{value:.1f}"


def _coded(text: str) -> Markup:
    """A sentence, in which what stands between backticks is set as code."""
    words = (escape(one) for one in text.split("`"))
    joined = (
        (word if at % 2 == 0 else Markup("<code>{}</code>").format(word))
        for at, word in enumerate(words)
    )
    return Markup("").join(joined)


def _point(value: float | None) -> str:
    """A number as a chart's script reads it; the rest of a second's figures is noise."""
    if value is None:
        return ""
    return f"{value:.{0 if value == int(value) or abs(value) >= _TENTHS_BELOW else 2}f}"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _together(*names: str) -> Markup:
    folder = resources.files(__package__) / "assets"
    texts = ((folder / name).read_text(encoding="utf-8").strip() for name in names)
    return Markup("\n".join(texts))  # noqa: S704 -- files of the package


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "point": _point, "json": json.dumps, "coded": _coded}
    environment.tests["text"] = lambda cell: isinstance(cell, str)
    environment.tests["figure"] = lambda cell: not isinstance(cell, str) or _FIGURE.fullmatch(cell)
    return environment.get_template("page.html")
