/* Elements, and numbers in words. Everything that comes from the data becomes text nodes, never markup. */

const byId = (id) => document.getElementById(id);

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

/** A button that does something. */
function button(words, act) {
  const node = element("button", "", words);
  node.type = "button";
  node.addEventListener("click", act);
  return node;
}

const grouped = (value) => value.toLocaleString("en-US");
const decimal = (value, digits) => value.toFixed(digits).replace("-", "\u2212");

/** A share as percent: one decimal, two close to 0 % and 100 %. */
function percent(share) {
  const close = (share > 0 && share < 0.01) || (share > 0.99 && share < 1);
  return decimal(100 * share, close ? 2 : 1) + "\u00a0%";
}

/** A number to four digits. */
const digits = (value) => String(Number(value.toPrecision(4))).replace("-", "\u2212");

const clip = (text, limit) => {
  const characters = Array.from(text.slice(0, 2 * limit + 2));
  return characters.length <= limit ? text : characters.slice(0, limit - 1).join("") + "\u2026";
};
