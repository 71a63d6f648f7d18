/* A canvas to draw on, by mouse, finger, pen or keyboard. An outline is filled when it ends, if the reader wants that. */
"use strict";

/* canvas: where; first: the sheet that lies there; tools: () => {colour, width in 32nds of the side, fill}; blank(): a new
 * sheet, for a first line on a picture that is only shown (under.shown); changed(done): called after each change; say(text)
 * tells a screen reader. -> {show(sheet), undo(), sheet(), mask()} */
function drawingPad(canvas, cursor, {first, tools, blank, changed, say}) {
  const past = [];
  const here = {x: 0.5, y: 0.5}; // of the keyboard's pen, from 0 to 1
  let sheet, mask, line = null, before = null;

  function put(next) {
    sheet = next;
    const {picture, mask: itsMask} = Sheets.render(sheet);
    lay(picture, itsMask);
  }

  function lay(picture, itsMask) {
    mask = itsMask;
    if (canvas.width !== picture.width) canvas.width = canvas.height = picture.width;
    canvas.classList.toggle("coarse", canvas.width < 64); // each pixel is seen
    canvas.getContext("2d", {willReadFrequently: true}).drawImage(picture, 0, 0);
  }

  function show(next) {
    past.push(sheet);
    put(next);
    changed(true);
  }

  function undo() {
    if (line) return drop();
    const previous = past.pop() ?? (sheet.steps.length ? {...sheet, steps: sheet.steps.slice(0, -1)} : null); // it came by its address
    if (!previous) return say("Nothing to undo");
    put(previous);
    changed(true);
  }

  // === one line ===
  const whole = ({x, y}) => [x, y].map((part) => Math.min(255, Math.max(0, Math.round(256 * part)))); // as an address keeps it

  function begin(point) {
    past.push(sheet);
    if (sheet.under.shown) put(blank());
    before = {picture: Sheets.copy(canvas), mask};
    line = {...tools(), points: [whole(point)]};
    trace();
  }

  function trace() {
    const itsMask = before.mask && Sheets.copy(before.mask);
    lay(before.picture, null);
    Sheets.apply(line, canvas, itsMask);
    mask = itsMask;
    changed(false);
  }

  function extend(point) {
    const [x, y] = whole(point), [lastX, lastY] = line.points.at(-1);
    if (x === lastX && y === lastY) return;
    line.points.push([x, y]);
    trace();
  }

  function end() {
    sheet = {...sheet, steps: [...sheet.steps, line]};
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

  put(first);
  return {show, undo, sheet: () => sheet, mask: () => mask};
}
