/* "Try it yourself": a picture goes in, classes and attention come out, and the reader sees both at once. */
"use strict";

(() => {
  const LAST_EPOCH = 11; // of the record `shapes`; its manifest is not loaded before the first action
  const SPREAD = 0.75; // as in patchconvnet/inference/predicting.py: a flatter map has no place
  const VIRIDIS = [[68, 1, 84], [72, 24, 106], [71, 45, 123], [66, 64, 134], [59, 82, 139], [51, 99, 141], [44, 114, 142],
    [38, 130, 142], [33, 145, 140], [31, 160, 136], [40, 174, 128], [63, 188, 115], [94, 201, 98], [132, 212, 75],
    [173, 220, 48], [216, 226, 25], [253, 231, 37]]; // matplotlib's, in 16 steps

  const HOW_TO_POINT = "Point at a patch of a map to see its weight, or go there with the arrow keys.";
  const HIDDEN = "This browser hides from pages what is drawn on them (a privacy setting): the network would see noise. " +
    "Allow this page to read its canvas, or open it in another browser.";

  // === words ===
  const percent = (share) => share > 0.995 ? "more than 99%" : `${Math.round(100 * share)}%`;

  /* As `describe` of the package says it: "star, 97%; attention strongest at the upper left". */
  function describe({classes, attention: {data, height, width}}, mapName, cut) {
    const whole = total(data);
    const bits = data.reduce((sum, weight) => sum - (weight > 0 ? weight / whole * Math.log2(weight / whole) : 0), 0); // entropy
    let where = `spread over the ${cut ? "central square" : "picture"}`;
    if (2 ** bits <= SPREAD * data.length) {
      const cell = data.indexOf(Math.max(...data)), third = (index, count) => Math.floor(3 * (index + 0.5) / count);
      const names = [["upper left", "top", "upper right"], ["left", "middle", "right"], ["lower left", "bottom", "lower right"]];
      const place = names[third(Math.floor(cell / width), height)][third(cell % width, width)];
      where = `strongest ${place === "middle" ? "in" : "at"} the ${place}${cut ? " of the central square" : ""}`;
    }
    return `${classes[0].name}, ${percent(classes[0].share)}; ${mapName} ${where}`;
  }

  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

  // === a map over what the network saw ===
  function paint(canvas, {seen, attention: {data, height, width}}, chosen) {
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
    const frame = (cell, dashes) => {
      for (const [colour, lineWidth] of [["black", 7], ["white", 3]]) { // seen on any colour
        large.setLineDash(colour === "white" ? dashes : []);
        Object.assign(large, {strokeStyle: colour, lineWidth}).strokeRect((cell % width) * across, Math.floor(cell / width) * down, across, down);
      }
    };
    frame(strongest, []);
    if (chosen !== null && chosen !== strongest) frame(chosen, [6, 6]);
  }

  /* A map's canvas, on which a mouse or the arrow keys choose a patch. say(text) tells its weight. */
  function mapView(canvas, mapName, say) {
    let answer = null, chosen = null;
    function choose(cell) {
      if (!answer || cell === chosen) return;
      chosen = cell;
      paint(canvas, answer, chosen);
      const {data, width} = answer.attention, share = data[cell];
      const number = share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(1)}%`;
      say(`Patch in row ${Math.floor(cell / width) + 1}, column ${cell % width + 1}: ${number} of the ${mapName}. ` +
        `An equal share would be ${(100 / data.length).toFixed(1)}%.`);
    }
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect(), {width = 1, height = 1} = answer?.attention ?? {};
      const row = Math.floor((event.clientY - box.top) / box.height * height), column = Math.floor((event.clientX - box.left) / box.width * width);
      if (row >= 0 && row < height && column >= 0 && column < width) choose(row * width + column);
    });
    canvas.addEventListener("keydown", (event) => {
      if (!answer) return;
      const {data, width, height} = answer.attention, strongest = data.indexOf(Math.max(...data)), now = chosen ?? strongest;
      const [row, column] = [Math.floor(now / width), now % width];
      const next = {ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        Home: [Math.floor(strongest / width), strongest % width]}[event.key];
      if (!next) return;
      event.preventDefault();
      choose(Math.min(height - 1, Math.max(0, next[0])) * width + Math.min(width - 1, Math.max(0, next[1])));
    });
    return (found, sentence) => {
      [answer, chosen] = [found, null];
      canvas.setAttribute("aria-label", `${sentence}. Arrow keys go from patch to patch; Home goes to the strongest.`);
      paint(canvas, answer, null);
    };
  }

  function list(element, classes) {
    element?.replaceChildren(...classes.slice(0, 5).map(({name, share}) => {
      const item = document.createElement("li");
      item.style.setProperty("--share", share);
      item.append(name, Object.assign(document.createElement("span"), {textContent: percent(share).replace("more than ", ">\u202f")}));
      return item;
    }));
  }

  // === one box ===
  function start(root, number) {
    const small = root.dataset.size === "small";
    root.innerHTML = stage(small, `try-it-network-${number}`);
    const find = (selector) => root.querySelector(selector);
    const state = {network: "shapes", epoch: undefined, sheet: 11 + number, seed: 40, note: "", busy: false, again: false};
    const write = (selector, text) => { if (find(selector)) find(selector).textContent = text; };
    const say = (text) => write(".unseen", text);
    const aside = (text) => write(".readout", text);
    const views = [...root.querySelectorAll("figure:has(.map)")].map((figure, index) => ({
      figure, name: ["attention", "class activation"][index], show: mapView(figure.querySelector(".map"), ["attention", "class activation"][index], aside),
    }));
    const pad = drawingPad(find(".pad"), find(".cursor"), () => ({
      colour: find("input[type=color]").value, width: Number(find("select").value), fill: find("input[type=checkbox]").checked,
    }), (done) => look(done), say);

    async function ask(view, name, epoch) {
      const {classes: names} = await Engine.about(name);
      const found = await Engine.explain(name, epoch, Pictures.pixels(find(".pad")));
      const shares = PatchConvNet.softmax(found.logits);
      found.classes = names.map((label, index) => ({name: label, share: shares[index]})).sort((one, other) => other.share - one.share);
      const sentence = describe(found, view.name, Boolean(find(".pad").dataset.cut));
      view.show(found, sentence);
      view.figure.querySelector(".answer").textContent = sentence;
      list(view.figure.querySelector(".classes"), found.classes);
      return sentence;
    }

    /* Look again; changes that come meanwhile lead to one more look. done: false while a line is still being drawn. */
    async function look(done) {
      state.done = done;
      state.again = true;
      if (state.busy) return;
      state.busy = true;
      const waiting = setTimeout(write, 400, ".answer", "Loading the network\u2026");
      try {
        if (!Pictures.areReadable()) throw Error(HIDDEN);
        while (state.again) {
          state.again = false;
          const {network, epoch} = state, sentence = await ask(views[0], network, epoch);
          clearTimeout(waiting);
          const rival = network === "shapes" && views[1] ? await ask(views[1], "shapes_average") : "";
          if (!state.again && state.done) say(`${state.note} ${sentence}${rival && `. With average pooling: ${rival}`}`.trim());
          if (!state.looked && !state.note) aside(HOW_TO_POINT);
          state.looked = true;
        }
        if (state.problem === "network") problem("");
      } catch (error) {
        problem(error.message, "network");
        write(".answer", "Nothing was computed.");
      }
      clearTimeout(waiting);
      state.busy = false;
    }

    function problem(text, kind = "") {
      state.problem = kind;
      write(".problem", text);
      if (text) find(".problem").scrollIntoView({block: "nearest"}); // on a phone it may be out of sight
    }

    function take(canvas, note = "") {
      state.note = note;
      problem("");
      if (note || state.looked) aside(note || HOW_TO_POINT); // what was said of the picture before is gone
      pad.show(canvas);
    }

    async function open(file) {
      if (!file) return problem("That was not a picture file. A link is not fetched: this page asks no other site. Save the picture, and drop the file.");
      try {
        const {canvas, note} = await Pictures.read(file);
        take(canvas, note);
      } catch (error) {
        problem(error.message);
      }
    }

    function examples() {
      const shapes = state.network === "shapes", names = shapes ? Examples.shapes : Examples.scenes;
      const buttons = names.map((name, index) => {
        const canvas = shapes ? Examples.shape(name, state.seed + index) : Examples.scene(name);
        const button = Object.assign(document.createElement("button"), {type: "button"});
        button.setAttribute("aria-label", `Example: ${name}`);
        button.append(canvas);
        button.addEventListener("click", () => take(canvas));
        return button;
      });
      const more = Object.assign(document.createElement("button"), {type: "button", textContent: "Others"});
      more.addEventListener("click", () => { state.seed += 100; examples(); find(".examples > :last-child").focus(); });
      find(".examples").replaceChildren(...buttons, ...(shapes ? [more] : []));
    }

    function switchTo(network) {
      Object.assign(state, {network, epoch: undefined});
      for (const part of [".rival", ".slider"]) find(part).hidden = network !== "shapes";
      find("input[type=range]").value = LAST_EPOCH;
      trained();
      examples();
      if (state.looked || find(".problem").textContent) look(true);
    }

    function trained() {
      const slider = find("input[type=range]"), epoch = Number(slider.value);
      const words = epoch ? `after epoch ${epoch} of ${slider.max}` : "before training";
      write(".slider output", words);
      slider.setAttribute("aria-valuetext", words);
      write(".attention figcaption", epoch === Number(slider.max) || state.network !== "shapes" ? "Where it looks" : "Where it looked");
    }

    find("[data-do=undo]").addEventListener("click", pad.undo);
    find("[data-do=clear]").addEventListener("click", () => take(Examples.background(++state.sheet)));
    if (!small) {
      const slider = find("input[type=range]");
      Object.assign(slider, {max: LAST_EPOCH, value: LAST_EPOCH});
      slider.addEventListener("input", () => { state.epoch = Number(slider.value); trained(); look(true); });
      find("input[type=file]").addEventListener("change", ({target}) => { if (target.files.length) open(target.files[0]); target.value = ""; });
      root.querySelectorAll(".networks input").forEach((radio) => radio.addEventListener("change", () => switchTo(radio.value)));
      root.addEventListener("dragover", (event) => event.preventDefault());
      root.addEventListener("drop", (event) => { event.preventDefault(); open(event.dataTransfer.files[0]); });
      document.addEventListener("paste", ({clipboardData}) => { if (clipboardData?.files.length) open(clipboardData.files[0]); });
      // after Back, a browser may put back what was chosen
      addEventListener("pageshow", () => {
        const {value} = find(".networks input:checked");
        if (value !== state.network) switchTo(value);
        if (Number(slider.value) !== (state.epoch ?? LAST_EPOCH)) { state.epoch = Number(slider.value); trained(); }
      });
      trained();
    }
    pad.put(Examples.background(state.sheet));
    examples();
    root.dataset.ready = "yes";
  }

  document.querySelectorAll(".try-it").forEach(start);
})();
