// Elements with text and attributes; nothing here ever parses markup.
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";

  /** An element of *tag* (`svg:` before it for a drawing), with attributes, listeners (`on…`) and children. */
  function element(tag, attributes = {}, ...children) {
    const made = tag.startsWith("svg:")
      ? document.createElementNS(SVG, tag.slice(4))
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...present(children));
    return made;
  }

  const present = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

  /** Puts *children* in the place of what *host* holds; what is null is left out. */
  function fill(host, ...children) {
    host.replaceChildren(...present(children));
  }

  const quiet = (content) => element("span", { class: "rh-quiet" }, content);

  /** A labelled `<select>`; *options* are pairs of value and text. */
  function select(label, options, chosen, change) {
    const listed = options.map(([value, text]) => element("option", { value, selected: value === chosen }, text));
    return element(
      "label", { class: "rh-field" }, element("span", {}, label),
      element("select", { onchange: (event) => change(event.target.value) }, listed),
    );
  }

  /** A labelled checkbox. */
  function checkbox(label, checked, change) {
    return element(
      "label", { class: "rh-check" },
      element("input", { type: "checkbox", checked, onchange: (event) => change(event.target.checked) }), label,
    );
  }

  /** A table that scrolls inside its own frame; a cell is what goes in it, or `{ of, css, span }`. */
  function table(caption, header, rows, css = "") {
    const isPlain = (content) => typeof content !== "object" || content === null || Array.isArray(content) || content instanceof Node;
    const cell = (tag, attributes) => (content) => {
      const { of, css: name, span } = isPlain(content) ? { of: content } : content;
      return element(tag, { ...attributes, class: name, colspan: span }, of);
    };
    return element(
      "div", { class: "rh-scroll", role: "region", "aria-label": caption, tabindex: "0" },
      element(
        "table", { class: `rh-table ${css}`, "aria-label": caption },
        element("thead", {}, element("tr", {}, header.map((name) => (name === "" ? element("td") : cell("th", { scope: "col" })(name))))),
        element("tbody", {}, rows.map(([first, ...rest]) =>
          element("tr", {}, cell("th", { scope: "row" })(first), rest.map(cell("td", {}))))),
      ),
    );
  }

  runhive.elements = { element, fill, quiet, select, checkbox, table };
})();
