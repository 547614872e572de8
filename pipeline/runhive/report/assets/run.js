// The page of a run: the images of a cell of the confusion matrix, and lines of the log that can be pointed at.
(() => {
  "use strict";

  /** The images of one cell, taken from the galleries of the page, in a dialog. */
  function openCell(link) {
    const key = link.hash.slice("#cell-".length);
    const dialog = document.createElement("dialog");
    dialog.className = "rh rh-dialog";
    const head = document.createElement("h2");
    head.className = "rh-h3";
    head.textContent = heading(link, key);
    const list = document.createElement("ul");
    list.className = "rh-gallery";
    for (const item of document.querySelectorAll(`[data-cell="${key}"]`)) {
      const copy = item.cloneNode(true);
      copy.removeAttribute("id");
      copy.removeAttribute("data-cell");
      list.append(copy);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "rh-button";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.setAttribute("aria-label", head.textContent);
    dialog.append(head, list, close);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      link.focus();
    });
    link.closest(".rh-run").append(dialog);
    dialog.showModal();
  }

  function label(cell) {
    return cell.title || cell.textContent;
  }

  function heading(link, key) {
    const cell = link.closest("td");
    const table = link.closest("table");
    const predicted = table.tHead.rows[1].cells[cell.cellIndex].querySelector("span");
    const actual = cell.parentElement.cells[0];
    const there = document.querySelectorAll(`[data-cell="${key}"]`).length;
    return `Actual ${label(actual)}, predicted ${label(predicted)}: ${there} of ${link.textContent}`;
  }

  /** A line of the log, or an image, is shown where its fold is closed. */
  function unfold() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details:not([open])");
    if (!fold) return;
    fold.open = true;
    target.scrollIntoView();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".rh-confusion a");
    if (!link) return;
    event.preventDefault();
    openCell(link);
  });
  addEventListener("hashchange", unfold);
  unfold();
})();
