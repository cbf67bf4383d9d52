"use strict";
(() => {
  document.body.classList.add("js");
  const box = document.querySelector("#filter");
  if (!box) return;
  const rows = [...document.querySelectorAll("tr[data-state]")]
    .map((row) => ({ row, state: row.dataset.state, text: row.textContent.toLowerCase() }));
  const groups = [...document.querySelectorAll("[data-group]")];
  const buttons = [...document.querySelectorAll("button[data-state]")];
  const count = document.querySelector("#count");
  let wanted = "";

  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, state, text } of rows) {
      row.hidden = (wanted && state !== wanted) || !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    const filtering = wanted || words.length;
    for (const group of groups) {
      const some = group.querySelector("tr[data-state]:not([hidden])");
      group.hidden = Boolean(filtering && !some);
      if (filtering && some && group.tagName === "DETAILS") group.open = true;
    }
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.state === wanted));
    }
    count.textContent = filtering ? `${shown} of ${rows.length} shown` : "";
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      wanted = wanted === button.dataset.state ? "" : button.dataset.state;
      apply();
    });
  }
  const all = document.querySelector("#expand");
  if (all) {
    all.addEventListener("click", () => {
      const closed = [...document.querySelectorAll("td details")];
      const open = closed.some((one) => !one.open);
      for (const one of closed) one.open = open;
    });
  }
  box.addEventListener("input", apply);
  apply();
})();
