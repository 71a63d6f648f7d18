/* What the page shows, in its address, behind the "#": so Back, a reload and a sent link show the same. A server never sees it. */
"use strict";

const Address = (() => {
  /* state: {network, epoch or undefined, sheet}. A photograph is not in it. */
  function write({network, epoch, sheet: {under, steps}}) {
    const parts = new URLSearchParams({network, ...(epoch === undefined ? {} : {epoch}), ...(under.photograph ? {} : under.source)});
    if (steps.length && !under.photograph) parts.set("steps", Sheets.write(steps));
    return `#${parts}`;
  }

  /* -> {network, epoch, under(): what lies under the steps, perhaps a promise; steps; sheet: its number, if it is one; firstSeed:
   * of the examples, if it is one}; null where an address says nothing of this page. Throws an Error with a sentence. */
  function read(hash) {
    const parts = new URLSearchParams(hash.slice(1)), network = parts.get("network");
    if (!parts.has("network")) return null;
    const refuse = (name, accepted) => { throw Error(`The page's address says ${name}="${parts.get(name)}"; ${accepted}. Choose anew.`); };
    if (!Object.hasOwn(Networks.table, network)) refuse("network", `there are ${Object.keys(Networks.table).join(", ")}`);
    const number = (name, all) => {
      if (!parts.has(name)) return undefined;
      const value = Number(parts.get(name) || NaN);
      if (!Number.isInteger(value) || !all(value)) refuse(name, "that is no number it could have written");
      return value;
    };
    const epoch = number("epoch", (value) => Networks.epochs(network).includes(value));
    const [seed, sheet] = ["seed", "sheet"].map((name) => number(name, (value) => value >= 0 && value < 2 ** 31));
    const example = parts.get("example"), kinds = Object.values(Examples.kinds), kind = kinds.find(({names}) => names.includes(example));
    if (example !== null && !kind) refuse("example", `there are ${kinds.flatMap(({names}) => names).join(", ")}`);
    let steps = [];
    try {
      steps = Sheets.read(parts.get("steps"));
    } catch {
      refuse("steps", "that is no drawing, or it was cut short");
    }
    return {network, epoch, under: () => lies({network, kind, example, seed, sheet}), steps, sheet, firstSeed: kind && seed && seed - kind.names.indexOf(example)};
  }

  function lies({network, kind, example, seed, sheet}) {
    if (sheet !== undefined) return Examples.sheet(sheet);
    if (kind && (seed !== undefined || !kind.others)) return kind.draw(example, seed);
    const {examples} = Networks.table[network], {names, draw} = Examples.kinds[examples];
    return examples === "shapes" ? Rest.under() : draw(names[0], 0); // the star has no seed, a photograph is not in the address
  }

  return {write, read};
})();
