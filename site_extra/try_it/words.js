/* What the page says of an answer, in the words of the package. */
"use strict";

const Words = (() => {
  const SPREAD = 0.75; // as in patchconvnet/inference/predicting.py: a flatter map has no place
  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

  const percent = (share) => share > 0.995 ? "more than 99%" : `${Math.round(100 * share)}%`;
  const exact = (share) => share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(1)}%`;

  /* "strongest at the upper left", or "spread over the picture". */
  function place({data, height, width}, cut) {
    const whole = total(data);
    const bits = data.reduce((sum, weight) => sum - (weight > 0 ? weight / whole * Math.log2(weight / whole) : 0), 0); // entropy
    if (2 ** bits > SPREAD * data.length) return `spread over the ${cut ? "central square" : "picture"}`;
    const cell = data.indexOf(Math.max(...data)), third = (index, count) => Math.floor(3 * (index + 0.5) / count);
    const names = [["upper left", "top", "upper right"], ["left", "middle", "right"], ["lower left", "bottom", "lower right"]];
    const name = names[third(Math.floor(cell / width), height)][third(cell % width, width)];
    return `strongest ${name === "middle" ? "in" : "at"} the ${name}${cut ? " of the central square" : ""}`;
  }

  /* As `describe` of the package says it: "star, 97%; attention strongest at the upper left". */
  const describe = ({name, share}, map, mapName, cut, strange) =>
    `${name}, ${percent(share)}; ${mapName} ${place(map, cut)}${strange ? "; unlike the training pictures" : ""}`;

  /* As `attend` notes it. */
  const remark = (classes) => "note: this is unlike the pictures that the network was trained on. It names one of its " +
    `${classes} classes whatever it sees, and the map says where it looked, not that something is there.`;

  /* Of a patch: its share of the map. */
  const patch = ({data, width}, cell, mapName) =>
    `Patch in row ${Math.floor(cell / width) + 1}, column ${cell % width + 1}: ${exact(data[cell])} of the ${mapName}. ` +
    `An equal share would be ${(100 / data.length).toFixed(1)}%.`;

  /* How much of the maps lies on the object. located: [{mapName, energy, hit}], one map or two; fixed: 0..1 or null. */
  function measure({name, area, ofWhat}, [map, rival], fixed) {
    const other = rival ? ` (${percent(rival.energy)} of the ${rival.mapName})` : "";
    const first = `${percent(map.energy)} of the ${map.mapName}${other} lies on ${name}, which fills ${percent(area)} of the ${ofWhat}.`;
    if (fixed == null) return first;
    const beside = `the best patch that never moves would be${map.hit ? "" : ","} in ${percent(fixed)} of test pictures`;
    return `${first} The strongest patch is ${map.hit ? "on it, as" : "not on it;"} ${beside}.`;
  }

  /* What hiding patches did. */
  const effect = (count, {name, share}, whole) =>
    `Without ${count === 1 ? "it" : `these ${count} patches`}: ${name}, ${percent(share)}. With ${count === 1 ? "it" : "them"}: ` +
    `${whole.name}, ${percent(whole.share)}.`;

  return {percent, place, describe, remark, patch, measure, effect};
})();
