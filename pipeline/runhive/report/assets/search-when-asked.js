// The theme's search loads what it searches when somebody turns to it, or every page would weigh as much as all of it.
// It runs in a worker, and a browser gives none to a page that was opened from a folder, unless its code is at hand:
// then it is, from search/worker.js.
(() => {
  "use strict";

  const folder = new URL("../search/", document.currentScript.src);
  const Native = window.Worker;
  const SETUP = 0; // the theme's message with what is searched

  const asked = new Promise((resolve) => {
    addEventListener("focusin", ({ target }) => { if (target.matches(".md-search__input")) resolve(); });
  });

  const load = (name) => new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: new URL(name, folder) });
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(`${script.src} cannot be loaded`)));
    document.head.append(script);
  });

  async function started(address) {
    await asked;
    if (location.protocol !== "file:") return new Native(address);
    await load("worker.js");
    return new Native(URL.createObjectURL(new Blob([window.runhiveSearch.worker], { type: "text/javascript" })));
  }

  /** The message, with the documents that the index of the shell leaves out. */
  async function whole(message) {
    if (message.type !== SETUP || message.data.docs.length) return message;
    await load("docs.js");
    return { ...message, data: { ...message.data, docs: window.runhiveSearch.docs } };
  }

  class SearchWorker extends EventTarget {
    constructor(address) {
      super();
      this.ready = started(address).then((worker) => {
        worker.addEventListener("message", ({ data }) => this.dispatchEvent(new MessageEvent("message", { data })));
        return worker;
      });
    }

    /** Passes on messages in their order. */
    postMessage(message) {
      this.ready = this.ready.then(async (worker) => {
        worker.postMessage(await whole(message));
        return worker;
      });
    }
  }

  window.runhiveSearch = {};
  window.Worker = function Worker(address, options) {
    return String(address).includes("/workers/search.") ? new SearchWorker(address) : new Native(address, options);
  };
})();
