/* Pictures drawn by code: shapes like those of chapter 02, and scenes for the network that knows ten kinds of photographs. Each
 * is what may lie under a sheet: see sheet.js. */
"use strict";

const Examples = (() => {
  const SIDE = 256; // pixels of a drawing: eight for one of the network's

  /* Random numbers in 0..1 that are the same for the same seed (xorshift; Marsaglia, 2003). */
  function generator(seed) {
    let state = (seed + 1) * 2654435761 >>> 0 || 1;
    const next = () => {
      state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
      return (state >>> 0) / 2 ** 32;
    };
    for (let turn = 0; turn < 9; turn++) next();
    return next;
  }

  const colour = (parts) => `rgb(${parts.map((part) => Math.round(255 * part)).join(" ")})`;

  // === shapes ===
  // Outlines in the square from -1 to 1, as in patchconvnet/data/shapes.py, with the area and the height of the centre.
  const OUTLINES = {
    circle: ["M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z", 3.142, 0],
    square: ["M-.7-.7H.7V.7H-.7Z", 1.96, 0],
    triangle: ["M0-1L.866.5H-.866Z", 1.299, 0],
    star: ["M0-1L.294-.405 .951-.309 .476 .155 .588 .809 0 .5-.588 .809-.476 .155-.951-.309-.294-.405Z", 1.469, 0],
    cross: ["M-.42-1H.42V-.42H1V.42H.42V1H-.42V.42H-1V-.42H-.42Z", 2.654, 0],
    ring: ["M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0ZM.36 0A.36 .36 0 1 0-.36 0A.36 .36 0 1 0 .36 0Z", 2.733, 0],
    semicircle: ["M-1 0A1 1 0 0 1 1 0Z", 1.571, -0.424],
    arrow: ["M0-1L.85 0H.32V.9H-.32V0H-.85Z", 1.426, -0.017],
    heart: ["M-.96-.08H.96L0 .98ZM.0785-.3A.5385 .5385 0 1 1-.9985-.3A.5385 .5385 0 1 1 .0785-.3ZM.9985-.3A.5385 .5385 0 1 1-.0785-.3A.5385 .5385 0 1 1 .9985-.3Z", 2.34, -0.117],
    hourglass: ["M-.7-.9H.7L.36 0 .7 .9H-.7L-.36 0Z", 1.908, 0],
  };

  /* Smooth colours and five strokes. */
  function background(seed) {
    const random = generator(seed), canvas = Pictures.blank(SIDE), pen = canvas.getContext("2d");
    const corners = Pictures.blank(3), few = corners.getContext("2d");
    for (let cell = 0; cell < 9; cell++) {
      few.fillStyle = colour([0, 0, 0].map(() => 0.2 + 0.6 * random()));
      few.fillRect(cell % 3, Math.floor(cell / 3), 1, 1);
    }
    pen.drawImage(corners, 0.5, 0.5, 2, 2, 0, 0, SIDE, SIDE);
    for (let stroke = 0; stroke < 5; stroke++) {
      pen.setTransform(1, 0, 0, 1, SIDE * random(), SIDE * random());
      pen.rotate(2 * Math.PI * random());
      const [length, width] = [32 + 80 * random(), 8 + 16 * random()];
      pen.fillStyle = colour([random(), random(), random()]);
      pen.fillRect(-length / 2, -width / 2, length, width);
    }
    pen.resetTransform();
    return canvas;
  }

  /* A new sheet: on it, the object is what the reader draws. */
  const sheet = (seed) => ({canvas: background(seed), mask: Pictures.blank(SIDE), object: "", ofWhat: "sheet", source: {sheet: seed}});

  /* A shape, with its mask: the same path. */
  function shape(name, seed) {
    const canvas = background(seed), mask = Pictures.blank(SIDE), pen = canvas.getContext("2d"), random = generator(seed + 1000);
    const [path, area, centre] = OUTLINES[name];
    const side = SIDE * (12 + 4 * random()) / 32, margin = 0.55 * side;
    const [x, y] = [0, 1].map(() => margin + (SIDE - 2 * margin) * random());
    const hidden = pen.getImageData(x, y, 1, 1).data, own = [random(), random(), random()];
    const near = own.reduce((sum, part, index) => sum + (part - hidden[index] / 255) ** 2, 0) < 0.3;
    const turn = 2 * Math.PI * random();
    pen.fillStyle = colour(near ? own.map((part) => (part + 0.5) % 1) : own);
    for (const one of [pen, mask.getContext("2d")]) {
      one.translate(x, y);
      one.rotate(turn);
      one.scale(side / Math.sqrt(area), side / Math.sqrt(area));
      one.translate(0, -centre);
      one.fill(new Path2D(path));
      one.resetTransform();
    }
    return {canvas, mask, object: `the ${name}`, ofWhat: "picture", source: {example: name, seed}};
  }

  // === scenes: what is behind, top and bottom and perhaps a path; then the object, fills and paths from back to front ===
  const wheel = (x, y, size) => `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0Z`;
  const SCENES = {
    airplane: [["#5f9fe0", "#cfe4f7"],
      ["#8a94a0", "M120 118L172 62L190 64L160 120Z"], ["#e8ecf0", "M20 128Q30 112 70 112L196 112L222 74L240 74L232 128Q226 142 196 142L60 144Q26 144 20 128Z"],
      ["#aab3bd", "M104 132L168 132L128 188L108 190Z"], ["#30363c", "M32 122L52 116L52 124L34 128Z"]],
    automobile: [["#b9c4cc", "#77797b"],
      ["#b01818", "M22 150Q24 128 60 124Q84 88 116 86L164 86Q190 90 208 122Q238 128 240 150L238 176L22 176Z"],
      ["#253746", "M80 122Q96 98 118 97L132 97L132 122ZM140 97L162 97Q182 102 194 122L140 122Z"],
      ["#141414", wheel(72, 176, 25) + wheel(190, 176, 25)], ["#9aa0a4", wheel(72, 176, 12) + wheel(190, 176, 12)]],
    ship: [["#a9cdf0", "#d5e6f2", "#2a5d8c", "M0 160H256V256H0Z"],
      ["#f4f4f2", "M70 96H190V150H70Z"], ["#d9dadb", "M92 66H160V96H92Z"], ["#c23b22", "M110 36H134V66H110Z"],
      ["#17202b", "M18 136L240 136L216 182L44 182Z"], ["#a32222", "M36 168L224 168L216 182L44 182Z"]],
    truck: [["#c6d2da", "#8a8578"],
      ["#e9e6df", "M18 56H160V172H18Z"], ["#c5302a", "M160 86H208Q226 100 234 132L236 176H160Z"], ["#22303c", "M174 98H204Q214 108 218 130H174Z"],
      ["#3a3a3a", "M14 170H240V184H14Z"], ["#111111", wheel(58, 186, 24) + wheel(200, 186, 24)], ["#a0a0a0", wheel(58, 186, 10) + wheel(200, 186, 10)]],
    frog: [["#6a8a4a", "#4a5a30"],
      ["#7ab23a", "M40 168Q44 104 128 96Q212 104 216 168Q190 206 128 206Q66 206 40 168Z"], ["#6aa22e", "M30 200Q24 150 76 150Q96 190 60 210ZM226 200Q232 150 180 150Q160 190 196 210Z"],
      ["#8cc84a", wheel(88, 96, 26) + wheel(168, 96, 26)], ["#101010", wheel(88, 92, 13) + wheel(168, 92, 13)], ["#3f6a1c", "M84 146Q128 168 172 146L172 152Q128 176 84 152Z"]],
    bird: [["#dfe9ee", "#c3d3b8", "#6b4a2b", "M0 202H256V212H0Z"],
      ["#7a5638", "M92 196L58 232L82 232L116 196Z"], ["#b5793f", "M70 150Q70 98 128 86Q196 92 198 150Q190 200 132 202Q80 200 70 150Z"],
      ["#e9d3b0", "M140 190Q196 184 192 130Q160 130 140 190Z"], ["#8a5a30", wheel(166, 78, 34)], ["#e0a020", "M194 72L226 82L194 90Z"], ["#101010", wheel(176, 72, 6)], ["#5a3a20", "M74 140Q110 110 146 140Q120 184 70 176Z"]],
    horse: [["#bcd3e6", "#8fae62", "#7fa050", "M0 150H256V256H0Z"],
      ["#5a3218", "M66 112Q110 98 158 110L184 62L196 50L204 60L226 84L216 98L196 92L182 138Q176 156 164 158L166 224H152L146 164Q112 168 94 160L84 224H70L72 150Q54 140 66 112Z"],
      ["#2a160a", "M182 60L194 50L176 110L160 112ZM66 112Q44 130 48 178L58 176Q56 140 72 128Z"], ["#43240f", "M100 160L108 222H96L88 158ZM140 162L138 222H126L126 164Z"]],
  };

  function scene(name) {
    const [[top, bottom, ground, place], ...layers] = SCENES[name];
    const canvas = Pictures.blank(SIDE), mask = Pictures.blank(SIDE), pen = canvas.getContext("2d");
    const behind = pen.createLinearGradient(0, 0, 0, SIDE);
    behind.addColorStop(0, top);
    behind.addColorStop(1, bottom);
    pen.fillStyle = behind;
    pen.fillRect(0, 0, SIDE, SIDE);
    for (const [fill, path] of ground ? [[ground, place], ...layers] : layers) {
      pen.fillStyle = fill;
      pen.fill(new Path2D(path));
    }
    for (const [, path] of layers) mask.getContext("2d").fill(new Path2D(path));
    return {canvas, mask, object: `the ${name}`, ofWhat: "picture", source: {example: name}};
  }

  // === photographs of the course, not drawn; they are loaded when they are wanted ===
  const CREDIT = 'Photographs: <a href="https://www.robots.ox.ac.uk/~vgg/data/pets/">Oxford-IIIT Pet</a> (Parkhi et al., 2012), adapted, ' +
    '<a href="https://creativecommons.org/licenses/by-sa/4.0/">CC BY-SA 4.0</a>. The copyright remains with the original owners of the images.';

  async function photograph(name) {
    const {photo, trimap} = (await Engine.file("photographs")).find((one) => one.name === name);
    const [picture, parts] = await Promise.all([photo, trimap].map((content) =>
      Pictures.read(new Blob([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))]))));
    const mask = parts.canvas, pen = mask.getContext("2d"), image = pen.getImageData(0, 0, mask.width, mask.height);
    for (let place = 0; place < image.data.length; place += 4) { // 1 animal, 2 background, 3 a rim, which counts as animal
      image.data[place + 3] = image.data[place] === 2 ? 0 : 255;
    }
    pen.putImageData(image, 0, 0);
    return {canvas: picture.canvas, mask, object: "the animal", ofWhat: "picture", source: {example: name}};
  }

  // Of each kind: its names; draw(name, seed), which may also be a promise; whether another seed draws others; whose they are.
  const kinds = {
    shapes: {names: Object.keys(OUTLINES), draw: shape, others: true},
    scenes: {names: Object.keys(SCENES), draw: scene, others: false},
    photographs: {get names() { return Networks.entry("pets")?.photographs ?? []; }, draw: photograph, others: false, credit: CREDIT},
  };

  return {sheet, kinds};
})();
