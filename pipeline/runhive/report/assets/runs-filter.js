// The filter box: an expression, its mistake with the place, and completions.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { visible } = runhive.numerals;
  const { bare } = runhive;
  const SHORT = ["run", "tag", "note", "started", "ended"];
  const MOST_VALUES = 200;
  const PAUSE = 400; // milliseconds

  /** `change(text)` gets what is typed, letter by letter. */
  function filterBox(model, change) {
    const input = element("input", {
      id: "rt-filter", class: "rt-input", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      autocapitalize: "off", "aria-expanded": "false", "aria-controls": "rt-filter-list", "aria-autocomplete": "list",
      "aria-describedby": "rt-filter-error", placeholder: example(model), oninput: () => change(input.value),
    });
    let waiting = 0;
    const error = element("p", { id: "rt-filter-error", class: "rt-error", role: "alert", hidden: true });
    const list = runhive.suggest(input, names(model), (name) => valuesOf(model, name));
    const help = element("a", { href: "../reference/filters.html", class: "rt-help" }, "Grammar");
    const node = element("div", { class: "rt-filter", role: "search", "aria-label": "Runs" },
      element("label", { for: "rt-filter" }, "Filter"), element("div", { class: "rt-box" }, input, list), help, error);
    if (!document.querySelector('a[href$="reference/filters.html"]')) help.remove(); // a site of other docs
    return {
      node,
      /** Puts a text in the box; one that is there already leaves the caret alone. */
      show(text) { if (input.value !== text) input.value = text; },
      /** Says what is wrong once the typing pauses: half a word is no mistake yet. */
      fault(mistake) {
        clearTimeout(waiting);
        error.hidden = true;
        input.setAttribute("aria-invalid", "false");
        if (mistake === null) return;
        waiting = setTimeout(() => {
          input.setAttribute("aria-invalid", "true");
          error.replaceChildren(...told(input.value, mistake));
          error.hidden = false;
        }, PAUSE);
      },
    };
  }

  /** The expression with the mistake's place marked, and what is wrong there. */
  function told(text, mistake) {
    if (mistake.position === null) return [mistake.message];
    const characters = [...text];
    const start = mistake.position - 1;
    const wrong = characters.slice(start, start + 1).join("");
    const part = (from, to) => visible(characters.slice(Math.max(0, from), to).join(""));
    const echo = element("code", { class: "rt-echo", "aria-hidden": "true" }, part(start - 60, start),
      element("mark", {}, wrong.trim() ? visible(wrong) : "\u00a0"), part(start + 1, start + 40));
    return [echo, ` ${mistake.message}`];
  }

  function names(model) {
    const keys = model.table.names;
    return [...new Set([...SHORT, ...keys.map(bare)])].sort(runhive.filter.compareText);
  }

  /** The text that a column holds, each once. */
  function valuesOf(model, name) {
    if (!model.fields.has(name)) return [];
    const value = model.fields.reader(name);
    const found = new Set();
    for (const place of model.newestFirst) {
      for (const one of [value(place)].flat()) if (["string", "boolean"].includes(typeof one)) found.add(`${one}`);
      if (found.size >= MOST_VALUES) break;
    }
    return [...found];
  }

  function example(model) {
    const arch = model.table.names.includes("params.model.arch") ? 'model.arch == "resnet18"' : "state == completed";
    const metric = ["val.accuracy", "test.accuracy"].find((name) => model.table.names.includes(`metrics.${name}`));
    return metric ? `${metric} > 0.9 and ${arch}` : "state == failed or tag == best";
  }

  runhive.filterBox = filterBox;
})();
