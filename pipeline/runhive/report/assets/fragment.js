// The state of a page in its address, behind the #: it can be shared, and works from file://.
(() => {
  "use strict";

  /** The state as a Map of strings. */
  function read() {
    return new Map(new URLSearchParams(location.hash.slice(1)));
  }

  /** Writes *changes*, an object, over the state; null takes a name away. Nothing is loaded and no step is added. */
  function write(changes) {
    const state = read();
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") state.delete(name);
      else state.set(name, String(value));
    }
    const told = [...state].map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
    history.replaceState(history.state, "", `#${told.join("&")}`);
  }

  /** Names in one value, with commas between; `from` reads them, and gives nothing for what was not written so. */
  const list = {
    to: (names) => names.map(encodeURIComponent).join(","),
    from(told) {
      try {
        return (told ?? "").split(",").filter(Boolean).map(decodeURIComponent);
      } catch {
        return []; // somebody's half of a %
      }
    },
  };

  runhive.fragment = { read, write, list };
})();
