/* The networks of the page, in the order of its menu: the one place that names them.
 *
 *   label      what the menu says, before the number of bytes
 *   mapName    what its map is a map of
 *   examples   a kind of `Examples.kinds`
 *   rival      a second network beside it: {name, label, mapName}
 *
 * What can be counted or was measured is in the manifest: bytes, epochs, the best patch that never moves. Whether each class
 * has a map of its own, the answer tells.
 */
"use strict";

const Networks = (() => {
  const table = {
    shapes: {
      label: "Shapes: ten outlines", mapName: "attention", examples: "shapes",
      rival: {name: "shapes_average", label: "Average pooling", mapName: "class activation"},
    },
    shapes_per_class: {label: "Shapes, one class token for each class", mapName: "attention", examples: "shapes"},
    cifar10: {label: "CIFAR-10: animals and vehicles", mapName: "attention", examples: "scenes"},
    pets: {
      label: "Pets: three breeds, on photographs", mapName: "attention", examples: "photographs",
      rival: {name: "pets_average", label: "Average pooling", mapName: "class activation"},
    },
  };

  const entry = (name) => self.patchConvNetFiles?.manifest?.[name];
  const epochs = (name) => entry(name)?.epochs ?? [0];
  const lastEpoch = (name) => epochs(name).at(-1);

  /* What the network's first answer loads, that of its rival with it: megabytes, as base64. */
  function megabytes(name) {
    const names = [name, table[name].rival?.name].filter(entry), sizes = {}; // by file, as two networks may share one
    for (const one of names) for (const {file, letters} of Engine.parts(self.patchConvNetFiles.manifest, one, lastEpoch(one))) sizes[file] = letters;
    return Object.values(sizes).reduce((sum, letters) => sum + letters, 0) / 1e6;
  }

  const title = (name) => `${table[name].label} (${megabytes(name).toFixed(1)} MB)`;

  return {table, entry, epochs, lastEpoch, title};
})();
