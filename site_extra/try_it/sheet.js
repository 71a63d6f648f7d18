/* A sheet: what lies under, and the steps that were done on it. Both are plain values that nobody changes, so undo is the sheet
 * before, and an address can hold one.
 *
 *   under   {canvas, mask, object, ofWhat, source}: a picture; where its object is (a canvas, opaque there; null where no one
 *           knows), in words "the star" of "the picture"; and, for an address, what it is: {example, seed}, {sheet} or {}
 *   steps   a stroke {colour, width, fill, points}, in 256ths of the side, and the width in 32nds; or a hidden patch
 *           {hide: [column, row, columns, rows], own}, in its own mean colour or in the picture's
 */
"use strict";

const Sheets = (() => {
  const copy = (canvas) => {
    const other = Pictures.blank(canvas.width);
    other.getContext("2d").drawImage(canvas, 0, 0);
    return other;
  };

  function trace(canvas, {colour, width, fill, points}) {
    const pen = canvas.getContext("2d"), unit = canvas.width / 256;
    Object.assign(pen, {strokeStyle: colour, fillStyle: colour, lineWidth: width * canvas.width / 32, lineCap: "round", lineJoin: "round"});
    pen.beginPath();
    pen.moveTo(points[0][0] * unit, points[0][1] * unit);
    for (const [x, y] of points) pen.lineTo(x * unit, y * unit);
    pen.stroke();
    if (fill) pen.fill();
  }

  function cover(canvas, {hide: [column, row, columns, rows], own}) {
    const pen = canvas.getContext("2d"), [across, down] = [canvas.width / columns, canvas.height / rows];
    const patch = [column * across, row * down, across, down];
    const {data} = own ? pen.getImageData(...patch) : Pictures.pixels(canvas);
    const sums = [0, 0, 0];
    data.forEach((part, index) => { if (index % 4 < 3) sums[index % 4] += part; });
    pen.fillStyle = `rgb(${sums.map((sum) => Math.round(4 * sum / data.length)).join(" ")})`;
    pen.fillRect(...patch);
  }

  /* One more step, on a picture and on its mask. */
  function apply(step, picture, mask) {
    if (step.hide) return cover(picture, step);
    trace(picture, step);
    if (mask) trace(mask, {...step, colour: "black"});
  }

  /* -> {picture, mask}: canvases of its own. */
  function render({under, steps}) {
    const picture = copy(under.canvas), mask = under.mask && copy(under.mask);
    steps.forEach((step) => apply(step, picture, mask));
    return {picture, mask};
  }

  const hidden = ({steps}) => steps.filter(({hide}) => hide);
  const withoutHiding = (sheet) => ({...sheet, steps: sheet.steps.filter(({hide}) => !hide)});

  /* Hide a patch, or bring it back. */
  function toggle(sheet, place, own) {
    const rest = sheet.steps.filter(({hide}) => String(hide) !== String(place));
    return {...sheet, steps: rest.length < sheet.steps.length ? rest : [...rest, {hide: place, own}]};
  }

  /* What the outline stands for, in words. */
  function objectName({under, steps}) {
    const drawn = steps.some(({points}) => points);
    return under.object ? `${under.object}${drawn ? " with your strokes" : ""}` : "your drawing";
  }

  // === as text: "s" colour width fill points, or "h" own-or-mean place; separated by dots ===
  const hex = (number) => number.toString(16).padStart(2, "0");
  const write = (steps) => steps.map((step) => step.hide
    ? `h${step.own ? "o" : "m"}${step.hide.join("-")}`
    : `s${step.colour.slice(1)}${step.width}${Number(step.fill)}${step.points.flat().map(hex).join("")}`).join(".");

  function readStep(text) {
    const stroke = /^s([0-9a-f]{6})([124])([01])((?:[0-9a-f]{4})+)$/.exec(text);
    if (stroke) {
      const points = stroke[4].match(/.{4}/g).map((pair) => [parseInt(pair.slice(0, 2), 16), parseInt(pair.slice(2), 16)]);
      return {colour: `#${stroke[1]}`, width: Number(stroke[2]), fill: stroke[3] === "1", points};
    }
    const patch = /^h([om])(\d+)-(\d+)-(\d+)-(\d+)$/.exec(text);
    const place = patch?.slice(2).map(Number);
    if (!place || place[0] >= place[2] || place[1] >= place[3] || Math.max(...place) > 64) throw Error(text);
    return {hide: place, own: patch[1] === "o"};
  }

  const read = (text) => text ? text.split(".").map(readStep) : [];

  return {apply, copy, render, hidden, withoutHiding, toggle, objectName, write, read};
})();
