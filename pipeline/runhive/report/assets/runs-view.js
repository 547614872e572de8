// Which rows the table shows, in which order: chosen, grouped, and ranked only where that is fair.
(() => {
  "use strict";

  const { bare, sorted } = runhive;
  const { bySet, best } = runhive.runsSets;
  const { groupRuns, summary } = runhive.runsGroups;

  /** The table, its columns and what can be asked of it, made once. */
  function makeModel(table) {
    const columns = runhive.runsColumns.columnsOf(table);
    return {
      table, columns, fields: runhive.fields(table), sets: runhive.runsSets.evaluationSets(table),
      newestFirst: [...Array(table.rows).keys()].reverse(),
      archived: table.column("archived"),
      chosen: { filter: null, places: null },
    };
  }

  /** The rows for a state. Throws FilterError for a filter that cannot be read. */
  function makeView(model, state, shown) {
    const places = choose(model, state);
    const column = model.columns.get(state.sort.replace(/^-/, ""));
    const isDown = state.sort.startsWith("-");
    const measured = shown.filter((one) => one.isMetric).map(({ key }) => {
      const values = model.table.column(key);
      return { key, values, sections: bySet(model.sets, key, values, places) };
    });
    return {
      places,
      items: state.group ? grouped(model, state, places, column, isDown) : ranked(model, places, column, isDown),
      best: new Map(measured.map(({ key, values, sections }) => [key, best(key, values, sections)])),
      notes: measured.flatMap(note),
      measuredOn: [...new Set(measured.flatMap(({ sections: [first] }) => (first?.set.digest ? [first.set.text] : [])))],
    };
  }

  function choose(model, state) {
    const { chosen, table } = model;
    if (chosen.filter !== state.filter) {
      const held = state.filter.trim() ? new Set(model.fields.select(state.filter)) : null;
      const places = model.newestFirst.filter((one) => !held || held.has(one));
      Object.assign(chosen, { filter: state.filter, places });
    }
    const states = table.column("state");
    const tags = table.column("tags");
    return chosen.places.filter((place) =>
      (state.archived || model.archived[place] !== true) &&
      (!state.states.length || state.states.includes(states[place])) &&
      state.tags.every((tag) => (tags[place] ?? []).includes(tag)));
  }

  const runs = (places) => places.map((place) => ({ kind: "run", place }));
  const count = (number, word) => `${runhive.numerals.number(number)} ${word}${number === 1 ? "" : "s"}`;

  function ranked(model, places, column, isDown) {
    if (!column) return runs(places);
    const values = model.table.column(column.key);
    const value = (place) => (values[place] === "" ? null : values[place]);
    if (!column.isMetric) return runs(sorted(places, value, isDown));
    const sections = bySet(model.sets, column.key, values, places);
    const without = places.filter((place) => value(place) === null);
    const parts = sections.map(({ set, places: own }) => ({
      set, items: runs(set.id === null ? own : sorted(own, value, isDown)), size: own.length,
    }));
    return inSections(parts, runs(without), bare(column.key));
  }

  function inSections(parts, without, name) {
    if (parts.length < 2) {
      const unknown = parts.length && parts[0].set.id === null;
      const told = unknown ? [separator(`${parts[0].set.text}: not ranked by ${name}`)] : [];
      return [...told, ...parts.flatMap((part) => part.items), ...without];
    }
    const told = parts.flatMap(({ set, items, size }, at) => [separator(heading(set, size, at, name)), ...items]);
    return [...told, ...(without.length ? [separator(`without ${name}`)] : []), ...without];
  }

  const separator = (text) => ({ kind: "note", text });

  function heading(set, size, at, name) {
    if (set.id === null) return `${count(size, "run")} on ${set.text}: listed, not ranked by ${name}`;
    if (at === 0) return `${count(size, "run")} on ${set.text}, the newest run's`;
    const fair = "ranked among themselves, not against the others";
    return `${count(size, "run")} on another evaluation set (${set.text}): ${fair}`;
  }

  function grouped(model, state, places, column, isDown) {
    const groups = groupRuns(model, places, state.group).map((group) => ({ ...group, kind: "group" }));
    const open = new Set(state.open);
    const unfold = (group) => [group, ...(open.has(group.id) ? ranked(model, group.places, column, isDown) : [])];
    return (column ? orderGroups(model, groups, column, isDown) : groups).flatMap((item) =>
      (item.kind === "group" ? unfold(item) : [item]));
  }

  function orderGroups(model, groups, column, isDown) {
    const of = new Map(groups.map((group) => [group, summary(model, column, group.places)]));
    const values = model.table.column(column.key);
    const key = (group) => {
      const { kind, mean, place } = of.get(group);
      return kind === "mean" ? mean : kind === "value" ? values[place] : null;
    };
    if (!column.isMetric) return sorted(groups, key, isDown);
    const averaged = groups.filter((group) => of.get(group).kind === "mean");
    const sets = new Map();
    for (const group of averaged) {
      const set = model.sets.of(column.key, of.get(group).place);
      if (!sets.has(set.id)) sets.set(set.id, { set, groups: [] });
      sets.get(set.id).groups.push(group);
    }
    const parts = [...sets.values()].map(({ set, groups: own }) => ({
      set, items: sorted(own, key, isDown), size: own.reduce((sum, group) => sum + of.get(group).count, 0),
    }));
    return inSections(parts, groups.filter((group) => of.get(group).kind !== "mean"), bare(column.key));
  }

  /** What must be said of a metric in view: how many of its values come from another evaluation set. */
  function note({ key, sections }) {
    if (sections.length < 2) return [];
    const elsewhere = sections.slice(1).reduce((sum, { places }) => sum + places.length, 0);
    const { text, digest } = sections[0].set;
    const said = `${bare(key)} of ${count(elsewhere, "run")} was measured on another evaluation set`;
    return [{ text: `${said} than the newest run's (${text}): compare within a set only. `, digest }];
  }

  runhive.runsView = { makeModel, makeView, count };
})();
