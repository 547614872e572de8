// The chosen runs as a list that can be changed, and a search for more of them.
(() => {
  "use strict";

  const { element, fill, quiet } = runhive.elements;
  const { swatch } = runhive.colours;
  const { everything, MOST } = runhive.chosen;
  const { number, shown, visible } = runhive.numerals;
  const MOST_FOUND = 8;

  /** Fills *host*; *change* is called with the ids that are chosen then. */
  function picker(host, ids, change) {
    const found = element("ul", { class: "rh-found", role: "list", "aria-label": "Runs found" });
    const told = element("p", { class: "rt-hidden", role: "status" });
    const search = element("input", {
      type: "search", placeholder: "id, name, experiment, tag", "aria-label": "Find a run to add", autocomplete: "off",
      oninput: () => list(search.value),
      onfocus: () => list(search.value),
      onkeydown: (event) => { if (event.key === "Escape") found.replaceChildren(); },
    });
    fill(
      host,
      ids.length ? element("ol", { class: "rh-chosen-runs", "aria-label": "Chosen runs" }, ids.map((id, index) => chip(id, index, ids, change))) : null,
      ids.length < MOST
        ? element("div", { class: "rh-add" }, element("label", { class: "rh-field" }, element("span", {}, "Add a run"), search), told, found)
        : element("p", { class: "rh-quiet" }, `${MOST} runs are the most.`),
      ids.length < 2 ? suggestions(ids, change) : null,
    );

    function list(text) {
      const wanted = text.trim().toLowerCase();
      const listed = matching(wanted, ids);
      found.replaceChildren(...listed.map((id) => element("li", {}, element(
        "button", { class: "rh-button", onclick: () => change([...ids, id]) }, description(id),
      ))));
      told.textContent = listed.length ? `${listed.length} runs to add` : "no run has that";
      if (!listed.length) found.replaceChildren(element("li", { class: "rh-quiet" }, "no run has that"));
    }
  }

  function chip(id, index, ids, change) {
    const { places, rows } = everything();
    if (!places.has(id)) {
      return element("li", {}, quiet(`${visible(id, 40)} is not on this site `), remove(id, ids, change));
    }
    const value = (name) => rows.column(name)[places.get(id)];
    return element(
      "li", {}, swatch(index + 1), " ", element("a", { class: "rh-id", href: `../runs/${id}.html` }, id), " ",
      quiet([value("name"), value("experiment"), value("state") === "completed" ? "" : value("state")].filter(Boolean).map((one) => visible(one, 40)).join(", ")), " ",
      index ? element("button", { class: "rh-button", title: "make it the first, which others are put against", "aria-label": `put first: run ${index + 1}`, onclick: () => change([id, ...ids.filter((one) => one !== id)]) }, "put first") : null,
      remove(id, ids, change, index + 1),
    );
  }

  function remove(id, ids, change, place = "") {
    return element("button", { class: "rh-button", "aria-label": `take run ${place} away`, onclick: () => change(ids.filter((one) => one !== id)) }, "×");
  }

  /** Ids, the newest first, whose id, name, experiment or tag holds the text. */
  function matching(wanted, chosen) {
    const { ids, rows } = everything();
    const columns = ["run_id", "name", "experiment", "tags", "state"].map((name) => rows.column(name));
    const found = [];
    for (let place = ids.length - 1; place >= 0 && found.length < MOST_FOUND; place -= 1) {
      const isThere = columns.some((column) => String(column[place] ?? "").toLowerCase().includes(wanted));
      if (isThere && !chosen.includes(ids[place])) found.push(ids[place]);
    }
    return found;
  }

  function description(id) {
    const { places, rows } = everything();
    const value = (name) => rows.column(name)[places.get(id)];
    const metric = `metrics.${value("evaluation_set")}.accuracy`;
    const score = rows.names.includes(metric) && value(metric) !== null ? shown(metric, value(metric)) : value("state");
    return [element("span", { class: "rh-id" }, id), ` ${visible([value("name"), value("experiment"), score].filter(Boolean).join(", "), 120)}`];
  }

  /** What a person probably wants: the last completed runs, two or more. */
  function suggestions(ids, change) {
    const { ids: all, rows, places } = everything();
    const [states, archived, experiments] = ["state", "archived", "experiment"].map((name) => rows.column(name));
    const completed = all.filter((id) => states[places.get(id)] === "completed" && !archived[places.get(id)]);
    if (completed.length < 2) return element("p", { class: "rh-quiet" }, "Comparing begins with the second completed run.");
    const last = completed.at(-1);
    const experiment = experiments[places.get(last)];
    const peers = completed.filter((id) => experiments[places.get(id)] === experiment).slice(-5);
    const named = visible(experiment || "no experiment", 40);
    const offer = (text, wanted) => element("button", { class: "rh-button", onclick: () => change(wanted) }, text);
    return element(
      "p", { class: "rh-suggest" }, ids.length ? "Add one more run, or take " : "Choose 2 to 20 runs, or take ",
      peers.length > 1 ? offer(`the last two of ${named}`, peers.slice(-2)) : offer("the last two", completed.slice(-2)), " ",
      peers.length > 2 ? offer(`the last ${number(peers.length)} of ${named}`, peers) : null,
    );
  }

  runhive.picker = Object.assign(picker, { matching });
})();
