// Names and values that complete the word at the caret of the filter box, in a list that the keyboard walks.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { tokenize, FilterError } = runhive.filter;
  const { visible } = runhive.numerals;
  const MOST = 8;
  const PLAIN = /^[^\s()<>=!~,"']+$/;

  /** The word before the caret, and the name that it is to be compared with, if it is a value. */
  function atCaret(text, caret) {
    const before = text.slice(0, caret);
    const word = /[^\s()<>=!~,"']*$/.exec(before)[0];
    let tokens;
    try {
      tokens = tokenize(before.slice(0, before.length - word.length));
    } catch (error) {
      if (error instanceof FilterError) return null; // within quotes
      throw error;
    }
    const last = tokens.at(-2);
    if (last?.kind === "operator") return { word, name: tokens.at(-3)?.text ?? "" };
    const isName = !last || ["and", "or", "not"].includes(last.kind) || last.text === "(";
    return isName && tokens.at(-3)?.kind !== "in" ? { word, name: null } : null;
  }

  const quoted = (text) => (PLAIN.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`);

  function completions(place, names, valuesOf) {
    const like = place.word.toLowerCase();
    const known = place.name === null ? names : valuesOf(place.name);
    const found = known.filter((one) => one.toLowerCase().includes(like) && one !== place.word);
    const starts = (one) => (one.toLowerCase().startsWith(like) ? 0 : 1);
    return found.sort((one, other) => starts(one) - starts(other)).slice(0, MOST);
  }

  /** Makes *input* a combobox. `names` are the columns; `valuesOf(name)` the text that one of them holds. */
  function suggest(input, names, valuesOf) {
    const list = element("ul", {
      id: `${input.id}-list`, class: "rt-list", role: "listbox", "aria-label": "Completions", hidden: true,
    });
    let place = null;
    let chosen = -1;

    function close() {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function open() {
      place = atCaret(input.value, input.selectionStart);
      const found = place && (place.word || place.name !== null) ? completions(place, names, valuesOf) : [];
      if (!found.length) return close();
      const option = (text, index) => ({ id: `${list.id}-${index}`, role: "option", "data-text": text });
      list.replaceChildren(...found.map((text, index) => element("li", option(text, index), visible(text, 80))));
      list.hidden = false;
      chosen = -1;
      input.setAttribute("aria-expanded", "true");
      input.removeAttribute("aria-activedescendant");
    }

    function mark(index) {
      const options = [...list.children];
      chosen = (index + options.length) % options.length;
      options.forEach((one, at) => one.setAttribute("aria-selected", `${at === chosen}`));
      input.setAttribute("aria-activedescendant", options[chosen].id);
      options[chosen].scrollIntoView({ block: "nearest" });
    }

    function take(option) {
      const caret = input.selectionStart;
      const text = quoted(option.dataset.text);
      input.setRangeText(`${text} `, caret - place.word.length, caret, "end");
      close();
      input.focus();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }

    input.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown") mark(chosen + 1);
      else if (event.key === "ArrowUp") mark(chosen < 0 ? -1 : chosen - 1);
      else if (event.key === "Escape") close();
      else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(list.children[chosen]);
      else return;
      event.preventDefault();
    });
    input.addEventListener("input", open);
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => take(event.target.closest("li")));
    return list;
  }

  runhive.suggest = suggest;
})();
