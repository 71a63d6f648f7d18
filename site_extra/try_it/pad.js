/* A canvas to draw on, by mouse, finger, pen or keyboard. An outline is filled when it ends, if the reader wants that. */
"use strict";

/* canvas: where; tools: () => {colour, width in 32nds of the side, fill}; changed(done): called after each change;
 * say(text): tells a screen reader. -> {show(picture), undo} */
function drawingPad(canvas, cursor, tools, changed, say) {
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const past = [];
  const here = {x: 0.5, y: 0.5}; // of the keyboard's pen, from 0 to 1
  let line = null, before = null;

  function copy() {
    const kept = Pictures.blank(canvas.width);
    kept.getContext("2d").drawImage(canvas, 0, 0);
    kept.dataset.cut = canvas.dataset.cut;
    return kept;
  }

  function put(picture) {
    canvas.width = canvas.height = picture.width;
    canvas.dataset.cut = picture.dataset.cut ?? ""; // goes with the picture, also when it comes back by "Undo"
    pen.drawImage(picture, 0, 0);
  }

  function remember() {
    past.push(copy());
    if (past.length > 20) past.shift();
  }

  function show(picture) {
    remember();
    put(picture);
    changed(true);
  }

  function undo() {
    if (line) return drop();
    if (!past.length) return say("Nothing to undo");
    put(past.pop());
    changed(true);
  }

  // === one line ===
  function begin(point) {
    remember();
    before = past.at(-1);
    line = [point];
    trace();
  }

  function trace() {
    const {colour, width, fill} = tools(), unit = canvas.width;
    pen.drawImage(before, 0, 0);
    Object.assign(pen, {strokeStyle: colour, fillStyle: colour, lineWidth: width * unit / 32, lineCap: "round", lineJoin: "round"});
    pen.beginPath();
    pen.moveTo(line[0].x * unit, line[0].y * unit);
    for (const {x, y} of line) pen.lineTo(x * unit, y * unit);
    pen.stroke();
    if (fill) pen.fill();
    changed(false);
  }

  function extend(point) {
    line.push(point);
    trace();
  }

  function end() {
    line = null;
    changed(true);
  }

  function drop() {
    line = null;
    put(past.pop());
    changed(true);
  }

  // === mouse, finger, pen ===
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height};
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || line) return;
    canvas.setPointerCapture(event.pointerId);
    begin(place(event));
  });
  canvas.addEventListener("pointermove", (event) => { if (line && canvas.hasPointerCapture(event.pointerId)) extend(place(event)); });
  canvas.addEventListener("pointerup", (event) => { if (line && canvas.hasPointerCapture(event.pointerId)) end(); });
  canvas.addEventListener("pointercancel", () => { if (line) drop(); });

  // === keyboard ===
  const MOVES = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

  function position() {
    Object.assign(cursor.style, {left: `${100 * here.x}%`, top: `${100 * here.y}%`});
    return `column ${Math.round(32 * here.x)}, row ${Math.round(32 * here.y)} of 32`;
  }

  function press(event) {
    if (MOVES[event.key]) {
      const step = (event.shiftKey ? 4 : 1) / 32;
      const [x, y] = MOVES[event.key].map((side, axis) => Math.min(1, Math.max(0, [here.x, here.y][axis] + side * step)));
      Object.assign(here, {x, y});
      if (line) extend({...here});
      say(`${position()}${line ? ", drawing" : ""}`);
    } else if (event.key === " " || event.key === "Enter") {
      if (line) end();
      else { say("Pen down"); begin({...here}); }
    } else if (event.key === "Escape" && line) {
      drop();
      say("Line dropped");
    } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) {
      undo();
    } else {
      return;
    }
    cursor.classList.toggle("down", Boolean(line));
    event.preventDefault();
  }
  canvas.addEventListener("keydown", press);
  canvas.addEventListener("focus", () => { cursor.hidden = !canvas.matches(":focus-visible"); position(); });
  canvas.addEventListener("blur", () => { cursor.hidden = true; if (line) end(); });

  return {show, undo, put};
}
