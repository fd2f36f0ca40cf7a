// Sortable tables, pictures at full size, details that open for print and for links.
"use strict";

// A number sorts by its value, whatever follows it; words come before numbers, nothing comes last.
function sortKey(cell) {
  const text = cell.textContent.trim();
  const number = /^[+−-]?[\d,]*\.?\d+(e[+-]?\d+)?/i.exec(text);
  if (!text) return [2, 0, ""];
  if (!number) return [0, 0, text];
  return [1, Number(number[0].replaceAll(",", "").replace("−", "-")), text];
}

function compareKeys(one, other) {
  return one[0] - other[0] || one[1] - other[1] || one[2].localeCompare(other[2]);
}

function sortBy(heading) {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const down = heading.getAttribute("aria-sort") === "ascending";
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: sortKey(row.cells[column]) }));
  rows.sort((one, other) => {
    if (one.key[0] === 2 || other.key[0] === 2) return one.key[0] - other.key[0];
    return down ? compareKeys(other.key, one.key) : compareKeys(one.key, other.key);
  });
  table.tBodies[0].append(...rows.map(({ row }) => row));
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
}

for (const heading of document.querySelectorAll("table.sortable thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = "sort";
  button.append(...heading.childNodes);
  button.addEventListener("click", () => sortBy(heading));
  heading.append(button);
}

const dialog = document.createElement("dialog");
dialog.className = "full-size";
dialog.append(document.createElement("img"));
dialog.addEventListener("click", () => dialog.close());
document.body.append(dialog);
for (const picture of document.querySelectorAll("figure .static button")) {
  picture.addEventListener("click", () => {
    const image = picture.querySelector("img");
    Object.assign(dialog.firstChild, { src: image.src, alt: image.alt });
    dialog.showModal();
  });
}

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const details = target && target.closest("details");
  if (details) details.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details.printed:not([open])")];
  for (const details of closed) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of closed) details.open = false;
});
