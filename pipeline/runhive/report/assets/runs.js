// The runs page: one table over all runs, in place of the static one, which stays where this cannot run.
(() => {
  "use strict";

  const { element, quiet } = runhive.dom;
  const { FilterError } = runhive.filter;
  const { visible } = runhive.numerals;
  const { readState, writeState } = runhive.runsState;
  const { makeModel, makeView, count } = runhive.runsView;
  const { runCell, groupCell, stateIcon, text, metricText } = runhive.runsCells;
  const { columnMenu, groupMenu } = runhive.runsMenus;
  const MOST_COMPARED = 20;
  const MOST_TAGS = 16;
  const STATES = ["completed", "running", "failed", "lost", "canceled"];
  const SAMPLE = 60; // rows that decide the widths

  function start(place, model) {
    const { table } = model;
    const usual = runhive.runsColumns.usualColumns(table, model.columns, visiblePlaces());
    const ids = table.column("run_id");
    let state = readState(location.hash);
    let view = null;
    let columns = [];
    const drawn = new Map();

    const box = runhive.filterBox(model, (filter) => update({ filter }));
    const chips = element("div", { class: "rt-chips" });
    const picker = columnMenu(model.columns, (keys) => update({ columns: keys }));
    const groups = groupMenu(model.columns, (group) => update({ group, open: [] }));
    const said = element("p", { class: "rt-said", role: "status" });
    const notes = element("div", { class: "rt-notes" });
    const compare = element("a", { class: "rt-button rt-compare" });
    const clear = button("Clear selection", () => pick([]));
    const copied = element("span", { role: "status", class: "rh-quiet" });
    const all = element("input", { type: "checkbox", "aria-label": "Select all runs shown", "data-focus": "all",
      change: () => pick(all.checked ? view.places.map((one) => ids[one]) : []) });
    const virtual = runhive.virtualTable({ label: "Runs", caption: "All runs; the buttons in the head sort", draw });
    const legend = element("p", { class: "rh-caption rh-quiet" });

    function button(title, click) {
      return element("button", { type: "button", class: "rt-button", click }, title);
    }

    function visiblePlaces() {
      return model.newestFirst.filter((one) => model.archived[one] !== true);
    }

    function update(changed) {
      state = { ...state, ...changed };
      history.replaceState(null, "", writeState(state) || location.pathname + location.search);
      show("filter" in changed || "sort" in changed || "group" in changed);
    }

    /** Draws the state; a filter with a mistake leaves the rows as they were. */
    function show(fromTop) {
      const focused = document.activeElement?.dataset?.focus;
      columns = (state.columns ?? usual).map((key) => model.columns.get(model.fields.key(key) ?? key)).filter(Boolean);
      box.show(state.filter);
      try {
        view = makeView(model, tidy(state), columns);
        box.fault(null);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        box.fault(error);
        view ??= makeView(model, tidy({ ...state, filter: "" }), columns);
      }
      drawParts();
      if (fromTop) virtual.top();
      virtual.show(view.items);
      tell();
      if (focused) place.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }

    /** Draws what a keystroke in the filter leaves alone, where it changed. */
    function drawParts() {
      const keys = columns.map((column) => column.key);
      const parts = [
        ["chips", [state.states, state.tags, state.archived], drawChips],
        ["head", [keys, state.sort, state.group], drawHead],
        ["picker", keys, () => picker.show(keys)],
        ["groups", state.group, () => groups.show(tidy(state).group)],
      ];
      for (const [name, content, redraw] of parts) {
        const said = JSON.stringify(content);
        if (drawn.get(name) === said) continue;
        drawn.set(name, said);
        redraw();
      }
    }

    /** The state with names as columns have them: an address may name `val.accuracy` alone. */
    function tidy(asked) {
      const key = (name) => model.fields.key(name) ?? "";
      const group = asked.group === runhive.runsGroups.ANY_SEED ? asked.group : key(asked.group);
      const down = asked.sort.startsWith("-") ? "-" : "";
      return { ...asked, group, sort: down + key(asked.sort.slice(down.length)) };
    }

    function drawChips() {
      const counted = (values) => values.reduce((sum, one) => sum.set(one, (sum.get(one) ?? 0) + 1), new Map());
      const there = model.newestFirst.filter((one) => state.archived || model.archived[one] !== true);
      const states = counted(there.map((one) => table.column("state")[one]));
      const tags = counted(there.flatMap((one) => table.column("tags")[one] ?? []));
      const archived = model.archived.filter((one) => one === true).length;
      const order = ([one]) => STATES.indexOf(one);
      chips.replaceChildren(
        ...[...states].sort((a, b) => order(a) - order(b)).map(([one, number]) => chip("states", one, number, stateIcon(one, true))),
        ...[...tags].sort((a, b) => b[1] - a[1]).slice(0, MOST_TAGS).map(([one, number]) =>
          chip("tags", one, number, element("span", { class: "rt-tag" }, visible(one, 30)))),
        ...(archived ? [toggle(state.archived, () => update({ archived: !state.archived }), `Archived ${archived}`, "archived")] : []));
    }

    function chip(list, one, number, content) {
      const isOn = state[list].includes(one);
      const click = () => update({ [list]: isOn ? state[list].filter((other) => other !== one) : [...state[list], one] });
      return toggle(isOn, click, content, `${list} ${one}`, quiet(` ${number}`));
    }

    function toggle(isOn, click, content, focus, ...more) {
      return element("button", { type: "button", class: "rt-chip", "aria-pressed": `${isOn}`, "data-focus": focus, click }, content, ...more);
    }

    function drawHead() {
      const sort = tidy(state).sort;
      const first = element("th", { scope: "col", class: "rt-first" }, element("span", { class: "rt-run" },
        element("label", { class: "rt-pick" }, all), state.group ? "Group" : "Run"));
      virtual.head.replaceChildren(first, ...columns.map((column) =>
        runhive.runsHead.headCell(column, sort, (next) => update({ sort: next }))));
      const sample = view.places.slice(0, SAMPLE);
      const texts = (column) => sample.map((one) => shownText(column, one));
      virtual.widths(["var(--rt-first)", ...columns.map((column) => runhive.runsHead.width(column, texts(column)))]);
    }

    function shownText(column, one) {
      const value = table.column(column.key)[one];
      if (value === null) return "";
      if (!column.isMetric) return text(column.key, value) + (column.key === "state" ? "xxx" : "");
      const hasRange = table.column(`${column.key}_low`)[one] !== null;
      return `${metricText(column.key, value)}${hasRange || state.group ? " 00.0–000.0 %" : ""}★`;
    }

    function draw(item) {
      if (item.kind === "note") {
        return element("tr", { class: "rt-note" }, element("td", { colspan: `${columns.length + 1}` }, element("span", {}, item.text)));
      }
      return item.kind === "group" ? groupRow(item) : runRow(item);
    }

    function runRow({ place: one }) {
      const id = ids[one];
      const name = table.column("name")[one] || "";
      const isPicked = state.picked.includes(id);
      const box = element("input", { type: "checkbox", checked: isPicked, "aria-label": `Select ${name ? visible(name, 60) : id}`,
        "data-focus": `pick ${id}`, "data-run": id, change: (event) => pickOne(id, event.target.checked) });
      const link = element("a", { class: name ? "rt-name" : "rh-id", href: `${encodeURIComponent(id)}.html`, title: name ? `${visible(name, 300)} (${id})` : null,
        "data-focus": `run ${id}` }, name ? visible(name, 60) : id);
      const first = element("th", { scope: "row", class: "rt-first" }, element("span", { class: "rt-run" }, element("label", { class: "rt-pick" }, box),
        element("span", { class: "rt-dot", style: `--rt-hue:${runhive.hue(id)}`, "aria-hidden": "true" }), stateIcon(table.column("state")[one], false), link));
      return element("tr", { class: isPicked ? "rt-picked" : null }, first, ...columns.map((column) => runCell(model, column, one, view.best)));
    }

    function groupRow(group) {
      const isOpen = state.open.includes(group.id);
      const open = isOpen ? state.open.filter((one) => one !== group.id) : [...state.open, group.id];
      const members = group.places.map((one) => ids[one]);
      const label = visible(group.label, 120);
      const isPicked = members.every((id) => state.picked.includes(id));
      const box = element("input", { type: "checkbox", checked: isPicked, "aria-label": `Select the ${count(members.length, "run")} of ${label}`, "data-focus": `group ${group.id}`,
        change: (event) => pick(event.target.checked ? [...state.picked, ...members] : state.picked.filter((id) => !members.includes(id))) });
      const knob = element("button", { type: "button", class: "rt-open", "aria-expanded": `${isOpen}`, "data-focus": `open ${group.id}`, title: label, click: () => update({ open }) },
        element("span", { class: "rt-knob", "aria-hidden": "true" }, isOpen ? "▾" : "▸"), label);
      const first = element("th", { scope: "row", class: "rt-first" }, element("span", { class: "rt-run" }, element("label", { class: "rt-pick" }, box), knob,
        element("span", { class: "rt-count", title: count(members.length, "run") }, `${members.length}`)));
      return element("tr", { class: "rt-groups" }, first, ...columns.map((column) =>
        groupCell(model, column, runhive.runsGroups.summary(model, column, group.places))));
    }

    function pickOne(id, isPicked) {
      pick(isPicked ? [...state.picked, id] : state.picked.filter((one) => one !== id));
    }

    /** A new selection; the rows stay, only their ticks change. */
    function pick(picked) {
      state = { ...state, picked: [...new Set(picked)] };
      history.replaceState(null, "", writeState(state) || location.pathname + location.search);
      if (state.group) return show(false);
      const chosen = new Set(state.picked);
      for (const row of virtual.rows()) {
        const tick = row.querySelector("input[data-run]");
        if (!tick) continue;
        tick.checked = chosen.has(tick.dataset.run);
        row.classList.toggle("rt-picked", tick.checked);
      }
      tell();
    }

    function tell() {
      const { picked } = state;
      const shown = view.places.length;
      const grouped = state.group ? `, ${count(view.items.filter((one) => one.kind === "group").length, "group")}` : "";
      said.textContent = (shown === table.rows ? count(shown, "run") : `${count(shown, "run")} of ${runhive.numerals.number(table.rows)}`) + grouped;
      notes.replaceChildren(...view.notes.map((note) => element("p", { class: "rh-note" }, note)));
      const chosen = new Set(picked);
      all.checked = shown > 0 && view.places.every((one) => chosen.has(ids[one]));
      all.indeterminate = picked.length > 0 && !all.checked;
      const fits = picked.length >= 2 && picked.length <= MOST_COMPARED;
      compare.hidden = clear.hidden = !picked.length;
      compare.textContent = fits ? `Compare ${picked.length} runs` : `${picked.length} selected: compare takes 2 to ${MOST_COMPARED}`;
      if (fits) compare.href = `../compare/index.html#runs=${picked.map(encodeURIComponent).join(",")}`;
      else compare.removeAttribute("href");
      const flags = [
        columns.some(({ isMetric }) => isMetric) &&
          (state.group ? "mean ± standard deviation, then the best" : "beside a number: its 95 % interval"),
        table.column("selected").includes(true) && "* the epoch was selected on these images",
        !state.group && "★ best in view on the newest run's evaluation set",
        "hover a number for its evaluation set and digest",
      ];
      legend.textContent = flags.filter(Boolean).join(" · ");
    }

    function downloadCsv() {
      const { csvOfRuns, csvOfGroups, download } = runhive.runsCsv;
      download("runs.csv", (state.group ? csvOfGroups : csvOfRuns)(model, view.items, columns));
    }

    async function copyLink() {
      try {
        await navigator.clipboard.writeText(location.href);
        copied.textContent = "Copied";
      } catch {
        copied.textContent = "The browser does not let pages copy: the address bar has the link";
      }
    }

    place.append(box.node,
      element("div", { class: "rt-bar" }, chips, element("div", { class: "rt-tools" }, groups.node, picker.node,
        button("CSV", downloadCsv), button("Copy link", copyLink), copied)),
      element("div", { class: "rt-line" }, said, compare, clear), notes, virtual.frame, legend);
    window.addEventListener("hashchange", () => { state = readState(location.hash); show(true); });
    show(true);
  }

  const place = document.getElementById("runhive-run-table");
  const table = runhive.table("runs");
  if (table.rows) {
    start(place, makeModel(table));
    for (const one of document.querySelectorAll("[data-runs-static]")) one.hidden = true;
    place.hidden = false;
  }
})();
