"""Charts drawn as SVG from plain data, in one style for all lenses: `_svg.chart_html` draws any of them."""
