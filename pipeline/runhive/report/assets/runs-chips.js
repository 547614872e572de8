// Buttons that choose runs by state and by tag, and bring back the archived ones.
(() => {
  "use strict";

  const { element, quiet } = runhive.elements;
  const { number, visible } = runhive.numerals;
  const STATES = ["completed", "running", "failed", "lost", "canceled"];
  const MOST_TAGS = 16;

  /** The buttons for a page's state; each says how many of the runs it stands for. */
  function chips(page) {
    const { model, state } = page;
    const { table, archived } = model;
    const there = model.newestFirst.filter((place) => state.archived || archived[place] !== true);
    const states = counted(there.map((place) => table.column("state")[place]));
    const tags = counted(there.flatMap((place) => table.column("tags")[place] ?? []));
    const order = ([one]) => STATES.indexOf(one);
    const frequent = [...tags].sort((one, other) => other[1] - one[1]).slice(0, MOST_TAGS);
    const hidden = archived.filter((one) => one === true).length;
    const turn = () => page.update({ archived: !state.archived });
    return [
      ...[...states].sort((one, other) => order(one) - order(other))
        .map(([one, count]) => chip(page, "states", one, count, runhive.runsCells.stateIcon(one, true))),
      ...frequent.map(([one, count]) => chip(page, "tags", one, count, visible(one, 30))),
      ...(hidden ? [toggle(state.archived, "archived", turn, "archived", hidden)] : []),
    ];
  }

  function counted(values) {
    const found = new Map();
    for (const one of values) found.set(one, (found.get(one) ?? 0) + 1);
    return found;
  }

  function chip(page, list, one, count, content) {
    const on = page.state[list];
    const isOn = on.includes(one);
    const click = () => page.update({ [list]: isOn ? on.filter((other) => other !== one) : [...on, one] });
    return toggle(isOn, `${list} ${one}`, click, content, count);
  }

  function toggle(isOn, focus, click, content, count) {
    const attributes = { type: "button", class: "rt-chip", "aria-pressed": `${isOn}`, "data-focus": focus, onclick: click };
    return element("button", attributes, content, quiet(` ${number(count)}`));
  }

  runhive.chips = chips;
})();
