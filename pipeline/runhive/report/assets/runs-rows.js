// The rows of the run table: a run, a group of runs, or a line that says what is not ranked.
(() => {
  "use strict";

  const { element, quiet } = runhive.elements;
  const { visible } = runhive.numerals;
  const { count } = runhive.runsView;
  const { runCell, groupCell, stateIcon } = runhive.runsCells;
  const { summary } = runhive.runsGroups;

  /** The row of an item of the page's view. */
  function drawRow(page, item) {
    if (item.kind === "run") return runRow(page, item.place);
    return item.kind === "group" ? groupRow(page, item) : noteRow(page, item);
  }

  function noteRow(page, { text }) {
    const cell = element("td", { colspan: `${page.columns.length + 1}` }, element("span", {}, text));
    return element("tr", { class: "rt-note" }, cell);
  }

  function runRow(page, place) {
    const { model } = page;
    const id = page.ids[place];
    const name = visible(model.table.column("name")[place] || "", 60);
    const isPicked = page.state.picked.includes(id);
    const box = tick(`Select ${name || id}`, isPicked, `pick ${id}`, (picked) => page.pickSome([id], picked));
    box.dataset.run = id;
    const link = element("a", {
      class: name ? "rt-name" : "rh-id", href: `${encodeURIComponent(id)}.html`, title: name ? `${name} (${id})` : null,
      "data-focus": `run ${id}`,
    }, name || id);
    const dot = element("span", { class: "rt-dot", style: `--rt-hue:${runhive.hue(id)}`, "aria-hidden": "true" });
    const icon = stateIcon(model.table.column("state")[place], false);
    const archived = model.archived[place] === true ? quiet("archived") : null;
    return element("tr", { class: isPicked ? "rt-picked" : null }, firstCell(box, dot, icon, link, archived),
      ...page.columns.map((column) => runCell(model, column, place, page.view.best)));
  }

  function groupRow(page, { id, label, places }) {
    const { state, model } = page;
    const members = places.map((place) => page.ids[place]);
    const isOpen = state.open.includes(id);
    const open = isOpen ? state.open.filter((one) => one !== id) : [...state.open, id];
    const name = visible(label, 200);
    const size = count(places.length, "run");
    const isPicked = members.every((one) => state.picked.includes(one));
    const pick = (picked) => page.pickSome(members, picked);
    const box = tick(`Select the ${size} of ${name}`, isPicked, `group ${id}`, pick);
    const knob = element("span", { class: "rt-knob", "aria-hidden": "true" }, isOpen ? "▾" : "▸");
    const button = element("button", {
      type: "button", class: "rt-open", "aria-expanded": `${isOpen}`, "data-focus": `open ${id}`, title: name,
      onclick: () => page.update({ open }),
    }, knob, name);
    const number = element("span", { class: "rt-count", title: size }, `${places.length}`);
    return element("tr", { class: "rt-groups" }, firstCell(box, button, number),
      ...page.columns.map((column) => groupCell(model, column, summary(model, column, places), places.length)));
  }

  function tick(label, isOn, focus, change) {
    return element("input", {
      type: "checkbox", checked: isOn, "aria-label": label, "data-focus": focus,
      onchange: (event) => change(event.target.checked),
    });
  }

  function firstCell(box, ...content) {
    const label = element("label", { class: "rt-pick" }, box);
    return element("th", { scope: "row", class: "rt-first" },
      element("span", { class: "rt-run" }, label, ...content.filter((one) => one !== null)));
  }

  runhive.drawRow = drawRow;
})();
