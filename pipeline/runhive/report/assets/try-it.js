// A run's ONNX model in its page: ONNX Runtime Web, loaded on a click, beside Python's answers for the same pixels.
(() => {
  "use strict";

  const MOST_BARS = 5;
  const MOST_PIXELS = 60e6;

  /** The bytes of a packed shard: gzip in base64. */
  async function unpacked(path, name) {
    await runhive.load(path);
    const text = atob(runhive.shards(name)[0]);
    const packed = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) packed[index] = text.charCodeAt(index);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function openModel(place) {
    const [wasm, model] = await Promise.all([
      unpacked(place.dataset.wasm, "ort-wasm"),
      unpacked(place.dataset.model, place.dataset.name),
      runhive.load(place.dataset.samples),
      runhive.load(place.dataset.runtime),
    ]);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = wasm.buffer;
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    return { session, ...runhive.shards(place.dataset.of)[0] };
  }

  /** Logits and probabilities of one input (3, size, size), and the milliseconds that they took. */
  async function answer(model, input) {
    const began = performance.now();
    const images = new ort.Tensor("uint8", input, [1, 3, model.size, model.size]);
    const { logits, probabilities } = await model.session.run({ images });
    return { logits: logits.data, probabilities: probabilities.data, spent: performance.now() - began };
  }

  /** A picture drawn at its own size: its RGB pixels, on white where it is transparent. */
  function pixelsOf(bitmap) {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.fillStyle = "white";
    pen.fillRect(0, 0, bitmap.width, bitmap.height);
    pen.drawImage(bitmap, 0, 0);
    const { data } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
    const pixels = new Uint8Array(bitmap.width * bitmap.height * 3);
    for (let from = 0, to = 0; from < data.length; from += 4) {
      pixels[to++] = data[from];
      pixels[to++] = data[from + 1];
      pixels[to++] = data[from + 2];
    }
    return pixels;
  }

  async function inputOf(blob, model) {
    const bitmap = await createImageBitmap(blob);
    if (bitmap.width * bitmap.height > MOST_PIXELS) throw new Error("it has more than 60 million pixels");
    return runhive.toInput(pixelsOf(bitmap), bitmap.width, bitmap.height, model.side, model.size);
  }

  /** A baked sample is of the model's own size: nothing is resized. */
  async function sampleInput(sample, model) {
    const bytes = Uint8Array.from(atob(sample.png), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
    return runhive.toInput(pixelsOf(bitmap), model.size, model.size, model.size, model.size);
  }

  function draw(canvas, input, size) {
    canvas.width = canvas.height = size;
    const image = new ImageData(size, size);
    for (let place = 0; place < size * size; place++) {
      for (let channel = 0; channel < 3; channel++) {
        image.data[4 * place + channel] = input[channel * size * size + place];
      }
      image.data[4 * place + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function element(tag, css, text) {
    const made = document.createElement(tag);
    if (css) made.className = css;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  /** The likeliest classes as bars. */
  function bars(model, probabilities, actual) {
    const list = element("ol", "rh-try__bars");
    const order = [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
    for (const place of order.slice(0, MOST_BARS)) {
      const name = model.classes[place];
      const item = element("li");
      item.append(element(name === actual ? "b" : "span", "", name));
      const bar = element("span", "rh-try__bar");
      bar.append(element("i"));
      bar.firstChild.style.width = `${100 * probabilities[place]}%`;
      item.append(bar, element("span", "rh-try__share", `${(100 * probabilities[place]).toFixed(1)} %`));
      list.append(item);
    }
    return list;
  }

  function show(page, model, input, found, title, actual) {
    const canvas = element("canvas", "rh-try__picture");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", title);
    draw(canvas, input, model.size);
    const words = element("div");
    words.append(element("p", "rh-try__title", title));
    if (actual !== undefined) words.append(element("p", "rh-quiet", `labelled ${actual}`));
    words.append(bars(model, found.probabilities, actual));
    words.append(element("p", "rh-quiet", `${found.spent.toFixed(0)} ms in this page, one thread`));
    page.result.replaceChildren(canvas, words);
  }

  /** Runs each sample and compares its logits with Python's; says by how much they differ. */
  async function check(page, model) {
    let most = 0;
    for (const sample of model.samples) {
      sample.input = await sampleInput(sample, model);
      sample.found = await answer(model, sample.input);
      sample.logits.forEach((value, place) => {
        const difference = Math.abs(value - sample.found.logits[place]);
        most = difference <= most ? most : difference;  // NaN is more than anything
      });
      page.samples.append(button(page, model, sample));
    }
    const equal = most <= model.tolerance;
    page.badge.className = `rh-try__badge rh-tone--${equal ? "pass" : "worse"}`;
    page.badge.dataset.difference = most;
    page.badge.textContent = equal
      ? `Equal to Python within ${most.toExponential(1)}`
      : `Differs from Python by ${most.toExponential(1)}`;
    page.told.textContent = `Logits of ONNX Runtime here and in Python, on ${model.samples.length} images; `
      + `the tolerance is ${model.tolerance.toExponential(1)}.`;
  }

  function button(page, model, sample) {
    const made = element("button", "rh-try__sample");
    made.type = "button";
    made.setAttribute("aria-pressed", "false");
    const canvas = element("canvas");
    draw(canvas, sample.input, model.size);
    made.append(canvas, element("span", "", sample.actual));
    made.addEventListener("click", () => {
      choose(page, made);
      show(page, model, sample.input, sample.found, sample.path, sample.actual);
    });
    return made;
  }

  function choose(page, made) {
    for (const other of page.samples.children) other.setAttribute("aria-pressed", String(other === made));
  }

  async function tryFile(page, model, file) {
    try {
      const input = await inputOf(file, model);
      const found = await answer(model, input);
      choose(page, null);
      show(page, model, input, found, file.name);
      page.status.textContent = "";
    } catch (error) {
      page.status.textContent = `${file.name} is no picture that this browser can read (${error.message}).`;
    }
  }

  /** Files come by the field or are dropped on it. */
  function takeFiles(page, model) {
    const field = page.field.querySelector("input");
    field.addEventListener("change", () => field.files.length && tryFile(page, model, field.files[0]));
    page.field.addEventListener("dragover", (event) => event.preventDefault());
    page.field.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) tryFile(page, model, event.dataTransfer.files[0]);
    });
  }

  async function start(place, page, load) {
    load.disabled = true;
    page.status.textContent = "Loading the model …";
    try {
      const model = await openModel(place);
      page.status.textContent = "Checking it against Python …";
      await check(page, model);
      takeFiles(page, model);
      load.remove();
      page.status.textContent = "";
      page.body.hidden = false;
      page.samples.querySelector("button")?.click();
    } catch (error) {
      load.disabled = false;
      page.status.textContent = `The model cannot be run in this browser: ${error.message}`;
    }
  }

  const place = document.querySelector("[data-try-it]");
  if (!place) return;
  const load = place.querySelector("button");
  const page = Object.fromEntries(
    [...place.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
  );
  load.disabled = false;
  load.addEventListener("click", () => start(place, page, load));
})();
