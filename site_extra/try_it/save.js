/* "Save this picture": drawing, map and answer in one PNG. */
"use strict";

const Save = (() => {
  const SIDE = 512, EDGE = 24, LINE = 30;

  /* A sentence in lines that fit. */
  function lines(pen, text, width) {
    const found = [""];
    for (const word of text.split(" ")) {
      const longer = `${found.at(-1)} ${word}`.trim();
      if (pen.measureText(longer).width > width) found.push(word);
      else found[found.length - 1] = longer;
    }
    return found;
  }

  /* parts: [{canvas, words}] side by side; below: a sentence under all. -> a canvas */
  function compose(parts, below) {
    const width = parts.length * (SIDE + EDGE) + EDGE, canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    const font = "22px system-ui, sans-serif";
    pen.font = font;
    const columns = parts.map(({words}) => lines(pen, words, SIDE)), last = lines(pen, below, width - 2 * EDGE);
    const rows = Math.max(...columns.map((column) => column.length));
    Object.assign(canvas, {width, height: 2 * EDGE + SIDE + (rows + last.length + 0.5) * LINE});
    Object.assign(pen, {fillStyle: "white", imageSmoothingEnabled: false}).fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(pen, {fillStyle: "black", font, textBaseline: "top"});
    parts.forEach(({canvas: part}, index) => pen.drawImage(part, EDGE + index * (SIDE + EDGE), EDGE, SIDE, SIDE));
    const write = (texts, left, top) => texts.forEach((text, row) => pen.fillText(text, left, top + row * LINE));
    columns.forEach((column, index) => write(column, EDGE + index * (SIDE + EDGE), EDGE + SIDE + LINE / 2));
    write(last, EDGE, EDGE + SIDE + (rows + 1) * LINE);
    return canvas;
  }

  /* drawing: a canvas; views: see answerView; sentences: that stand below. The browser keeps it as a file. */
  function picture(drawing, views, sentences) {
    const maps = views.map(({figure, title, shown}) => ({canvas: figure.querySelector(".map"), words: `${title.textContent}: ${shown}`}));
    compose([{canvas: drawing, words: ""}, ...maps], sentences.join(" ").trim()).toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: "try-it-yourself.png"});
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }

  return {picture};
})();
