/* The filters, which combine. `state.filters` holds texts by name, as the page's address does; absent: any. */

const state = { filters: {}, sort: data.chance ? "chance" : "entropy", down: true, size: 25, page: 0, rows: [], open: null };
const standard = { sort: state.sort, down: true };

const has = (row, label) => pairs(data.answers[row]).some(([one]) => one === label);
const atLabel = new Map(data.labels.map((label, place) => [String(label), place]));
const labelOf = (value) => atLabel.get(value) ?? -2; // a label that no row names fits none

/** What the search looks at, made on the first search. */
let searchable = null;
function searchTexts() {
  searchable ??= data.ids.map((id, row) => {
    const labels = pairs(data.answers[row]).map(([label]) => className(label));
    if (data.targets[row] >= 0) labels.push(className(data.targets[row]));
    return [id, data.texts ? data.texts[row] : "", ...labels].join("\n").toLowerCase();
  });
  return searchable;
}

/** The group of a filter such as `cluster:3`, as a grouping and a position; null where there is none. */
function groupNamed(value) {
  const cut = value.lastIndexOf(":");
  const grouping = data.groups.find((one) => one.title === value.slice(0, cut));
  return grouping ? { grouping, place: Number(value.slice(cut + 1)) } : null;
}

/** For each filter what makes a test of rows out of its value. */
const tests = {
  q(value) {
    const words = value.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = searchTexts();
    return (row) => words.every((word) => texts[row].includes(word));
  },
  gold: (value) => (row) => data.targets[row] === labelOf(value),
  answer: (value) => (row) => has(row, labelOf(value)),
  other: (value) => (row) => has(row, labelOf(value)),
  verdict: (value) => (row) => verdicts[verdict(row)]?.[0] === value,
  low: (value) => (row) => data.entropy[row] !== null && data.entropy[row] >= Number(value),
  high: (value) => (row) => data.entropy[row] !== null && data.entropy[row] <= Number(value),
  group(value) {
    const found = groupNamed(value);
    return (row) => found !== null && found.grouping.rows[row] === found.place;
  },
  run(value) {
    const place = data.votes ? data.votes.runs.indexOf(Number(value)) : -1;
    return (row) => place >= 0 && data.votes.rows[row] !== "" && data.votes.rows[row][place] !== "0";
  },
  unstable: () => (row) => data.answers[row].length > 2,
};

/** What a column sorts by; null sorts last in both directions. */
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
const compare = (first, second) => (typeof first === "string" ? collator.compare(first, second) : first - second);

/** Put the rows that pass every filter into `state.rows`, in their order; the data come with the least stable first. */
function select() {
  const wanted = Object.entries(state.filters).map(([name, value]) => tests[name](value));
  state.rows = data.ids.map((_, row) => row).filter((row) => wanted.every((test) => test(row)));
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

/** A choice of the filter bar with its options, each a value and words. */
function fill(name, options) {
  const node = byId("filter-" + name);
  if (!node) return;
  node.closest("label").hidden = !options.length;
  node.append(...options.map(([value, words]) => new Option(words, value)));
}

/** Labels as options, by name. */
function labelOptions(counts) {
  const found = Array.from(counts, ([label, count]) => [String(data.labels[label]), `${className(label)} (${grouped(count)})`]);
  return found.sort((first, second) => collator.compare(first[1], second[1]));
}

/** How often each label occurs. */
function count(values) {
  const found = new Map();
  for (const value of values) if (value >= 0) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

/** Groups as options, under what groups them. */
function groupOptions() {
  const node = byId("filter-group");
  if (!node) return;
  node.closest("label").hidden = !data.groups.length;
  for (const grouping of data.groups) {
    const holder = element("optgroup");
    holder.label = "by " + grouping.title;
    holder.append(...grouping.names.map((name, place) => new Option(name, `${grouping.title}:${place}`)));
    node.append(holder);
  }
}

/** What can be chosen is what the rows hold. */
function fillChoices() {
  const given = data.answers.flatMap((flat) => pairs(flat).map(([label]) => label));
  fill("gold", labelOptions(count(data.targets)));
  fill("answer", labelOptions(count(given)));
  fill("other", labelOptions(count(given)));
  const known = data.ids.some((_, row) => verdict(row) !== null);
  fill("verdict", known ? [["right", "right"], ["wrong", "wrong"], ["tie", "a tie"]] : []);
  fill("run", (data.votes?.runs ?? []).map((run) => [String(run), `run ${run} answers otherwise`]));
  groupOptions();
}

/** Show the filters that are set in the filter bar. */
function showFilters() {
  for (const node of document.querySelectorAll("#controls [name]")) {
    const value = state.filters[node.name] ?? "";
    if (node.type === "checkbox") node.checked = value !== "";
    else node.value = value;
  }
  byId("clear").disabled = !Object.keys(state.filters).length;
}

/** Set one filter, or take it away. */
function setFilter(name, value) {
  if (value === "") delete state.filters[name];
  else state.filters[name] = value;
  byId("clear").disabled = !Object.keys(state.filters).length;
}
