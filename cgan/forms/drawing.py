"""How a condition enters both networks, as an SVG drawn from the model's own configuration.

A column is a resolution. The generator grows from left to right, the discriminator shrinks from right to
left, and what is asked enters both in its own colour. Every colour reads on white and on black.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from cgan.model import ConditionalGAN

NOISE, ASKED, MAKES, JUDGES, WORDS = "#8a63d2", "#b4650f", "#3b78c4", "#2a8462", "#7b838c"
WIDTH, LEFT = 840, 236  # of the sheet; left edge of the columns
CENTRE, HALF, HEAD = 96, 80, 176  # what stands left of the columns: its middle, half its width, right edge


class Sheet:
    """Shapes and words, gathered from back to front."""

    def __init__(self):
        self.parts: list[str] = []

    def box(self, x: float, y: float, wide: float, high: float, colour: str, *lines: str) -> None:
        """A filled box around the point x, y with white words in it."""
        self.parts.append(
            f'<rect x="{x - wide / 2:g}" y="{y - high / 2:g}" width="{wide:g}" height="{high:g}" rx="6" '
            f'fill="{colour}"/>'
        )
        for k, line in enumerate(lines):
            self.words(x, y + 4.5 + 16 * (k - (len(lines) - 1) / 2), line, "#fff")

    def words(self, x: float, y: float, line: str, colour: str = WORDS, anchor: str = "middle") -> None:
        """A line of words on the baseline y."""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}">{escape(line)}</text>'
        )

    def line(self, colour: str, points: Iterable[tuple[float, float]], arrow: bool = True) -> None:
        """Through those points, with a head at the end if it is an arrow."""
        path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        end = f' marker-end="url(#{_head(colour)})"' if arrow else ""
        self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{end}/>')

    def svg(self, title: str, high: float) -> str:
        """The whole file."""
        heads = "".join(
            f'<marker id="{_head(colour)}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="4.5" '
            f'markerHeight="4.5" orient="auto"><path d="M0 0 L8 4 L0 8 Z" fill="{colour}"/></marker>'
            for colour in (NOISE, ASKED, MAKES, JUDGES, WORDS)
        )
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high:g}" width="{WIDTH}" '
            f'height="{high:g}" font-family="system-ui, sans-serif" font-size="13" role="img">',
            f"<title>{escape(title)}</title>", f"<defs>{heads}</defs>", *self.parts, "</svg>\n",
        ])  # fmt: skip


def _head(colour: str) -> str:
    return f"head-{colour[1:]}"


class Drawing:
    """Where everything stands: the columns, and the rows of maps, generator, condition and discriminator."""

    def __init__(self, model: ConditionalGAN):
        self.model, self.config, self.sheet = model, model.config, Sheet()
        self.levels = dict(zip(model.generator.resolutions, model.config.generator.widths, strict=True))
        widths, size = model.config.discriminator.widths, model.config.size
        self.judged = {size >> (k + 1): width for k, width in enumerate(widths)}
        self.columns = sorted({*self.levels, *self.judged} - {size}) + [size]
        self.vector, self.spatial = model.encoder.vector_dim, model.encoder.spatial_channels
        self.maps_y = 68
        self.generator_y = self.maps_y + 142 if self.spatial else 84
        self.bus_y = self.generator_y + 68
        self.critic_y = self.bus_y + 96

    def x(self, size: int) -> float:
        """The middle of that resolution's column."""
        step = (WIDTH - LEFT - 92) / (len(self.columns) - 1)
        return LEFT + 34 + step * self.columns.index(size)

    def side(self, size: int) -> float:
        """Of a feature map's box; a picture's is 68."""
        return 30 + 38 * math.log2(size / self.columns[0]) / math.log2(self.columns[-1] / self.columns[0])

    def feature(self, size: int, y: float, colour: str, words: str) -> None:
        """A feature map's box, with its channels in it."""
        self.sheet.box(self.x(size), y, self.side(size), self.side(size), colour, words)

    def across(self, sizes: Iterable[int], y: float, colour: str) -> None:
        """Arrows along a row, from each of those resolutions' boxes to the next."""
        sizes = list(sizes)
        for a, b in zip(sizes, sizes[1:], strict=False):
            sign = 1 if a < b else -1
            ends = (self.x(a) + sign * self.side(a) / 2, self.x(b) - sign * (self.side(b) / 2 + 2))
            self.sheet.line(colour, [(ends[0], y), (ends[1], y)])

    def __call__(self, title: str) -> str:
        for size in self.columns:
            self.sheet.words(self.x(size), 18, f"{size}×{size}")
        if self.spatial:
            self._maps()
        self._generator()
        self._style()
        self._discriminator()
        return self.sheet.svg(title, self.critic_y + 62)

    def _maps(self) -> None:
        """The spatial condition at every resolution, and on its way to the discriminator."""
        sheet, size, y, options = self.sheet, self.config.size, self.maps_y, self.config.generator
        encoded = self.model.generator.spatial is not None
        sizes = [at for at in self.columns if at >= min(self.levels)]
        for at in sizes:
            words = options.spatial_hidden if encoded and at < size else self.spatial
            self.feature(at, y, ASKED, str(words))
            if at in self.levels:
                top = self.generator_y - self.side(at) / 2 - 2
                sheet.line(ASKED, [(self.x(at), y + self.side(at) / 2), (self.x(at), top)])
        self.across(reversed(sizes), y, ASKED)
        sheet.words(CENTRE, y - 4, self.config.condition.form, ASKED)
        sheet.words(CENTRE, y + 13, "through convolutions" if encoded else "averaged down", ASKED)
        sheet.words(CENTRE, y + 60, "scales and shifts")
        sheet.words(CENTRE, y + 77, "each channel, pixel by pixel")
        side, edge = self.x(size) + self.side(size) / 2, self.x(size) + 46
        sheet.line(ASKED, [(side, y), (edge, y), (edge, self.critic_y), (side + 2, self.critic_y)])

    def _generator(self) -> None:
        sheet, y, size = self.sheet, self.generator_y, self.config.size
        sheet.words(CENTRE, y - 26, "Generator", MAKES)
        sheet.box(CENTRE, y, 2 * HALF, 34, NOISE, f"{self.config.generator.noise_dim} noise numbers")
        first = min(self.levels)
        sheet.line(NOISE, [(HEAD, y), (self.x(first) - self.side(first) / 2 - 2, y)])
        self.across([*self.levels, size], y, MAKES)
        for at, width in self.levels.items():
            self.feature(at, y, MAKES, str(width))
        self.feature(size, y, MAKES, str(self.config.channels))
        x, half = self.x(size), self.side(size) / 2
        sheet.line(MAKES, [(x, y + half), (x, self.critic_y - half - 2)])
        sheet.words(x - 8, self.bus_y + 36, "or a real one", anchor="end")

    def _style(self) -> None:
        """What enters at every resolution as one vector: the noise, the condition, or both."""
        sheet, y = self.sheet, self.bus_y
        noisy = self.model.generator.block_style_dim > self.vector
        lines = [(NOISE, y - 10, -5 if self.vector else 0)] if noisy else []
        if noisy or self.vector:
            appended = self.config.generator.block == "transposed"
            words = "appended to the channels" if appended else "scale and shift each channel"
            words = f"mixed, then {words}" if self.config.generator.mapping else words
            sheet.words(HEAD + 24, y + (30 if self.vector else 10), words, anchor="start")
        if self.vector:
            reader = self.model.encoder.reader
            words = [f"{self.config.condition.form}: {self.vector} numbers", *([reader] if reader else [])]
            sheet.box(CENTRE, y + 10, 2 * HALF, 24 + 12 * len(words), ASKED, *words)
            lines.append((ASKED, y + 10, 5 if noisy else 0))
        for colour, height, aside in lines:
            begin = HEAD if colour == ASKED else HEAD + 24
            last = self.x(max(self.levels)) + aside
            points = [(begin, height), (last, height)]
            if colour == NOISE:
                points = [(begin, self.generator_y), *points]
            sheet.line(colour, points, arrow=False)
            for at in self.levels:
                x = self.x(at) + aside
                sheet.line(colour, [(x, height), (x, self.generator_y + self.side(at) / 2 + 2)])

    def _discriminator(self) -> None:
        sheet, y, size, options = self.sheet, self.critic_y, self.config.size, self.config.discriminator
        words = f"{self.config.channels} + {self.spatial}" if self.spatial else str(self.config.channels)
        self.across([size, *self.judged], y, JUDGES)
        self.feature(size, y, JUDGES, words)
        for at, width in self.judged.items():
            self.feature(at, y, JUDGES, str(width))
        last, lines = min(self.judged), ["real, and as asked?"]
        if self.vector:
            how = "features · {}" if options.head == "projection" else "features beside {}"
            lines.append(how.format(self.config.condition.form))
        if self.config.auxiliary:
            lines.append("reads what was asked")
        high = 18 + 16 * len(lines)
        if self.vector:
            sheet.line(ASKED, [(CENTRE, self.bus_y + 26), (CENTRE, y - high / 2 - 2)])
        sheet.box(CENTRE, y, 2 * HALF, high, JUDGES, *lines)
        sheet.words(CENTRE, y + high / 2 + 18, "Discriminator", JUDGES)
        sheet.line(JUDGES, [(self.x(last) - self.side(last) / 2, y), (HEAD + 2, y)])


def draw(model: ConditionalGAN, title: str) -> str:
    """The SVG of a model whose discriminator is one."""
    return Drawing(model)(title)
