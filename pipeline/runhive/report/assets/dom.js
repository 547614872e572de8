// Elements by hand: text from data only ever becomes a text node or an attribute's value.
(() => {
  "use strict";

  /** An element with attributes (null leaves one out, a function listens) and children, text or nodes. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const quiet = (text) => element("span", { class: "rh-quiet" }, text);
  runhive.dom = { element, quiet };
})();
