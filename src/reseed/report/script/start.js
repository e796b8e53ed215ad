/* The page comes alive: dots and cells lead to samples, the filter bar works, the address is followed. */

document.documentElement.classList.add("scripted");

/** What the pointer shows of a dot. */
function dotWords(row) {
  const lines = [data.ids[row]];
  if (data.texts) lines.push(clip(data.texts[row], 80));
  lines.push(answerWords(pairs(data.answers[row])));
  if (data.mean[row] !== null) lines.push(`confidence ${confidenceWords(row)}`);
  return lines;
}

/** The row of what names one, or of the sample that a lens's chart names; null where the table does not hold it. */
function rowOfDot(node) {
  const { row, sample } = node.dataset ?? {};
  return row !== undefined ? Number(row) : sample !== undefined ? (rowOf.get(sample) ?? null) : null;
}

function addTip() {
  const tip = byId("tip");
  document.addEventListener("pointerover", (event) => {
    const row = rowOfDot(event.target);
    tip.hidden = row === null;
    if (row === null) return;
    tip.replaceChildren(...dotWords(row).map((line) => element("div", "", line)));
    const place = event.target.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(place.left + 12, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(8, place.top - tip.offsetHeight - 8)}px`;
  });
}

/** A click on what names a sample opens it; on a cell of a map it sets the filters of its address. */
function addClicks() {
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const place = event.target.dataset?.place;
    if (place) location.hash = place;
    const link = event.target.closest?.("a.id");
    const row = link ? rowNamed(new URLSearchParams(link.hash.slice(PLACE.length)).get("sample") ?? "") : rowOfDot(event.target);
    if (row === null) return;
    event.preventDefault();
    openSample(row);
  });
}

function addFilters() {
  fillChoices();
  byId("controls").addEventListener("input", (event) => {
    const node = event.target;
    if (!node.name) return;
    setFilter(node.name, node.type === "checkbox" ? (node.checked ? "1" : "") : node.value);
    changed();
  });
  byId("clear").addEventListener("click", () => {
    state.filters = {};
    showFilters();
    changed();
  });
}

function addDialog() {
  dialog.addEventListener("close", () => {
    if (state.open === null) return; // the address has been followed
    state.open = null;
    history.replaceState(null, "", placeOf());
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

/** The section in view is marked in the navigation. */
function markSection() {
  const links = new Map(Array.from(document.querySelectorAll("nav a"), (link) => [link.hash.slice(1), link]));
  const inView = new Set();
  const watch = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) inView[isIntersecting ? "add" : "delete"](target.id);
    const first = Array.from(links.keys()).find((id) => inView.has(id));
    for (const [id, link] of links) {
      if (id === first) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -60% 0px" });
  for (const id of links.keys()) if (byId(id)) watch.observe(byId(id));
}

addSorting();
addPaging();
addFilters();
addDialog();
addClicks();
addTip();
byId("controls").hidden = false;
byId("pager").hidden = false;
state.size = Number(byId("page-size").value); // browsers keep it when a page is reloaded
showFilters();
markSorted();
refresh();
follow(true);
addEventListener("hashchange", () => follow(false));
markSection();
