// The runs page: one table over all runs, in place of the static one, which stays where this cannot run.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { FilterError } = runhive.filter;
  const { number } = runhive.numerals;
  const { readState, writeState } = runhive.runsState;
  const { makeModel, makeView, count } = runhive.runsView;
  const { columnMenu, groupMenu } = runhive.runsMenus;
  const MOST_COMPARED = 20;
  const SAMPLE = 60; // rows that decide the widths
  const PAUSE = 300; // milliseconds until the address follows: browsers limit how often it may change

  class RunsPage {
    constructor(place, model) {
      Object.assign(this, { place, model, view: null, columns: [], drawn: new Map() });
      this.ids = model.table.column("run_id");
      const there = model.newestFirst.filter((one) => model.archived[one] !== true);
      this.usual = runhive.runsColumns.usualColumns(model.table, model.columns, there);
      this.state = this.asked();
      this.makeControls();
      this.makeTable();
      this.layOut();
      window.addEventListener("hashchange", () => { this.state = this.asked(); this.show(true); });
      this.show(false);
    }

    /** What the address asks for, without what is not there; it may say `val.accuracy` for a column's own name. */
    asked() {
      const state = readState(location.hash);
      const known = new Set(this.ids);
      const key = (name) => this.model.fields.key(name) ?? "";
      const sign = state.sort.startsWith("-") ? "-" : "";
      const sort = key(state.sort.slice(sign.length));
      const columns = state.columns?.map(key).filter((one) => this.model.columns.has(one));
      return {
        ...state,
        sort: sort && sign + sort,
        group: state.group === runhive.runsGroups.ANY_SEED ? state.group : key(state.group),
        columns: columns?.length ? columns : null,
        picked: state.picked.filter((id) => known.has(id)),
      };
    }

    makeControls() {
      this.box = runhive.filterBox(this.model, (filter) => this.update({ filter }));
      this.chips = element("div", { class: "rt-chips", role: "group", "aria-label": "State and tags" });
      this.picker = columnMenu(this.model.columns, (keys) => this.update({ columns: keys }));
      this.groups = groupMenu(this.model.columns, (group) => this.update({ group, open: [] }));
      this.said = element("p", { class: "rt-said", role: "status" });
      this.compare = element("a", { class: "rt-button rt-compare" });
      this.clear = button("Clear selection", () => this.pick([]));
      this.copied = element("span", { role: "status", class: "rh-quiet" });
    }

    makeTable() {
      this.notes = element("div", { class: "rt-notes" });
      this.all = element("input", {
        type: "checkbox", "aria-label": "Select all runs shown", "data-focus": "all",
        onchange: () => this.pick(this.all.checked ? this.view.places.map((one) => this.ids[one]) : []),
      });
      const caption = "All runs; the buttons in the head sort";
      this.table = runhive.virtualTable({ label: "Runs", caption, draw: (item) => runhive.drawRow(this, item) });
      this.legend = element("p", { class: "rh-caption rh-quiet" });
    }

    layOut() {
      const tools = element("div", { class: "rt-tools" }, this.groups.node, this.picker.node,
        button("CSV", () => this.download()), button("Copy link", () => this.copyLink()), this.copied);
      const bar = element("div", { class: "rt-bar" }, this.chips, tools);
      const line = element("div", { class: "rt-line" }, this.said, this.compare, this.clear);
      this.place.append(this.box.node, bar, line, this.notes, this.table.frame, this.legend);
    }

    update(changed) {
      this.state = { ...this.state, ...changed };
      this.remember();
      this.show(["filter", "sort", "group", "states", "tags"].some((key) => key in changed));
    }

    /** Puts the state into the address, soon or at once. */
    remember(wait = PAUSE) {
      clearTimeout(this.waiting);
      const write = () => history.replaceState(null, "", writeState(this.state) || location.pathname + location.search);
      if (wait) this.waiting = setTimeout(write, wait);
      else write();
    }

    /** Draws the state; a filter with a mistake leaves the rows as they were. */
    show(isFromTop) {
      const focused = document.activeElement?.dataset?.focus;
      const { model, state } = this;
      this.columns = (state.columns ?? this.usual).map((key) => model.columns.get(key));
      this.box.show(state.filter);
      this.box.fault(this.choose());
      this.drawParts();
      if (isFromTop) this.table.top();
      this.table.show(this.view.items);
      this.tell();
      if (focused) this.place.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }

    /** Makes the view; returns the filter's mistake, or null. */
    choose() {
      try {
        this.view = makeView(this.model, this.state, this.columns);
        return null;
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        this.view ??= makeView(this.model, { ...this.state, filter: "" }, this.columns);
        return error;
      }
    }

    /** Draws what a keystroke in the filter leaves alone, where it changed. */
    drawParts() {
      const { state } = this;
      const keys = this.columns.map((column) => column.key);
      const parts = [
        ["chips", [state.states, state.tags, state.archived], () => this.chips.replaceChildren(...runhive.chips(this))],
        ["head", [keys, state.sort, state.group], () => this.drawHead()],
        ["picker", keys, () => this.picker.show(keys)],
        ["groups", state.group, () => this.groups.show(state.group)],
      ];
      for (const [name, content, draw] of parts) {
        const said = JSON.stringify(content);
        if (this.drawn.get(name) === said) continue;
        this.drawn.set(name, said);
        draw();
      }
    }

    drawHead() {
      const { sort, group } = this.state;
      const label = element("label", { class: "rt-pick" }, this.all);
      const first = element("th", { scope: "col", class: "rt-first" },
        element("span", { class: "rt-run" }, label, group ? "Group" : "Run"));
      const { headCell, width } = runhive.runsHead;
      const change = (next) => this.update({ sort: next });
      this.table.head.replaceChildren(first, ...this.columns.map((column) => headCell(column, sort, change)));
      const sample = this.view.places.slice(0, SAMPLE);
      const widths = this.columns.map((column) => width(this.model, column, sample, Boolean(group)));
      this.table.widths(["var(--rt-first)", ...widths]);
      this.place.classList.toggle("rt--grouped", Boolean(group));
    }

    pickSome(ids, isPicked) {
      const { picked } = this.state;
      const some = new Set(ids);
      this.pick(isPicked ? [...new Set([...picked, ...ids])] : picked.filter((id) => !some.has(id)));
    }

    /** A new selection: the rows stay, only their ticks change. */
    pick(picked) {
      this.state = { ...this.state, picked };
      this.remember();
      if (this.state.group) return this.show(false);
      const chosen = new Set(picked);
      for (const row of this.table.rows()) {
        const tick = row.querySelector("input[data-run]");
        if (!tick) continue;
        tick.checked = chosen.has(tick.dataset.run);
        row.classList.toggle("rt-picked", tick.checked);
      }
      this.tell();
    }

    tell() {
      const { places, items, notes } = this.view;
      const total = this.model.table.rows;
      const groups = items.filter((one) => one.kind === "group").length;
      const runs = places.length === total ? count(total, "run") : `${number(places.length)} of ${count(total, "run")}`;
      this.said.textContent = `${runs}${this.state.group ? `, ${count(groups, "group")}` : ""}`;
      this.notes.replaceChildren(...notes.map((note) => this.drawNote(note)));
      this.legend.textContent = this.marks().join(" · ");
      this.tellPicked();
    }

    drawNote({ text, digest }) {
      const narrow = () => {
        const clause = `evaluation_digest == "${digest.replace(/["\\]/g, "\\$&")}"`;
        this.update({ filter: this.state.filter.trim() ? `(${this.state.filter}) and ${clause}` : clause });
      };
      return element("p", { class: "rh-note" }, text, digest ? button("Show only the newest run's set", narrow) : null);
    }

    marks() {
      const { group } = this.state;
      if (!this.columns.some(({ isMetric }) => isMetric)) return [];
      return [
        group ? "mean ± standard deviation, then the best" : "beside a number: its 95 % interval",
        !group && this.model.table.column("selected").includes(true) && "* the epoch was selected on these images",
        !group && "★ best in view on the newest run's evaluation set",
        this.view.measuredOn.length && `measured on ${this.view.measuredOn.join("; ")}, where no note says otherwise`,
      ].filter(Boolean);
    }

    tellPicked() {
      const { picked } = this.state;
      const chosen = new Set(picked);
      const { places } = this.view;
      this.all.checked = places.length > 0 && places.every((one) => chosen.has(this.ids[one]));
      this.all.indeterminate = picked.length > 0 && !this.all.checked;
      this.compare.hidden = this.clear.hidden = !picked.length;
      const fits = picked.length >= 2 && picked.length <= MOST_COMPARED;
      const why = `${count(picked.length, "run")} selected: compare takes 2 to ${MOST_COMPARED}`;
      this.compare.textContent = fits ? `Compare ${picked.length} runs` : why;
      if (fits) this.compare.href = `../compare/index.html#runs=${picked.map(encodeURIComponent).join(",")}`;
      else this.compare.removeAttribute("href");
    }

    download() {
      const { csvOfRuns, csvOfGroups, save } = runhive.runsCsv;
      save("runs.csv", (this.state.group ? csvOfGroups : csvOfRuns)(this.model, this.view.items, this.columns));
    }

    async copyLink() {
      this.remember(0);
      const isCopied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
      this.copied.textContent = isCopied ? "Copied" : "Not copied, the browser refused: the address bar has the link";
    }
  }

  function button(title, click) {
    return element("button", { type: "button", class: "rt-button", onclick: click }, title);
  }

  const table = runhive.table("runs");
  const place = document.getElementById("run-table");
  if (place && table.rows) {
    const model = makeModel(table);
    for (const one of document.querySelectorAll("[data-runs-static]")) one.hidden = true; // before anything is measured
    place.hidden = false;
    new RunsPage(place, model);
  }
})();
