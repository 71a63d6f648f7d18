/* A map over what the network saw, on which mouse, finger or keys choose a patch. */
"use strict";

const Maps = (() => {
  const VIRIDIS = [[68, 1, 84], [72, 24, 106], [71, 45, 123], [66, 64, 134], [59, 82, 139], [51, 99, 141], [44, 114, 142],
    [38, 130, 142], [33, 145, 140], [31, 160, 136], [40, 174, 128], [63, 188, 115], [94, 201, 98], [132, 212, 75],
    [173, 220, 48], [216, 226, 25], [253, 231, 37]]; // matplotlib's, in 16 steps

  /* The one way in which anything is outlined here: white on black, seen on any colour. */
  function line(pen, path, width, dashes = []) {
    for (const [colour, lineWidth] of [["black", width + 4], ["white", width]]) {
      pen.setLineDash(colour === "white" ? dashes : []);
      Object.assign(pen, {strokeStyle: colour, lineWidth}).stroke(path);
    }
  }

  /* map: {height, width, data}; marks: {outline(size) of the object, chosen cell, hidden cells}. */
  function paint(canvas, seen, {height, width, data}, {object, chosen, hidden}) {
    const small = Pictures.blank(seen.width), pen = small.getContext("2d"), pixels = pen.createImageData(seen.width, seen.height);
    const greatest = Math.max(...data), strongest = data.indexOf(greatest);
    for (let pixel = 0; pixel < seen.width * seen.height; pixel++) {
      const row = Math.floor(Math.floor(pixel / seen.width) * height / seen.height);
      const column = Math.floor(pixel % seen.width * width / seen.width);
      const colour = VIRIDIS[Math.round(16 * data[row * width + column] / greatest)];
      const grey = (seen.data[3 * pixel] + seen.data[3 * pixel + 1] + seen.data[3 * pixel + 2]) / 3;
      pixels.data.set([...colour.map((part) => 0.35 * grey + 0.65 * part), 255], 4 * pixel); // as in the course's figures
    }
    pen.putImageData(pixels, 0, 0);
    const large = canvas.getContext("2d"), [across, down] = [canvas.width / width, canvas.height / height];
    Object.assign(large, {imageSmoothingEnabled: false}).drawImage(small, 0, 0, canvas.width, canvas.height);
    const box = (cell) => [(cell % width) * across, Math.floor(cell / width) * down];
    const frame = (cell, dashes) => {
      const path = new Path2D();
      path.rect(...box(cell), across, down);
      line(large, path, 3, dashes);
    };
    if (object) line(large, object.outline(canvas.width), 2);
    for (const cell of hidden) { // a cross
      const path = new Path2D(), [left, top] = box(cell);
      for (const [from, to] of [[0.25, 0.75], [0.75, 0.25]]) {
        path.moveTo(left + from * across, top + 0.25 * down);
        path.lineTo(left + to * across, top + 0.75 * down);
      }
      line(large, path, 2);
    }
    frame(strongest, []);
    if (chosen !== null && chosen !== strongest) frame(chosen, [6, 6]);
  }

  /* on: {choose(cell, map): a patch is pointed at; press(cell, map): it was pressed when it was already pointed at}.
   * -> {show(found, marks, sentence), of(label): show another class's map} */
  function view(canvas, on) {
    let seen = null, map = null, maps = [], marks = {}, chosen = null;
    const repaint = () => paint(canvas, seen, map, {...marks, chosen});

    function choose(cell) {
      if (!map || cell === null || cell === chosen) return;
      chosen = cell;
      repaint();
      on.choose(cell, map);
    }

    /* The chosen patch has another weight now. */
    function again() {
      if (chosen !== null) on.choose(chosen, map);
    }

    function cellAt(event) {
      const box = canvas.getBoundingClientRect(), {width, height} = map ?? {width: 1, height: 1};
      const row = Math.floor((event.clientY - box.top) / box.height * height), column = Math.floor((event.clientX - box.left) / box.width * width);
      return row >= 0 && row < height && column >= 0 && column < width ? row * width + column : null;
    }

    // A mouse has pointed at a patch before it presses. A finger has not: its first tap tells the weight, its second presses.
    let pointed = false;
    canvas.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") choose(cellAt(event)); });
    canvas.addEventListener("pointerdown", (event) => { pointed = cellAt(event) === chosen; });
    canvas.addEventListener("click", (event) => {
      const cell = cellAt(event);
      if (!map || cell === null) return;
      if (pointed && cell === chosen) on.press(cell, map);
      else choose(cell);
    });
    canvas.addEventListener("keydown", (event) => {
      if (!map) return;
      const {data, width, height} = map, strongest = data.indexOf(Math.max(...data)), now = chosen ?? strongest;
      const [row, column] = [Math.floor(now / width), now % width];
      const next = {ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        Home: [Math.floor(strongest / width), strongest % width]}[event.key];
      if (next) choose(Math.min(height - 1, Math.max(0, next[0])) * width + Math.min(width - 1, Math.max(0, next[1])));
      else if ((event.key === "Enter" || event.key === " ") && !event.repeat) on.press(now, map);
      else return;
      event.preventDefault();
    });

    function describe(sentence) {
      canvas.setAttribute("aria-label", `${sentence}. Arrow keys go from patch to patch; Home goes to the strongest; Enter hides a patch.`);
    }

    return {
      show(found, itsMarks, sentence, keep = false) {
        [seen, map, maps, marks] = [found.seen, found.attention, found.maps, itsMarks];
        if (!keep) chosen = null;
        describe(sentence);
        repaint();
        again();
      },
      of(label, sentence) {
        map = {...map, data: maps[label]};
        describe(sentence);
        repaint();
        again();
        return map;
      },
    };
  }

  return {view};
})();
