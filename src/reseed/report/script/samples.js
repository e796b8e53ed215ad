/* The samples: what is known of each row of the table, and how its cells are drawn. */

const data = JSON.parse(byId("samples-data").textContent);
const total = data.ids.length;
const table = byId("samples-table");
const body = table.tBodies[0];

// The images of the static rows are already in the page: keep them, the static rows go.
const images = new Map(Object.entries(data.images).map(([row, image]) => [Number(row), "data:image/png;base64," + image]));
Array.from(body.rows).forEach((row, index) => {
  const picture = row.querySelector("img");
  if (picture) images.set(index, picture.src);
});

const className = (label) => data.classes[label] ?? `class ${label}`;
const verdicts = [["wrong", "\u2717 wrong"], ["tie", "= tie"], ["right", "\u2713 right"]];

/** The (label, number of runs) pairs of a row, or of any such list. */
function pairs(flat) {
  const found = [];
  for (let at = 0; at < flat.length; at += 2) found.push([flat[at], flat[at + 1]]);
  return found;
}

/** Whether two labels lead with the same number of runs. */
const isTied = (flat) => flat.length > 2 && flat[1] === flat[3];

/** The position of what a row's top answer is among the verdicts; null where that is not known. */
function verdict(row) {
  if (data.targets[row] < 0 || data.modes[row] < 0) return null;
  return isTied(data.answers[row]) ? 1 : 2 * Number(data.modes[row] === data.targets[row]);
}

// A sample is named by its id, or by its row where a row before it has that id; the static rows say alike.
const rowOf = new Map();
data.ids.forEach((id, row) => rowOf.has(id) || rowOf.set(id, row));
const nameOf = (row) => (rowOf.get(data.ids[row]) === row ? data.ids[row] : `@${row}`);

/** The row of a name; null where there is none. */
function rowNamed(name) {
  if (rowOf.has(name)) return rowOf.get(name);
  const row = /^@\d+$/.test(name) ? Number(name.slice(1)) : total;
  return row < total ? row : null;
}

/** Answers as a bar, grey for the most frequent one. */
function bar(found) {
  const node = element("span", "bar");
  node.setAttribute("aria-hidden", "true");
  const sizes = found.map(([, count]) => count);
  if (sizes.length > data.parts) sizes.push(sizes.splice(data.parts - 1).reduce((sum, count) => sum + count));
  sizes.forEach((count, place) => {
    if (!count) return; // the others keep their colours
    const part = element("span", `part part-${Math.min(place, 4)}`);
    part.style.flexGrow = count;
    node.append(part);
  });
  return node;
}

/** Answers in words. */
function answerWords(found, most = 6) {
  const words = found.slice(0, most).map(([label, count]) => `${className(label)}\u00a0\u00d7${count}`);
  if (found.length > most) words.push(`${found.length - most} more`);
  return words.join(" \u00b7 ");
}

function confidenceWords(row) {
  const std = data.std[row] === null ? "" : ` \u00b1\u00a0${decimal(data.std[row], 2)}`;
  return decimal(data.mean[row], 2) + std;
}

const numberCell = (value, form, reason) => element("td", "number", value === null ? missing(reason) : form(value));
const labelNode = (label, reason) => (label < 0 ? missing(reason) : element("bdi", "", className(label)));

/** The cells of a row; the static rows of the page look the same. */
const cell = {
  sample(row) {
    const node = element("td", "sample");
    if (images.has(row)) node.append(picture(row));
    const link = element("a", "id", element("bdi", "", data.ids[row]));
    link.href = "#samples?sample=" + encodeURIComponent(nameOf(row));
    node.append(link);
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
    const found = pairs(data.answers[row]);
    if (!found.length) return element("td", "answers", missing("no answer"));
    return element("td", "answers", bar(found), element("bdi", "", answerWords(found)));
  },
  gold: (row) => element("td", "", labelNode(data.targets[row], "gold label unknown")),
  right: (row) => element("td", "", verdictNode(row)),
  share: (row) => numberCell(data.share[row], percent, "no answer"),
  entropy: (row) => numberCell(data.entropy[row], (value) => decimal(value, 3), "undefined for this sample"),
  jitter: (row) => numberCell(data.jitter[row], percent, "needs two runs"),
  answer: (row) => element("td", "", labelNode(data.modes[row], "no answer")),
  chance: (row) => numberCell(data.chance[row], percent, "not estimated"),
  confidence: (row) => numberCell(data.mean[row], () => confidenceWords(row), "confidence not recorded"),
};

function picture(row) {
  const node = element("img");
  node.src = images.get(row);
  node.alt = "sample " + data.ids[row];
  return node;
}

function verdictNode(row) {
  const found = verdict(row);
  if (found === null) return missing(data.targets[row] < 0 ? "gold label unknown" : "no answer");
  return element("span", ...verdicts[found]);
}
