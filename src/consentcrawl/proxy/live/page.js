// Keeps the page up to date: the server makes every part, this puts it in its place.
"use strict";

const ANNOUNCE_EVERY = 10_000; // milliseconds: a screen reader is not interrupted more often
const parser = new DOMParser();
const recent = document.getElementById("recent");
const hold = document.getElementById("hold");
const headline = document.getElementById("headline");
const news = { parts: {}, squares: new Map(), summary: "" };
let announced = Date.now();

// The token stands behind the # of the address that was printed: it is not sent with it, and leaves it at once.
// It stays with this tab, so that the switches work after a reload too.
const token = document.getElementById("token");
if (location.hash.startsWith("#token=")) {
  sessionStorage.setItem("token", location.hash.slice("#token=".length));
  history.replaceState(null, "", location.pathname);
}
token.value = sessionStorage.getItem("token") ?? "";
token.form.addEventListener("submit", () => sessionStorage.setItem("token", token.value));

function isStopped() {
  return hold.getAttribute("aria-pressed") === "true";
}

function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
}

function put(id) {
  const part = document.getElementById(id);
  if (isInUse(part)) return; // kept until it is out of use
  // A document that is only parsed runs nothing.
  part.replaceChildren(...parser.parseFromString(news.parts[id], "text/html").body.childNodes);
  delete news.parts[id];
}

function show() {
  if (isStopped()) return;
  Object.keys(news.parts).forEach(put);
  for (const [place, [state, title]] of news.squares) {
    recent.children[place].className = state;
    recent.children[place].title = title;
  }
  news.squares.clear();
  if (Date.now() - announced > ANNOUNCE_EVERY && headline.textContent !== news.summary) {
    headline.textContent = news.summary;
    announced = Date.now();
  }
}

const source = new EventSource("/events");
source.addEventListener("message", (event) => {
  const { parts, squares, summary } = JSON.parse(event.data);
  Object.assign(news.parts, parts);
  for (const [place, ...square] of squares) news.squares.set(place, square);
  news.summary = summary;
  show();
});
source.addEventListener("error", () => document.documentElement.classList.add("lost"));
source.addEventListener("open", () => document.documentElement.classList.remove("lost"));

document.getElementById("following").hidden = false;
hold.addEventListener("click", () => {
  hold.setAttribute("aria-pressed", String(!isStopped()));
  show();
});
