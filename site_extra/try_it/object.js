/* Where the object is: what the reader drew, or the shape of an example. A mask is a canvas, opaque on the object. The measures
 * are those of patchconvnet/faithfulness/localization.py.
 */
"use strict";

const Objects = (() => {
  /* How much of each cell each pixel fills, along one axis: (cells, size), every row summing to 1. */
  const overlaps = (size, cells) => Array.from({length: cells}, (_, cell) => Array.from({length: size}, (_, pixel) =>
    Math.max(0, Math.min((cell + 1) * size, (pixel + 1) * cells) - Math.max(cell * size, pixel * cells)) / size));

  /* How much of each cell is object, 0..1: (h w). Cells may cut through pixels. */
  function cellShares({width, height, alpha}, rows, columns) {
    const across = overlaps(width, columns), down = overlaps(height, rows);
    const bands = down.map((parts) => { // (h, W)
      const band = new Float64Array(width);
      parts.forEach((part, row) => {
        if (part) for (let column = 0; column < width; column++) band[column] += part * alpha[row * width + column];
      });
      return band;
    });
    return bands.flatMap((band) => across.map((parts) => parts.reduce((sum, part, column) => sum + (part && part * band[column]), 0)));
  }

  /* The border between what is object and what is not, pixel by pixel, on a canvas of `size`. */
  function outline({width, height, alpha}, size) {
    const path = new Path2D(), unit = size / width;
    const inside = (row, column) => column >= 0 && row >= 0 && column < width && row < height && alpha[row * width + column] >= 0.5;
    for (let row = 0; row <= height; row++) {
      for (let column = 0; column <= width; column++) {
        const here = inside(row, column);
        for (const [other, endX, endY] of [[inside(row - 1, column), column + 1, row], [inside(row, column - 1), column, row + 1]]) {
          if (here === other) continue;
          path.moveTo(column * unit, row * unit);
          path.lineTo(endX * unit, endY * unit);
        }
      }
    }
    return path;
  }

  /* mask: a canvas, or null where no one knows. name: "the star"; ofWhat: "picture" or "sheet".
   * -> null, or {name, ofWhat, area: 0..1, outline(size), shares(map): of each cell, on(map): its energy, and whether its greatest cell is a hit} */
  function of(mask, name, ofWhat) {
    if (!mask) return null;
    const {width, height, data} = mask.getContext("2d").getImageData(0, 0, mask.width, mask.height);
    const alpha = Float32Array.from({length: width * height}, (_, pixel) => data[4 * pixel + 3] / 255);
    const area = alpha.reduce((sum, part) => sum + part, 0) / alpha.length;
    if (!area) return null;
    const shares = (map) => cellShares({width, height, alpha}, map.height, map.width);
    const on = (map) => {
      const parts = shares(map), whole = map.data.reduce((sum, weight) => sum + weight, 0);
      return {
        energy: map.data.reduce((sum, weight, cell) => sum + weight * parts[cell], 0) / whole,
        hit: parts[map.data.indexOf(Math.max(...map.data))] >= 0.5,
      };
    };
    return {name, ofWhat, area, shares, on, outline: (size) => outline({width, height, alpha}, size)};
  }

  return {of};
})();
