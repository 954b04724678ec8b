# SPDX-License-Identifier: BSD-2-Clause
"""Plots of cost against size, as SVG: for rows that were measured at several sizes."""

import math
import os
from xml.sax.saxutils import escape

# What n is, and what is being done with so much of it.
SIZES = {"6": ("MiB resident", "fork"),
         "8": ("other entries", "map + unmap of a page"),
         "10": ("entries", "write fault in an entry at random"),
         "12": ("generations", "copy-on-write below a chain of generations"),
         "16": ("dirty pages of 4096", "msync")}

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 46, 52
COLOURS = {"native": "#b3541e", "bsdvm": "#1f6f8b"}
DASHES = {"A": "", "B": ' stroke-dasharray="6 4"'}


def short(number):
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " K")):
        if number >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"


def ticks(low, high):
    """1, 2, 5, 10 ... as far as they are needed; only powers of ten when that is many."""
    steps = (1, 2, 5) if high / low < 1000 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = [step * 10 ** power for power in range(first, last + 1) for step in steps]
    begin = max(tick for tick in found if tick <= low)
    end = min(tick for tick in found if tick >= high)
    return [tick for tick in found if begin <= tick <= end]


class Plot:
    """One row: a line for each peer and configuration, over its sizes."""

    def __init__(self, sizes, figures):
        self.sizes = sizes
        self.marks = ticks(min(figures), max(figures))
        self.parts = []

    def x(self, size):
        room = WIDTH - LEFT - RIGHT
        return LEFT + room * (0.06 + 0.88 * self.sizes.index(size) / (len(self.sizes) - 1))

    def y(self, figure):
        low, high = math.log(self.marks[0]), math.log(self.marks[-1])
        share = (math.log(figure) - low) / (high - low) if high > low else 0.5
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def text(self, x, y, words, anchor="middle", more=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
                          f'{escape(words)}</text>')

    def axes(self, title, size_name, unit):
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        self.text(LEFT, 24, title, "start", ' font-size="15" font-weight="bold"')
        for mark in self.marks:
            y = self.y(mark)
            self.parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
            self.text(LEFT - 8, y + 4, short(mark), "end")
        for size in self.sizes:
            self.text(self.x(size), bottom + 18, f"{size:,}".replace(",", "\u202f"))
        self.parts.append(f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#444"/>')
        self.text((LEFT + right) / 2, HEIGHT - 12, size_name)
        middle = (TOP + bottom) / 2
        self.text(18, middle, f"instructions per {unit}", "middle",
                  f' transform="rotate(-90 18 {middle})"')

    def line(self, config, peer, figures):
        colour, dash = COLOURS[peer], DASHES.get(config, "")
        points = [(self.x(size), self.y(figure)) for size, figure in figures]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" '
                          f'stroke-width="2"{dash}/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                       for x, y in points]

    def key(self, lines):
        for i, (config, peer) in enumerate(lines):
            x, y = WIDTH - RIGHT + 14, TOP + 12 + 20 * i
            self.parts.append(f'<path d="M{x} {y}h28" stroke="{COLOURS[peer]}" '
                              f'stroke-width="2"{DASHES.get(config, "")}/>')
            self.text(x + 36, y + 4, f"{peer}, {config}", "start")

    def svg(self):
        return "\n".join(
            [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12" '
             f'fill="#222">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
             *self.parts, "</svg>", ""])


def draw(number, by_config):
    """The SVG of a row; by_config: {configuration: its parts, of ascending size}"""
    peers = ("native", "bsdvm")
    lines = {(config, peer): [(part["n"], part[peer]["figure"]) for part in parts]
             for config, parts in by_config.items() for peer in peers}
    sizes = sorted({size for line in lines.values() for size, _ in line})
    plot = Plot(sizes, [figure for line in lines.values() for _, figure in line])
    size_name, title = SIZES[number]
    unit = next(iter(by_config.values()))[0]["unit"]
    plot.axes(f"{title}: cost against size", size_name, unit)
    for (config, peer), figures in lines.items():
        plot.line(config, peer, figures)
    plot.key(list(lines))
    return plot.svg()


def write_all(directory, rows):
    """A file for each row; rows: {number: {configuration: parts}}. Returns their paths."""
    paths = []
    for number, by_config in rows.items():
        if number in SIZES:
            paths.append(os.path.join(directory, f"row-{number}.svg"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(draw(number, by_config))
    return paths
