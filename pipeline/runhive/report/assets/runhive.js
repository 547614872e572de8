// The data of the site: shards are scripts that call runhive.shard, because fetch() is blocked on file:// pages.
(() => {
  "use strict";

  const parts = new Map();
  const loading = new Map();

  /** Called by each shard's file; the content is JSON. */
  function shard(name, content) {
    parts.set(name, [...shards(name), JSON.parse(content)]);
  }

  /** What the shards of a name held, in the order in which they came. */
  function shards(name) {
    return parts.get(name) ?? [];
  }

  /** Loads a shard's file on demand, once; its path is relative to the page. */
  function load(path) {
    if (!loading.has(path)) {
      loading.set(path, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = path;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${path} cannot be loaded`));
        document.head.append(script);
      }));
    }
    return loading.get(path);
  }

  /** The columns of all shards of a name as one table: column(name) is a list of values, null where missing. */
  function table(name) {
    const found = shards(name);
    const known = new Map();
    const rows = found.reduce((sum, part) => sum + part.rows, 0);
    return {
      rows,
      names: [...new Set(found.flatMap((part) => [...Object.keys(part.columns), ...part.empty]))],
      column(name) {
        if (!known.has(name)) known.set(name, found.flatMap((part) => values(part, name)));
        return known.get(name);
      },
    };
  }

  function values(part, name) {
    if (!Object.hasOwn(part.columns, name)) return new Array(part.rows).fill(null);
    const column = part.columns[name];
    return Array.isArray(column) ? column : column.at.map((place) => column.of[place]);
  }

  window.runhive = { shard, shards, load, table };
})();
