/* Fetches a network's weights when they are first asked for, and runs network.js on a picture: in a worker, or here where
 * the browser allows none (a page opened from disk). tools/export_web.py writes the weights and says how.
 */
"use strict";

const Engine = (() => {
  const base = new URL(".", document.currentScript.src); // on any server, under any path, or on a disk
  const loading = {}, networks = {}, questions = {};
  let worker, asked = 0;

  // === files ===
  function once(name, start) {
    loading[name] ??= start().catch((error) => { delete loading[name]; throw error; }); // a failure may be tried again
    return loading[name];
  }

  /* The content of one of the exported files. They are scripts: a page on a disk may load nothing else. A server's come as
   * text, so that `progress(characters)` can be told. */
  const file = (name, progress) => once(name, async () => {
    const address = new URL(`weights/${name}.js`, base).href;
    if (!self.patchConvNetFiles?.[name]) await (location.protocol === "file:" ? asScript(address) : asText(address, name, progress)).catch(() => {});
    const content = self.patchConvNetFiles?.[name];
    if (!content) throw Error(`The network's file weights/${name}.js did not arrive whole. Are you online? Try again.`);
    return content;
  });

  const asScript = (src) => new Promise((resolve) => {
    const script = document.createElement("script"), end = () => { script.remove(); resolve(); };
    Object.assign(script, {src, onload: end, onerror: end});
    document.head.append(script);
  });

  async function asText(address, name, progress = () => {}) {
    const reader = (await fetch(address)).body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part; !(part = await reader.read()).done; progress(text.length)) text += part.value;
    (self.patchConvNetFiles ??= {})[name] = JSON.parse(text.slice(text.indexOf("= ", text.indexOf("]")) + 2, text.lastIndexOf(";")));
  }

  /* base64 -> bytes, if they are those of the manifest. */
  async function unpacked(text, {bytes: count, sha256}, name) {
    const damaged = Error(`The network's file weights/${name}.js is damaged. Load the page again.`);
    let bytes;
    try {
      bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    } catch {
      throw damaged;
    }
    if (bytes.length !== count) throw damaged;
    if (!self.crypto?.subtle) return bytes; // a browser has it on https and on a disk, not on plain http
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    if ([...digest].map((part) => part.toString(16).padStart(2, "0")).join("") !== sha256) throw damaged;
    return bytes;
  }

  /* float16, little-endian: a sign, five bits of exponent, ten of fraction. */
  function halves(bytes) {
    const view = new DataView(bytes.buffer);
    return Float32Array.from({length: bytes.length / 2}, (_, index) => {
      const bits = view.getUint16(2 * index, true), exponent = (bits >> 10) & 31, fraction = bits & 1023;
      const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
      return bits >> 15 ? -size : size;
    });
  }

  const floats = (bytes) => new Float32Array(bytes.buffer); // little-endian, as every device with a browser is

  /* What a network loads, a list of {file, bytes, sha256, letters: its length in base64, shapes of its arrays, read(bytes), prefix
   * of their names}. */
  function parts(manifest, name, epoch) {
    const entry = manifest[name], trunk = manifest[entry.trunk];
    const part = (file, {files: {[file]: {bytes, sha256}}}, shapes, read, prefix = "") =>
      ({file, bytes, sha256, letters: 4 * Math.ceil(bytes / 3), shapes, read, prefix});
    const found = [part(`${name}-${epoch}`, entry, entry.weights, halves)];
    if (epoch === entry.epochs.at(-1)) found.push(part(`${name}-usual`, entry, entry.usual, floats, "usual/")); // measured then
    if (trunk) found.push(part(entry.trunk, trunk, trunk.weights, floats));
    return found;
  }

  /* The arrays of one file, by name. progress(letters): while it comes. */
  const arrays = (part, progress) => once(`arrays ${part.file}`, async () => {
    const text = await file(part.file, (count) => progress(Math.min(part.letters, count)));
    const numbers = part.read(await unpacked(text, part, part.file)), found = {};
    let place = 0;
    for (const [weight, shape] of Object.entries(part.shapes)) {
      const count = shape.reduce((product, side) => product * side, 1);
      found[part.prefix + weight] = {shape, data: numbers.slice(place, place += count)};
    }
    return found;
  });

  async function load(key, {strides, size}, all, progress) {
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0), come = all.map(() => 0);
    const weights = await Promise.all(all.map((part, index) => arrays(part, (letters) => {
      come[index] = letters;
      progress?.(sum(come), sum(all.map((one) => one.letters)));
    })));
    networks[key] = {weights: Object.assign({}, ...weights), strides, size};
    helper()?.postMessage({name: key, network: networks[key]});
  }

  // === running ===
  function helper() {
    if (worker !== undefined) return worker;
    try {
      worker = new Worker(new URL("worker.js", base));
      worker.onmessage = ({data: {question, answer}}) => { questions[question].resolve(answer); delete questions[question]; };
      worker.onerror = () => { // it could not start: ask again, here
        worker = null;
        for (const {key, picture, resolve} of Object.values(questions)) resolve(PatchConvNet.explain(picture, networks[key]));
      };
    } catch {
      worker = null;
    }
    return worker;
  }

  /* An entry of the manifest: class names, epochs... */
  const about = async (name) => (await file("manifest"))[name];

  /* Load a network's weights. progress(letters, of all): while they come. -> their name in the worker */
  async function prepare(name, epoch, progress) {
    const manifest = await file("manifest"), entry = manifest[name], number = epoch ?? entry.epochs.at(-1), key = `${name}-${number}`;
    await once(`network ${key}`, () => load(key, entry, parts(manifest, name, number), progress));
    return key;
  }

  /* name: one of the manifest's; epoch: undefined for the last; picture and answer: see PatchConvNet.explain. */
  async function explain(name, epoch, picture, progress) {
    const key = await prepare(name, epoch, progress);
    if (!helper()) return PatchConvNet.explain(picture, networks[key]);
    return new Promise((resolve) => {
      const question = asked++;
      questions[question] = {key, picture, resolve};
      worker.postMessage({name: key, question, picture});
    });
  }

  return {explain, prepare, about, parts, file, halves};
})();
