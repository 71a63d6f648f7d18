/* Shows what the JSON beside it holds; see `_data` in evolution.py for its fields. Changes nothing outside its section. */
(() => {
  "use strict";
  const PACE = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2500 : 900; // milliseconds an epoch

  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const rgb = colour => [1, 3, 5].map(start => parseInt(colour.slice(start, start + 2), 16));

  /* === drawing: one map over one picture, pixel by pixel === */

  function artist(data) {
    const [rows, columns] = data.grid;
    const [height, width] = data.size || data.grid;
    const count = data.answers[0].length, cells = rows * columns, pixels = height * width;
    const maps = bytes(data.maps), colours = data.colours.map(rgb);
    const pictures = data.pictures && bytes(data.pictures), bits = data.masks && bytes(data.masks);
    const greatestPeak = Array.from({ length: count }, (_, picture) => Math.max(...data.peaks.map(row => row[picture])));

    function weights(epoch, picture, common) { // each from 0 to 1, as it is coloured
      const start = (epoch * count + picture) * cells;
      const map = Array.from(maps.subarray(start, start + cells), value => value / 255);
      if (common) return map.map(value => value * data.peaks[epoch][picture] / greatestPeak[picture]);
      const least = Math.min(...map);
      return map.map(value => least < 1 ? (value - least) / (1 - least) : 0);
    }

    const masked = (picture, row, column) => {
      if (row < 0 || column < 0 || row >= height || column >= width) return 0;
      const bit = picture * pixels + row * width + column;
      return (bits[bit >> 3] >> (7 - (bit & 7))) & 1;
    };

    function paint(canvas, colourOf, scale) { // colourOf(pixel) gives red, green, blue
      const image = new ImageData(width, height);
      for (let pixel = 0; pixel < pixels; pixel++) image.data.set([...colourOf(pixel), 255], 4 * pixel);
      const small = Object.assign(document.createElement("canvas"), { width, height });
      small.getContext("2d").putImageData(image, 0, 0);
      canvas.width = width * scale;
      canvas.height = height * scale;
      const pen = canvas.getContext("2d");
      pen.imageSmoothingEnabled = false;
      pen.drawImage(small, 0, 0, canvas.width, canvas.height);
      return pen;
    }

    const pixelOf = (picture, pixel) => pictures.subarray(3 * (picture * pixels + pixel), 3 * (picture * pixels + pixel) + 3);

    function outline(pen, picture, scale) {
      pen.beginPath();
      for (let row = 0; row <= height; row++) {
        for (let column = 0; column <= width; column++) {
          const here = masked(picture, row, column);
          if (here !== masked(picture, row, column - 1)) {
            pen.moveTo(column * scale, row * scale);
            pen.lineTo(column * scale, (row + 1) * scale);
          }
          if (here !== masked(picture, row - 1, column)) {
            pen.moveTo(column * scale, row * scale);
            pen.lineTo((column + 1) * scale, row * scale);
          }
        }
      }
      twice(pen, () => pen.stroke(), scale / 4);
    }

    function twice(pen, draw, line) { // white on black: seen on any colour
      for (const [colour, lineWidth] of [["black", 2.5 * line], ["white", line]]) {
        Object.assign(pen, { strokeStyle: colour, lineWidth });
        draw();
      }
    }

    return {
      picture(canvas, picture, scale) {
        paint(canvas, pixel => pixelOf(picture, pixel), scale);
      },
      map(canvas, epoch, picture, scale, { common, outlined }) {
        const shown = weights(epoch, picture, common);
        const colourOf = pixel => {
          const row = Math.floor(Math.floor(pixel / width) * rows / height);
          const column = Math.floor(pixel % width * columns / width);
          const colour = colours[Math.round(shown[row * columns + column] * (colours.length - 1))];
          if (!pictures) return colour;
          const [red, green, blue] = pixelOf(picture, pixel), grey = (red + green + blue) / 3;
          return colour.map(part => 0.35 * grey + 0.65 * part); // as in the course's figures
        };
        const pen = paint(canvas, colourOf, scale);
        if (outlined && bits) outline(pen, picture, scale);
        const cell = data.greatest[epoch][picture], [down, across] = [canvas.height / rows, canvas.width / columns];
        const corner = [(cell % columns) * across, Math.floor(cell / columns) * down];
        twice(pen, () => pen.strokeRect(...corner, across, down), Math.max(1.5, across / 10));
      },
    };
  }

  /* === words === */

  function speaker(data) {
    const last = data.answers.length - 1;
    const name = number => data.classes[number];
    const score = (epoch, picture) => data.energy
      ? `${data.energy[epoch][picture]}% of the attention on the object, greatest cell ${data.hits[epoch][picture] ? "on" : "off"} it`
      : `attention spread over ${data.entropy[epoch][picture].toFixed(1)} of ${data.uniform.toFixed(1)} bits`;
    const speak = {
      last,
      when: epoch => epoch === 0 ? "before training" : `epoch ${epoch} of ${last}`,
      what: picture => data.labels ? name(data.labels[picture]) : `picture ${picture + 1}`,
      right: (epoch, picture) => data.labels && data.answers[epoch][picture] === data.labels[picture],
      answer: (epoch, picture) => name(data.answers[epoch][picture]),
      said: (epoch, picture) => `predicted ${speak.answer(epoch, picture)}, ${data.percent[epoch][picture]}%; ${score(epoch, picture)}`,
      whole: (epoch, picture) =>
        `${speak.what(picture)}, ${epoch === 0 ? "before training" : `epoch ${epoch}`}: ${speak.said(epoch, picture)}`,
      sign: (epoch, picture) => data.labels ? (speak.right(epoch, picture) ? "\u2713\u00a0" : "\u2717\u00a0") : "",
    };
    return speak;
  }

  /* === one player === */

  function start(root) {
    const data = JSON.parse(root.querySelector("script.data").textContent);
    const stage = document.createElement("div");
    stage.innerHTML = root.querySelector("script.stage").textContent;
    root.querySelector(".without-script").replaceWith(stage);

    const find = selector => stage.querySelector(selector);
    const press = action => find(`[data-do="${action}"]`);
    const draw = artist(data), speak = speaker(data), pictures = data.answers[0].map((_, picture) => picture);
    const slider = find("input[type=range]"), state = { epoch: 0, picture: 0, timer: null };
    const look = () => ({ common: press("common").checked, outlined: press("outline").checked });
    const say = text => { find(".status").textContent = text; };

    const [height, width] = data.size || data.grid;
    const scale = Math.max(1, Math.round(320 / width)), smallScale = Math.max(1, Math.round(160 / width));
    root.style.setProperty("--aspect", `${width} / ${height}`);
    slider.max = speak.last;
    find(".plain").hidden = !data.pictures;
    find(".if-masks").hidden = !data.masks;
    find(".note").textContent = data.note;
    find(".note").hidden = !data.note;

    // Radio buttons of one name are one group: on a page with the same player twice, each needs a name of its own.
    const group = `${root.id}-${[...document.querySelectorAll(".attention-player")].indexOf(root)}`;
    const choices = pictures.map(picture => {
      const label = document.createElement("label"), input = document.createElement("input");
      const canvas = document.createElement("canvas"), caption = document.createElement("span");
      const face = document.createElement("span");
      Object.assign(input, { type: "radio", name: group, value: picture, checked: picture === 0 });
      canvas.setAttribute("aria-hidden", "true");
      caption.className = "caption";
      face.append(canvas, caption);
      label.append(input, face);
      input.addEventListener("change", () => { state.picture = picture; show(); say(speak.whole(state.epoch, picture)); });
      find(".pictures").append(label);
      return { input, canvas, caption };
    });

    const lines = [["first", data.truth || data.percent, data.truth ? "probability of the right class" : "probability of the answer"]];
    if (data.energy) lines.push(["second", data.energy, "share of the attention on the object"]);
    else lines.push(["second", data.entropy.map(row => row.map(bits => 100 * bits / data.uniform)), "entropy, as a share of that of equal weights"]);
    const across = epoch => 200 * epoch / Math.max(1, speak.last);

    function chart() {
      const { epoch, picture } = state;
      for (const [place, values, text] of lines) {
        const points = values.map((row, then) => `${across(then)},${80 - 0.8 * row[picture]}`).join(" ");
        find(`polyline.${place}`).setAttribute("points", points);
        find(`.legend.${place}`).textContent = `${text}: ${Math.round(values[epoch][picture])}%`;
      }
      find(".now").setAttribute("d", `M${across(epoch)} 0V80`);
      const ends = lines.map(([, values, text]) =>
        `${text} from ${Math.round(values[0][picture])}% to ${Math.round(values[speak.last][picture])}%`);
      find("svg").setAttribute("aria-label", `Two lines over ${speak.last} epochs, between 0 and 100%: ${ends.join("; ")}`);
    }

    function numbers() {
      const { epoch, picture } = state, rows = [];
      if (data.labels) rows.push(["True class", speak.what(picture)]);
      rows.push(["Answer", `${speak.sign(epoch, picture)}${speak.answer(epoch, picture)}, ${data.percent[epoch][picture]}%`]);
      if (data.energy) {
        rows.push(["On the object", `${data.energy[epoch][picture]}% of the attention`]);
        rows.push(["Greatest cell", data.hits[epoch][picture] ? "\u2713 on the object" : "\u2717 off the object"]);
      }
      rows.push(["Entropy", `${data.entropy[epoch][picture].toFixed(1)} of ${data.uniform.toFixed(1)} bits`]);
      find(".numbers dl").replaceChildren(...rows.flatMap(row => row.map((text, place) =>
        Object.assign(document.createElement(place ? "dd" : "dt"), { textContent: text }))));
    }

    function counts() {
      const { epoch } = state, sum = row => row.reduce((total, one) => total + one, 0), texts = [];
      if (data.labels) texts.push(`right answers ${sum(pictures.map(picture => Number(speak.right(epoch, picture))))}`);
      if (data.hits) texts.push(`greatest cells on the object ${sum(data.hits[epoch])}`);
      if (texts.length) find(".counts").textContent = `Of these ${pictures.length} pictures: ${texts.join(", ")}.`;
    }

    function show() {
      const { epoch, picture } = state;
      slider.value = epoch;
      slider.setAttribute("aria-valuetext", `${speak.when(epoch)}: ${speak.said(epoch, picture)}`);
      find(".epoch").textContent = speak.when(epoch);
      if (data.pictures) {
        draw.picture(find(".plain"), picture, scale);
        find(".plain").setAttribute("aria-label", `The picture: ${speak.what(picture)}`);
      }
      draw.map(find(".map"), epoch, picture, scale, look());
      find(".map").setAttribute("aria-label", speak.whole(epoch, picture));
      choices.forEach(({ input, canvas, caption }, other) => {
        draw.map(canvas, epoch, other, smallScale, look());
        caption.textContent = speak.sign(epoch, other) + speak.answer(epoch, other);
        input.setAttribute("aria-label", `${caption.textContent} (picture ${other + 1}${data.labels ? `: ${speak.what(other)}` : ""})`);
      });
      numbers();
      chart();
      counts();
    }

    function go(epoch, aloud) {
      state.epoch = Math.min(speak.last, Math.max(0, epoch));
      show();
      if (aloud) say(speak.whole(state.epoch, state.picture));
    }

    function stop() {
      clearInterval(state.timer);
      state.timer = null;
      press("play").textContent = "Play";
    }

    function play() {
      if (state.timer !== null) {
        stop();
        return say(`paused. ${speak.whole(state.epoch, state.picture)}`);
      }
      say(""); // while it plays, nothing is announced
      if (state.epoch === speak.last) go(0);
      press("play").textContent = "Pause";
      state.timer = setInterval(() => {
        if (!root.isConnected) return stop();
        go(state.epoch + 1);
        if (state.epoch === speak.last) {
          stop();
          say(`The end. ${speak.whole(state.epoch, state.picture)}`);
        }
      }, PACE);
    }

    press("play").addEventListener("click", play);
    press("back").addEventListener("click", () => { stop(); go(state.epoch - 1, true); });
    press("on").addEventListener("click", () => { stop(); go(state.epoch + 1, true); });
    slider.addEventListener("input", () => { stop(); go(Number(slider.value)); }); // its value text speaks
    press("common").addEventListener("change", show);
    press("outline").addEventListener("change", show);
    show();
    root.dataset.ready = "yes";
  }

  document.querySelectorAll(".attention-player:not([data-ready])").forEach(start);
})();
