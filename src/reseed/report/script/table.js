/* The table of samples: sorted, cut into pages, drawn. */

const box = byId("samples-box");
const buttons = { first: byId("page-first"), previous: byId("page-previous"), next: byId("page-next"), last: byId("page-last") };
const lastPage = () => Math.max(0, Math.ceil(state.rows.length / state.size) - 1);

function draw() {
  const start = state.page * state.size;
  const shown = state.rows.slice(start, start + state.size);
  body.replaceChildren(...shown.map((row) => element("tr", "", ...data.columns.map((column) => cell[column.key](row)))));
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
  if (focused && focused.disabled && byId("pager").contains(focused)) {
    (state.page === 0 ? buttons.next : buttons.previous).focus({ preventScroll: true });
  }
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

const headings = Array.from(table.tHead.querySelectorAll("th"));

/** The sorted column says so. */
function markSorted() {
  for (const heading of headings) {
    if (heading.dataset.key !== state.sort) heading.removeAttribute("aria-sort");
    else heading.setAttribute("aria-sort", state.down ? "descending" : "ascending");
  }
}

/** Headings become buttons that sort. */
function addSorting() {
  headings.forEach((heading, index) => {
    const column = data.columns[index];
    const sorter = button("", () => {
      state.down = state.sort === column.key ? !state.down : column.down;
      state.sort = column.key;
      changed();
    });
    sorter.append(...heading.childNodes);
    heading.replaceChildren(sorter);
  });
}

function addPaging() {
  buttons.first.addEventListener("click", () => turnTo(0));
  buttons.previous.addEventListener("click", () => turnTo(state.page - 1));
  buttons.next.addEventListener("click", () => turnTo(state.page + 1));
  buttons.last.addEventListener("click", () => turnTo(lastPage()));
  byId("page-size").addEventListener("change", (event) => {
    state.size = Number(event.target.value);
    state.page = 0;
    draw();
  });
  box.addEventListener("keydown", (event) => {
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    turnTo(state.page + step);
  });
}
