// What the reader asked of the runs page, kept in the address after the #, so that a link shows the same.
(() => {
  "use strict";

  const LISTS = { columns: "column", states: "state", tags: "tag", open: "open", picked: "run" };

  /** The state that an address' fragment stands for; `columns` null are the usual ones. */
  function readState(fragment) {
    const asked = new URLSearchParams(fragment.replace(/^#/, ""));
    const state = {
      filter: asked.get("filter") ?? "",
      sort: asked.get("sort") ?? "",
      group: asked.get("group") ?? "",
      archived: asked.get("archived") === "1",
    };
    for (const [name, key] of Object.entries(LISTS)) state[name] = [...new Set(asked.getAll(key))];
    if (!asked.has("column")) state.columns = null;
    return state;
  }

  function writeState(state) {
    const asked = new URLSearchParams();
    for (const name of ["filter", "sort", "group"]) if (state[name]) asked.set(name, state[name]);
    if (state.archived) asked.set("archived", "1");
    for (const [name, key] of Object.entries(LISTS)) for (const one of state[name] ?? []) asked.append(key, one);
    return asked.size ? `#${asked}` : "";
  }

  runhive.runsState = { readState, writeState };
})();
