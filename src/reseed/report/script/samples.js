/* The interactive half of the report. The page is complete without it: this script draws the charts and turns the
   static table of samples into one that can be searched, sorted and paged. Everything that comes from the data is
   put into the page as text nodes, never as markup. */

(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  document.documentElement.classList.add("scripted");

  // ---------------------------------------------------------------- small helpers

  /** An element with a class and children; strings become text nodes. */
  function element(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  }

  /** A dash with the reason as a tooltip and for screen readers. */
  function missing(reason) {
    const node = element("span", "missing", "\u2014", element("span", "unseen", " " + reason));
    node.title = reason;
    return node;
  }

  const grouped = (value) => value.toLocaleString("en-US");
  const decimal = (value, digits) => value.toFixed(digits).replace("-", "\u2212");

  /** A share as percent: one decimal, two close to 0 % and 100 %. */
  function percent(share) {
    const close = (share > 0 && share < 0.01) || (share > 0.99 && share < 1);
    return decimal(100 * share, close ? 2 : 1) + "\u00a0%";
  }

  const clip = (text, limit) => {
    const characters = Array.from(text.slice(0, 2 * limit + 2));
    return characters.length <= limit ? text : characters.slice(0, limit - 1).join("") + "\u2026";
  };

  // ---------------------------------------------------------------- table of samples

  const data = read("samples-data");
  const total = data.ids.length;
  const body = byId("samples-table").tBodies[0];
  const box = byId("samples-box");

  // The images of the static rows are already in the page: keep them, the static rows go.
  const images = new Map(Object.entries(data.images).map(([row, image]) => [Number(row), "data:image/png;base64," + image]));
  Array.from(body.rows).forEach((row, index) => {
    const picture = row.querySelector("img");
    if (picture) images.set(index, picture.src);
  });

  const className = (label) => data.classes[label] ?? `class ${label}`;

  /** What the search looks at, made on the first search. */
  let searchable = null;
  function searchTexts() {
    searchable ??= data.ids.map((id, row) => {
      const labels = [];
      for (let at = 0; at < data.answers[row].length; at += 2) labels.push(className(data.answers[row][at]));
      if (data.targets[row] >= 0) labels.push(className(data.targets[row]));
      return [id, data.texts ? data.texts[row] : "", ...labels].join("\n").toLowerCase();
    });
    return searchable;
  }

  /** What a column sorts by; null sorts last in both directions. */
  const verdicts = [["wrong", "\u2717 wrong"], ["tie", "= tie"], ["right", "\u2713 right"]];
  function verdict(row) {
    if (data.targets[row] < 0 || data.modes[row] < 0) return null;
    const [, first, , second] = data.answers[row]; // label and count in turn, most frequent first
    return second !== undefined && first === second ? 1 : 2 * Number(data.modes[row] === data.targets[row]);
  }
  const sortValue = {
    sample: (row) => data.ids[row],
    answers: (row) => (data.answers[row].length ? className(data.answers[row][0]) : null),
    gold: (row) => (data.targets[row] < 0 ? null : className(data.targets[row])),
    right: verdict,
    share: (row) => data.share[row],
    entropy: (row) => data.entropy[row],
    jitter: (row) => data.jitter[row],
    answer: (row) => (data.modes[row] < 0 ? null : className(data.modes[row])),
    chance: (row) => data.chance[row],
    confidence: (row) => data.mean[row],
  };

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  function compare(first, second) {
    return typeof first === "string" ? collator.compare(first, second) : first - second;
  }

  // How each cell is drawn; the static rows of the page look the same.
  const numberCell = (value, form, reason) => element("td", "number", value === null ? missing(reason) : form(value));
  const cell = {
    sample(row) {
      const node = element("td", "sample");
      if (images.has(row)) {
        const picture = element("img");
        picture.src = images.get(row);
        picture.alt = "sample " + data.ids[row];
        node.append(picture);
      }
      node.append(element("span", "id", element("bdi", "", data.ids[row])));
      if (data.texts) {
        const text = data.texts[row];
        const holder = element("div", "text");
        holder.dir = "auto";
        const opening = clip(text, data.preview);
        if (opening === text) holder.append(text);
        else holder.append(element("details", "", element("summary", "", opening), element("span", "full", text)));
        node.append(holder);
      }
      return node;
    },
    answers(row) {
      const pairs = [];
      for (let at = 0; at < data.answers[row].length; at += 2) pairs.push(data.answers[row].slice(at, at + 2));
      if (!pairs.length) return element("td", "answers", missing("no answer"));
      const bar = element("span", "bar");
      bar.setAttribute("aria-hidden", "true");
      const sizes = pairs.map(([, count]) => count);
      if (sizes.length > data.parts) sizes.push(sizes.splice(data.parts - 1).reduce((sum, count) => sum + count));
      sizes.forEach((count, place) => {
        const part = element("span", `part part-${Math.min(place, 4)}`);
        part.style.flexGrow = count;
        bar.append(part);
      });
      const words = pairs.slice(0, 6).map(([label, count]) => `${className(label)}\u00a0\u00d7${count}`);
      if (pairs.length > 6) words.push(`${pairs.length - 6} more`);
      return element("td", "answers", bar, element("bdi", "", words.join(" \u00b7 ")));
    },
    gold(row) {
      const known = data.targets[row] >= 0;
      return element("td", "", known ? element("bdi", "", className(data.targets[row])) : missing("gold label unknown"));
    },
    right(row) {
      const found = verdict(row);
      if (found === null) return element("td", "", missing(data.targets[row] < 0 ? "gold label unknown" : "no answer"));
      return element("td", "", element("span", ...verdicts[found]));
    },
    share: (row) => numberCell(data.share[row], percent, "no answer"),
    entropy: (row) => numberCell(data.entropy[row], (value) => decimal(value, 3), "undefined for this sample"),
    jitter: (row) => numberCell(data.jitter[row], percent, "needs two runs"),
    answer(row) {
      const known = data.modes[row] >= 0;
      return element("td", "", known ? element("bdi", "", className(data.modes[row])) : missing("no answer"));
    },
    chance: (row) => numberCell(data.chance[row], percent, "not estimated"),
    confidence(row) {
      const std = data.std[row] === null ? "" : ` \u00b1\u00a0${decimal(data.std[row], 2)}`;
      return numberCell(data.mean[row], (value) => decimal(value, 2) + std, "confidence not recorded");
    },
  };

  // `rows` holds the positions that match, in the order shown. The data come with the least stable first.
  const state = { rows: [], page: 0, size: 25, sort: data.chance ? "chance" : "entropy", down: true, query: "", unstable: false };

  function select() {
    const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = words.length ? searchTexts() : null;
    state.rows = [];
    for (let row = 0; row < total; row++) {
      if (state.unstable && data.answers[row].length < 4) continue;
      if (words.every((word) => texts[row].includes(word))) state.rows.push(row);
    }
    const values = new Map(state.rows.map((row) => [row, sortValue[state.sort](row)]));
    const sign = state.down ? -1 : 1;
    state.rows.sort((first, second) => {
      const a = values.get(first);
      const b = values.get(second);
      if (a === null || b === null) return (a === null) - (b === null) || first - second;
      return sign * compare(a, b) || first - second;
    });
    state.page = 0;
  }

  const buttons = { first: byId("page-first"), previous: byId("page-previous"), next: byId("page-next"), last: byId("page-last") };
  const lastPage = () => Math.max(0, Math.ceil(state.rows.length / state.size) - 1);

  function draw() {
    const start = state.page * state.size;
    const shown = state.rows.slice(start, start + state.size);
    body.replaceChildren(
      ...shown.map((row) => element("tr", "", ...data.columns.map((column) => cell[column.key](row)))),
    );
    if (!shown.length) {
      const empty = element("td", "muted", "No sample matches.");
      empty.colSpan = data.columns.length;
      body.append(element("tr", "", empty));
    }
    byId("status").textContent = shown.length
      ? `${grouped(start + 1)}\u2013${grouped(start + shown.length)} of ${grouped(state.rows.length)}` +
        (state.rows.length < total ? ` (${grouped(total)} in all)` : "")
      : `0 of ${grouped(total)}`;
    // A disabled button loses the focus: pass it on, so that keyboard users stay in the pager.
    const focused = document.activeElement;
    buttons.first.disabled = buttons.previous.disabled = state.page === 0;
    buttons.next.disabled = buttons.last.disabled = state.page === lastPage();
    if (focused && focused.disabled) (state.page === 0 ? buttons.next : buttons.previous).focus({ preventScroll: true });
  }

  function turnTo(page) {
    const target = Math.min(Math.max(page, 0), lastPage());
    if (target === state.page) return;
    state.page = target;
    draw();
  }

  function refresh() {
    select();
    draw();
  }

  /** Headings become buttons that sort; the sorted column says so. */
  function addSorting() {
    const headings = Array.from(byId("samples-table").tHead.querySelectorAll("th"));
    const mark = () => {
      for (const heading of headings) {
        if (heading.dataset.key !== state.sort) heading.removeAttribute("aria-sort");
        else heading.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      }
    };
    headings.forEach((heading, index) => {
      const button = element("button", "", ...heading.childNodes);
      button.type = "button";
      button.addEventListener("click", () => {
        const column = data.columns[index];
        state.down = state.sort === column.key ? !state.down : column.down;
        state.sort = column.key;
        mark();
        refresh();
      });
      heading.replaceChildren(button);
    });
    mark();
  }

  function search(query) {
    byId("search").value = query;
    state.query = query;
    refresh();
  }

  addSorting();
  byId("search").addEventListener("input", (event) => search(event.target.value));
  const onlyUnstable = byId("only-unstable"); // absent where a single run was trained
  onlyUnstable?.addEventListener("change", (event) => {
    state.unstable = event.target.checked;
    refresh();
  });
  byId("page-size").addEventListener("change", (event) => {
    state.size = Number(event.target.value);
    state.page = 0;
    draw();
  });
  buttons.first.addEventListener("click", () => turnTo(0));
  buttons.previous.addEventListener("click", () => turnTo(state.page - 1));
  buttons.next.addEventListener("click", () => turnTo(state.page + 1));
  buttons.last.addEventListener("click", () => turnTo(lastPage()));
  box.addEventListener("keydown", (event) => {
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    turnTo(state.page + step);
  });
  byId("controls").hidden = false;
  byId("pager").hidden = false;
  state.query = byId("search").value; // browsers keep these when a page is reloaded
  state.unstable = onlyUnstable?.checked ?? false;
  state.size = Number(byId("page-size").value);
  refresh();

  // ---------------------------------------------------------------- charts

  const figures = read("figures");
  const config = { displayModeBar: false, displaylogo: false, responsive: true, showLink: false, showSendToCloud: false };

  /** A figure with the page's colours and fonts, which follow the light or dark scheme. */
  function themed(name) {
    const style = getComputedStyle(document.documentElement);
    const color = (variable) => style.getPropertyValue(variable).trim();
    const figure = structuredClone(figures[name]);
    const axis = {
      gridcolor: color("--rule"), zerolinecolor: color("--rule"), linecolor: color("--muted"),
      tickfont: { color: color("--muted") }, automargin: true, fixedrange: name !== "map",
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
    const trace = figure.data[0];
    trace.marker ??= {};
    if (name === "map") {
      trace.marker.colorscale = [0, 1, 2, 3].map((step) => [step / 3, color(`--scale-${step}`)]);
      trace.marker.line.color = color("--paper");
      Object.assign(trace.marker.colorbar, { tickfont: { color: color("--muted") }, tickcolor: color("--muted") });
    } else {
      trace.marker.color = color("--accent");
      if (trace.type === "scatter") trace.line = { color: color("--accent"), width: 2 };
    }
    return figure;
  }

  function drawCharts() {
    for (const name of Object.keys(figures)) {
      const { data: traces, layout } = themed(name);
      Plotly.react(byId("chart-" + name), traces, layout, config);
    }
  }

  drawCharts();
  matchMedia("screen and (prefers-color-scheme: dark)").addEventListener("change", drawCharts);

  // A click on a dot looks the sample up in the table.
  if (figures.map) {
    byId("chart-map").on("plotly_click", (event) => {
      search(event.points[0].customdata);
      byId("samples").scrollIntoView();
    });
  }
})();
