"use strict";
// Sorts, filters and highlights what is already on the page. Without it nothing is missing.
(() => {
  const words = document.currentScript.dataset;
  const rows = [...document.querySelectorAll("tr[data-m]")];
  const models = [...new Set(rows.map((row) => row.dataset.m))];
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // Filter and highlight, in a bar above the answers.
  const filter = make("input", { type: "search", placeholder: words.hint });
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase().split(/[\s,]+/);
    for (const row of rows) {
      const name = row.dataset.m.toLowerCase();
      row.hidden = !wanted.some((part) => name.includes(part));
    }
  });
  const choice = make("select", {}, new Option(words.nobody, ""), ...models.map((model) => new Option(model)));
  const highlight = (model) => {
    for (const row of rows) row.classList.toggle("mark", row.dataset.m === model);
  };
  choice.addEventListener("change", () => highlight(choice.value));
  if (models.includes(words.baseline)) {
    choice.value = words.baseline;
    highlight(words.baseline);
  }
  const bar = make(
    "div",
    { className: "tools" },
    make("label", {}, words.filter + " ", filter),
    make("label", {}, words.highlight + " ", choice),
  );
  document.querySelector("main").prepend(bar);

  // Every column heading becomes a button. The first press sorts upwards, the next one turns the order.
  const units = { ns: 1, "µs": 1e3, ms: 1e6, s: 1e9, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, k: 1e3, M: 1e6 };
  const key = (row, index) => {
    const cell = row.cells[index];
    const text = (cell?.firstChild?.textContent ?? "").trim();
    // The first number with the first unit after it, if that is how the text begins: `=3`, `[0.97, …`, `301 .. 330 ns`.
    const [, number, rest] = text.match(/^[=[]?(-?[\d,]*\.?\d+)(.*)$/) ?? [];
    if (number === undefined) return text;
    const [unit] = rest.match(/[a-zµA-Z]+/) ?? [];
    return Number(number.replaceAll(",", "")) * (units[unit] ?? 1);
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  };
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.tHead.rows].at(-1).cells;
    const body = table.tBodies[0];
    // The heat map's second line of headings begins behind the models.
    const shift = table.tHead.rows.length > 1 ? 1 : 0;
    [...heads].forEach((head, index) => {
      if (head.classList.contains("plot")) return;
      const button = make("button", { type: "button", title: `${words.sort} ${head.textContent}` });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const sorted = [...body.rows].sort((a, b) => compare(key(a, index + shift), key(b, index + shift)));
        body.append(...(up ? sorted : sorted.reverse()));
      });
    });
  }

  // The tip of a cell, at once and inside the window, where the browser's own comes late.
  const tip = make("div", { className: "tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  addEventListener("mouseover", ({ target }) => {
    const cell = target.closest?.("td[title], td[data-tip]");
    tip.hidden = !cell;
    if (!cell) return;
    if (cell.title) {
      cell.dataset.tip = cell.title;
      cell.setAttribute("aria-description", cell.title);
      cell.removeAttribute("title");
    }
    tip.textContent = cell.dataset.tip;
    const box = cell.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
    const isRoomBelow = box.bottom + tip.offsetHeight + 8 < innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${isRoomBelow ? box.bottom + 6 : box.top - tip.offsetHeight - 6}px`;
  });
  addEventListener("scroll", () => (tip.hidden = true), { passive: true, capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });
})();
