/* Draws the comparison's chart in the page's colours. The page is complete without it. */

(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  document.documentElement.classList.add("scripted");
  const figures = JSON.parse(byId("figures").textContent);
  const config = { displayModeBar: false, displaylogo: false, responsive: true, showLink: false, showSendToCloud: false };

  /** A figure with the page's colours and fonts, which follow the light or dark scheme. */
  function themed(name) {
    const style = getComputedStyle(document.documentElement);
    const color = (variable) => style.getPropertyValue(variable).trim();
    const figure = structuredClone(figures[name]);
    const axis = {
      gridcolor: color("--rule"), zerolinecolor: color("--muted"), linecolor: color("--muted"),
      tickfont: { color: color("--muted") }, automargin: true, fixedrange: true,
    };
    const layout = figure.layout;
    Object.assign(layout, {
      font: { family: color("--sans"), size: 13, color: color("--ink") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 50, r: 12, t: 12, b: 46 },
      showlegend: false,
      hoverlabel: {
        bgcolor: color("--raised"), bordercolor: color("--muted"), align: "left",
        font: { family: color("--sans"), size: 13, color: color("--ink") },
      },
    });
    Object.assign(layout.xaxis, axis);
    Object.assign(layout.yaxis, axis);
    const paint = { front: color("--accent"), other: color("--muted") };
    for (const trace of figure.data) {
      trace.marker.color = paint[trace.name];
      trace.error_y.color = paint[trace.name];
      trace.textfont = { color: color("--ink"), size: 12 };
    }
    return figure;
  }

  function drawCharts() {
    for (const name of Object.keys(figures)) {
      const { data, layout } = themed(name);
      Plotly.react(byId("chart-" + name), data, layout, config);
    }
  }

  drawCharts();
  matchMedia("screen and (prefers-color-scheme: dark)").addEventListener("change", drawCharts);
})();
