/* The page's address holds what is filtered, sorted and open: `#samples?gold=3&verdict=wrong&sample=ID`. */

const PLACE = "#samples?";

/** The address of what is shown now, with another sample open. */
function placeOf(open = state.open) {
  const parts = Object.entries(state.filters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  if (state.sort !== standard.sort || state.down !== standard.down) parts.push(`sort=${state.down ? "-" : ""}${state.sort}`);
  if (open !== null) parts.push(`sample=${encodeURIComponent(nameOf(open))}`);
  return parts.length ? PLACE + parts.join("&") : "#samples";
}

/** Take filters, order and open sample from the address; what it does not know is passed over. */
function readPlace(place) {
  const given = new URLSearchParams(place.slice(PLACE.length));
  state.filters = Object.fromEntries(Array.from(given).filter(([name, value]) => Object.hasOwn(tests, name) && value !== ""));
  const sort = given.get("sort") ?? "-" + standard.sort;
  const key = sort.replace(/^-/, "");
  if (data.columns.some((column) => column.key === key)) Object.assign(state, { sort: key, down: sort.startsWith("-") });
  return given.has("sample") ? rowNamed(given.get("sample")) : null;
}

/** Show what the state says, and say it in the address without a new entry in the history. */
function changed() {
  markSorted();
  refresh();
  history.replaceState(null, "", placeOf());
}

/** Follow the address: on loading, at a link to filters, at the way back. */
function follow(isLoading) {
  if (!location.hash.startsWith(PLACE)) {
    if (state.open !== null) closeSample();
    return;
  }
  const before = placeOf(null), open = readPlace(location.hash);
  if (isLoading || placeOf(null) !== before) { // else the table stays, and the focus in it
    showFilters();
    markSorted();
    refresh();
  }
  if (open !== null) showSample(open);
  else if (state.open !== null) closeSample();
  if (open === null || isLoading) byId("samples").scrollIntoView(isLoading ? { behavior: "instant" } : {});
}

/** Open a sample with an entry in the history, so that the way back closes it. */
function openSample(row) {
  location.hash = placeOf(row);
}
