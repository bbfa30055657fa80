// Keeps the page as the proxy is: the server makes every part, this puts it in its place.
"use strict";

const HEARD_EVERY = 10_000; // milliseconds: who listens is not talked over
const parser = new DOMParser();
const wall = document.getElementById("wall");
const hold = document.getElementById("hold");
const said = document.getElementById("said");
const news = { parts: {}, squares: new Map(), said: "" };
let heard = Date.now();

// The token stands behind the # of the address that was printed: it never travels, and goes from the address at once.
if (location.hash.startsWith("#token=")) {
  document.getElementById("token").value = location.hash.slice("#token=".length);
  history.replaceState(null, "", location.pathname);
}

function isHeld() {
  return hold.getAttribute("aria-pressed") === "true";
}

function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
}

function put(id) {
  const part = document.getElementById(id);
  if (isInUse(part)) return; // kept for the next time
  // A document that is only parsed runs nothing.
  part.replaceChildren(...parser.parseFromString(news.parts[id], "text/html").body.childNodes);
  delete news.parts[id];
}

function show() {
  if (isHeld()) return;
  Object.keys(news.parts).forEach(put);
  for (const [place, [state, title]] of news.squares) {
    wall.children[place].className = state;
    wall.children[place].title = title;
  }
  news.squares.clear();
  if (Date.now() - heard > HEARD_EVERY && said.textContent !== news.said) {
    said.textContent = news.said;
    heard = Date.now();
  }
}

const source = new EventSource("/events");
source.addEventListener("message", (event) => {
  const { parts, squares, summary } = JSON.parse(event.data);
  Object.assign(news.parts, parts);
  for (const [place, ...square] of squares) news.squares.set(place, square);
  news.said = summary;
  show();
});
source.addEventListener("error", () => document.documentElement.classList.add("lost"));
source.addEventListener("open", () => document.documentElement.classList.remove("lost"));

document.getElementById("following").hidden = false;
hold.addEventListener("click", () => {
  hold.setAttribute("aria-pressed", String(!isHeld()));
  show();
});
