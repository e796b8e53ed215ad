/* A sample that is opened: everything that the page knows of it, over the page, at its own address. */

const dialog = byId("sample");
const BEFORE = "\u2190 Before", AFTER = "Next \u2192";

function showSample(row) {
  state.open = row;
  dialog.replaceChildren(sampleHead(row), ...sampleParts(row).filter(Boolean));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

function closeSample() {
  state.open = null;
  if (dialog.open) dialog.close();
}

/** Title and buttons: the samples before and after in the table, close. */
function sampleHead(row) {
  const title = element("h2", "", "Sample ", element("bdi", "", data.ids[row]));
  title.id = "sample-title";
  const at = state.rows.indexOf(row);
  const step = (words, target) => {
    const node = button(words, () => {
      history.replaceState(null, "", placeOf(target));
      showSample(target);
      Array.from(dialog.querySelectorAll("header button")).find((one) => one.textContent === words)?.focus();
    });
    node.disabled = target === undefined;
    return node;
  };
  const before = step(BEFORE, at > 0 ? state.rows[at - 1] : undefined);
  const after = step(AFTER, at >= 0 ? state.rows[at + 1] : undefined);
  const link = element("a", "", "Link to this sample");
  link.href = "#samples?sample=" + encodeURIComponent(nameOf(row));
  return element("header", "", title, element("div", "buttons", before, after, link, button("Close", () => dialog.close())));
}

const sampleParts = (row) => [
  sampleItself(row), samplePart("How the runs voted", votes(row)), samplePart("Along training", along(row)),
  samplePart("Scores", lensScores(row)), samplePart("Most alike", neighbours(row)),
];

/** A part under its title; nothing where there is no content. */
function samplePart(title, content) {
  return content && element("section", "", element("h3", "", title), content);
}

function sampleItself(row) {
  const node = element("div", "itself");
  if (images.has(row)) node.append(picture(row));
  if (data.texts) {
    const words = element("p", "words", data.texts[row]);
    words.dir = "auto";
    node.append(words);
  }
  node.append(facts(row));
  return node;
}

/** A list of names and values. */
function entries(rows) {
  const shown = rows.map(([name, value]) => element("div", "", element("dt", "", name), element("dd", "", value)));
  return element("dl", "entries", ...shown);
}

/** What is known of the sample in single numbers and words. */
function facts(row) {
  const answer = data.answers[row];
  const leading = pairs(answer).filter(([, count]) => count === answer[1]).map(([label]) => className(label));
  const rows = [["Gold label", labelNode(data.targets[row], "gold label unknown")]];
  rows.push(isTied(answer) ? ["Tie of", element("bdi", "", leading.join(", "))] : ["Most frequent answer", labelNode(data.modes[row], "no answer")]);
  if (verdict(row) !== null && !isTied(answer)) rows.push(["It is", verdictNode(row)]);
  const numbers = [
    ["Share of runs", data.share[row], percent], ["Label entropy (nats)", data.entropy[row], (value) => decimal(value, 3)],
    ["Two runs disagree", data.jitter[row], percent], ["Chance to change", data.chance?.[row] ?? null, percent],
    ["Confidence", data.mean[row], () => confidenceWords(row)],
    ["Probability of the gold label", data.gold?.[row] ?? null, (value) => decimal(value, 2)],
  ];
  rows.push(...numbers.filter(([, value]) => value !== null).map(([name, value, form]) => [name, form(value)]));
  for (const grouping of data.groups) {
    if (grouping.title !== "class" && grouping.rows[row] >= 0) rows.push([`Group by ${grouping.title}`, groupLink(grouping, row)]);
  }
  return entries(rows);
}

function groupLink(grouping, row) {
  const link = element("a", "", element("bdi", "", grouping.names[grouping.rows[row]]));
  link.href = `${PLACE}group=${encodeURIComponent(`${grouping.title}:${grouping.rows[row]}`)}`;
  return link;
}

/** Each answer with its bar, how many runs gave it, and which. */
function votes(row) {
  const found = pairs(data.answers[row]);
  if (!found.length || data.chance) return null;
  const voted = data.votes?.rows[row] ?? "";
  const rows = found.map(([label, count], place) => {
    const runs = data.votes && found.length > 1 ? data.votes.runs.filter((_, at) => voted.charCodeAt(at) - 48 === place) : [];
    const words = `${grouped(count)} ${count === 1 ? "run" : "runs"}` + (runs.length ? `: ${runs.join(", ")}` : "");
    return [className(label), words];
  });
  return element("div", "", bar(found), entries(rows));
}

/** The votes at each checkpoint, one bar under the other. */
function along(row) {
  const kept = data.history?.rows[row];
  if (!kept?.length) return null;
  const shown = [];
  let last = [];
  kept.forEach((flat, place) => {
    last = flat === 0 ? last : flat;
    const found = pairs(last);
    const step = element("dt", "", `step ${grouped(data.history.steps[place])}`);
    shown.push(element("div", "", step, element("dd", "", bar(byFinal(row, found)), element("bdi", "", answerWords(found, 4)))));
  });
  return element("dl", "along", ...shown);
}

/** Answers in the order of the final ones, so that a label keeps its colour. */
function byFinal(row, found) {
  const order = pairs(data.answers[row]).map(([label]) => label);
  const size = (label) => found.find(([one]) => one === label)?.[1] ?? 0;
  return [...order.map((label) => [label, size(label)]), ...found.filter(([label]) => !order.includes(label))];
}

/** What each lens says of the sample. */
function lensScores(row) {
  const parts = data.lenses.map((lens) => {
    const rows = lens.columns.map((column) => {
      const value = column.values[row];
      const node = element("span", "", value === null ? missing("no value") : digits(value) + (column.unit ? ` ${column.unit}` : ""));
      node.title = column.about;
      return [column.name.replaceAll("_", " "), node];
    });
    return element("details", "", element("summary", "", lens.title), entries(rows));
  });
  return parts.length ? element("div", "", ...parts) : null;
}

/** The samples most like this one, with what the runs answer to them. */
function neighbours(row) {
  const found = data.near[row];
  if (!found) return null;
  const items = found.map((other) => {
    const link = cell.sample(other).querySelector("a");
    const parts = images.has(other) ? [picture(other), link] : [link];
    if (data.texts) parts.push(element("p", "", clip(data.texts[other], 120)));
    const answer = element("p", "muted", answerWords(pairs(data.answers[other]), 3));
    return element("li", "", ...parts, answer);
  });
  return element("ul", "near", ...items);
}
