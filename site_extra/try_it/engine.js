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

  /* The content of one of the exported files. They are scripts: a page on a disk may load nothing else. */
  const file = (name) => once(name, () => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const end = () => {
      script.remove();
      const content = self.patchConvNetFiles?.[name];
      if (content) resolve(content);
      else reject(Error(`The network's file weights/${name}.js did not arrive whole. Are you online? Try again.`));
    };
    Object.assign(script, {src: new URL(`weights/${name}.js`, base).href, onload: end, onerror: end});
    document.head.append(script);
  }));

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

  /* The arrays of one file by name, with `prefix` before each. shapes: as in the manifest. */
  const arrays = (name, files, shapes, read, prefix = "") => once(`arrays ${name}`, async () => {
    const numbers = read(await unpacked(await file(name), files[name], name)), found = {};
    let place = 0;
    for (const [weight, shape] of Object.entries(shapes)) {
      const count = shape.reduce((product, side) => product * side, 1);
      found[`${prefix}${weight}`] = {shape, data: numbers.slice(place, place += count)};
    }
    return found;
  });

  async function load(key, name, entry) {
    const {weights: shapes, files, usual, trunk, strides, size, epochs} = entry;
    const parts = [arrays(key, files, shapes, halves)];
    if (key === `${name}-${epochs.at(-1)}`) parts.push(arrays(`${name}-usual`, files, usual, floats, "usual/")); // measured at the end
    if (trunk) parts.push(about(trunk).then((other) => arrays(trunk, other.files, other.weights, floats)));
    networks[key] = {weights: Object.assign({}, ...await Promise.all(parts)), strides, size};
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

  /* name: "shapes", "shapes_average", "cifar10"; epoch: undefined for the last; picture and answer: see PatchConvNet.explain. */
  async function explain(name, epoch, picture) {
    const entry = await about(name), key = `${name}-${epoch ?? entry.epochs.at(-1)}`;
    await once(`network ${key}`, () => load(key, name, entry));
    if (!helper()) return PatchConvNet.explain(picture, networks[key]);
    return new Promise((resolve) => {
      const question = asked++;
      questions[question] = {key, picture, resolve};
      worker.postMessage({name: key, question, picture});
    });
  }

  return {explain, about};
})();
