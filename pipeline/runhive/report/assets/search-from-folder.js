// The theme's search runs in a worker, and a browser gives none to a page that was opened from a folder, unless its
// code is at hand: then it is, from search/worker.js, once the theme asks for it.
(() => {
  "use strict";
  if (location.protocol !== "file:") return;

  const source = new URL("../search/worker.js", document.currentScript.src);
  const Native = window.Worker;

  const code = () => new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: source });
    script.addEventListener("load", () => resolve(window.runhiveSearchWorker));
    script.addEventListener("error", reject);
    document.head.append(script);
  });

  class SearchWorker extends EventTarget {
    constructor() {
      super();
      this.started = code().then((text) => {
        const worker = new Native(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
        worker.addEventListener("message", (event) => {
          this.dispatchEvent(new MessageEvent("message", { data: event.data }));
        });
        return worker;
      });
    }

    postMessage(message) {
      this.started.then((worker) => worker.postMessage(message));
    }
  }

  window.Worker = function Worker(address, options) {
    return String(address).includes("/workers/search.") ? new SearchWorker() : new Native(address, options);
  };
})();
