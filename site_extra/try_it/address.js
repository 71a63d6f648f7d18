/* What the page shows, in its address, behind the "#": so Back, a reload and a sent link show the same. A server never sees it. */
"use strict";

const Address = (() => {
  /* state: {network, epoch or undefined, sheet}. A photograph is not in it. */
  function write({network, epoch, sheet: {under, steps}}) {
    const parts = new URLSearchParams({network, ...(epoch === undefined ? {} : {epoch}), ...under.source});
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
    const example = parts.get("example"), kind = Examples.kinds[Networks.table[network].examples];
    if (example !== null && !kind.names.includes(example)) refuse("example", `there are ${kind.names.join(", ")}`);
    let steps = [];
    try {
      steps = Sheets.read(parts.get("steps"));
    } catch {
      refuse("steps", "that is no drawing, or it was cut short");
    }
    const under = () => example !== null ? kind.draw(example, seed ?? 0) : sheet !== undefined ? Examples.sheet(sheet) : Rest.under();
    return {network, epoch, under, steps, sheet, firstSeed: seed && seed - kind.names.indexOf(example)};
  }

  return {write, read};
})();
