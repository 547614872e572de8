// The panels of the runs page: which columns, in which order, and by what the runs are grouped.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { bare } = runhive;
  const { visible } = runhive.numerals;
  const { ANY_SEED } = runhive.runsGroups;
  const FIELDS = [
    "state", "experiment", "name", "verdict", "branch", "commit", "host", "baseline", "evaluation_digest",
    "data_digest",
  ];

  /** A disclosure whose panel floats; Escape and a click elsewhere close it. */
  function menu(title, panel) {
    const summary = element("summary", { class: "rt-button" }, title);
    const details = element("details", { class: "rt-menu" }, summary, panel);
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      summary.focus();
    });
    document.addEventListener("click", (event) => {
      if (!event.composedPath().includes(details)) details.open = false;
    });
    return details;
  }

  /** The column picker; `change(keys)` gets the new list, null for the usual one. */
  function columnMenu(columns, change) {
    const search = element("input", {
      type: "search", class: "rt-input", "aria-label": "Find a column", placeholder: "Find a column",
      oninput: () => draw(),
    });
    const chosen = element("ol", { class: "rt-chosen" });
    const others = element("div", { class: "rt-others" });
    const reset = element("button", { type: "button", class: "rt-button", onclick: () => change(null) }, "Usual columns");
    const panel = element("div", { class: "rt-panel" },
      element("p", { class: "rt-head" }, "Shown, in this order"), chosen, search, others, reset);
    let keys = [];

    function draw() {
      const asked = search.value.toLowerCase();
      const focused = document.activeElement?.dataset.focus;
      chosen.replaceChildren(...keys.map((key, at) => shownColumn(key, at)));
      const rest = [...columns.values()].filter(({ key, label }) =>
        !keys.includes(key) && `${key} ${label}`.toLowerCase().includes(asked));
      others.replaceChildren(...["Run", "Metrics", "Parameters"].flatMap((section) => {
        const own = rest.filter((column) => column.section === section);
        return own.length ? [element("p", { class: "rt-head" }, section), ...own.map(hiddenColumn)] : [];
      }));
      if (focused) panel.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    }

    function shownColumn(key, at) {
      const { label } = columns.get(key);
      const name = visible(label, 80);
      const step = (sign, by, word) => element("button", {
        type: "button", class: "rt-step", "aria-label": `Move ${name} ${word}`, "data-focus": `${word} ${key}`,
        disabled: at + by < 0 || at + by >= keys.length, onclick: () => change(swapped(at, by)),
      }, sign);
      return element("li", {}, tick(key, name, true), step("↑", -1, "up"), step("↓", 1, "down"));
    }

    const hiddenColumn = ({ key, label }) => tick(key, visible(label, 80), false);

    function tick(key, name, isShown) {
      const toggle = () => change(isShown ? keys.filter((one) => one !== key) : [...keys, key]);
      const box = { type: "checkbox", checked: isShown, onchange: toggle, "data-focus": `tick ${key}` };
      return element("label", {}, element("input", box), ` ${name}`);
    }

    function swapped(at, by) {
      const next = [...keys];
      [next[at], next[at + by]] = [next[at + by], next[at]];
      return next;
    }

    return { node: menu("Columns", panel), show(found) { keys = found; draw(); } };
  }

  /** The choice of what to group by; `change(key)` gets the empty text for no groups. */
  function groupMenu(columns, change) {
    const option = (value, label) => element("option", { value }, visible(label, 60));
    const section = (title, isPart) => {
      const options = [...columns.values()].filter(isPart).map(({ key, label }) => option(key, label));
      return options.length ? [element("optgroup", { label: title }, ...options)] : [];
    };
    const select = element("select", { class: "rt-input", onchange: () => change(select.value) },
      option("", "No groups"), option(ANY_SEED, "All parameters but the seed"),
      ...section("Parameters", (column) => column.section === "Parameters"),
      ...section("Run", (column) => FIELDS.includes(column.key)));
    return {
      node: element("label", { class: "rt-group" }, "Group by ", select),
      show(key) {
        if (key && ![...select.options].some((one) => one.value === key)) select.append(option(key, bare(key)));
        select.value = key;
      },
    };
  }

  runhive.runsMenus = { columnMenu, groupMenu };
})();
