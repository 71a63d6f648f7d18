/* "Try it yourself": a picture goes in, classes and maps come out, and the reader sees both at once. Here the parts meet; the
 * markup is site_templates/try_it.html. A box with data-size="small" has no parts of class "whole". */
"use strict";

(() => {
  const HOW_TO_POINT = "Point at a patch of a map to see its weight; press it to hide it.";
  const HIDDEN = "This browser hides from pages what is drawn on them (a privacy setting): the network would see noise. " +
    "Allow this page to read its canvas, or open it in another browser.";
  const NO_PICTURE = "That was not a picture file. A link is not fetched: this page asks no other site. Save the picture, and drop the file.";

  function start(root, number) {
    const small = root.dataset.size === "small";
    if (small) root.querySelectorAll(".whole").forEach((part) => part.remove());
    const find = (selector) => root.querySelector(selector), all = (selector) => [...root.querySelectorAll(selector)];
    const write = (selector, text) => all(selector).forEach((part) => { part.textContent = text; });
    const say = (text) => write(".unseen", text), aside = (text) => write(".readout", text);
    const state = {
      network: "shapes", epoch: undefined, // the last
      seed: 40, sheet: 11 + number, note: "", busy: false, again: false, looked: false, chosen: null,
    };
    const network = () => Networks.table[state.network];
    const on = {
      choose(cell, map, view) { choose(cell, map); state.view = view; aside(Words.patch(map, cell, view.mapName)); },
      press(cell, map) { choose(cell, map); hide(); },
    };
    const views = ["attention", "rival"].map((name) => answerView(root, name, on, say)).filter(Boolean);
    const training = trainingSlider(find(".slider"), (epoch) => { state.epoch = epoch; caption(); look(true); });
    const pad = drawingPad(find(".pad"), find(".cursor"), {
      first: {under: Rest.star ? Rest.under() : Examples.sheet(state.sheet), steps: []},
      tools: () => ({colour: find("input[type=color]").value, width: Number(find(".pen").value), fill: find("input[type=checkbox]").checked}),
      blank: () => ({under: Examples.sheet(++state.sheet), steps: []}),
      changed: look, say,
    });

    // === hiding patches ===
    function choose(cell, {width, height}) {
      state.chosen = [cell % width, Math.floor(cell / width), width, height];
      hideButton();
    }

    const isHidden = () => Sheets.hidden(pad.sheet()).some(({hide}) => String(hide) === String(state.chosen));

    function hideButton() {
      const button = find("[data-do=hide]");
      button.disabled = !state.chosen;
      button.textContent = isHidden() ? "Bring it back" : "Hide this patch";
    }

    /* times: once to hide a patch or bring it back, twice to hide it in another colour. */
    function hide(times = 1) {
      let sheet = pad.sheet();
      for (let time = 0; time < times; time++) sheet = Sheets.toggle(sheet, state.chosen, find(".fill").value === "own");
      state.keep = true; // the patch stays chosen
      pad.show(sheet);
      hideButton();
    }

    /* After another picture or network no patch is marked. */
    function forget() {
      if (!state.chosen) return;
      state.chosen = null;
      hideButton();
      aside(state.note || HOW_TO_POINT);
    }

    // === looking ===
    function wait(text) {
      views.forEach((view) => view.wait(text));
      [".measure", ".remark", ".effect"].forEach((part) => write(part, ""));
    }

    function progress(bytes, total) {
      if (total > 1e6) wait(`Loading the network: ${(bytes / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`);
    }

    async function ask(name, epoch, picture) {
      const {classes} = await Engine.about(name);
      return {names: classes, found: await Engine.explain(name, epoch, picture, progress)};
    }

    function show(view, mapName, {names, found}, object, keep) {
      const {width, height} = found.attention, sheet = pad.sheet();
      const hidden = Sheets.hidden(sheet).filter(({hide: [, , columns, rows]}) => columns === width && rows === height)
        .map(({hide: [column, row]}) => row * width + column);
      return view.show(found, {names, mapName, marks: {object, hidden}, isCut: Boolean(sheet.under.canvas.dataset.cut), keep});
    }

    /* What the network says when nothing is hidden: asked once for each picture. */
    async function unhidden(sheet, name, epoch) {
      const whole = Sheets.withoutHiding(sheet), key = `${name} ${epoch} ${Sheets.write(whole.steps)}`;
      if (state.whole?.under !== whole.under || state.whole.key !== key) {
        const {names, found} = await ask(name, epoch, Pictures.pixels(Sheets.render(whole).picture));
        const shares = PatchConvNet.softmax(found.logits), share = Math.max(...shares);
        state.whole = {under: whole.under, key, name: names[shares.indexOf(share)], share};
      }
      return state.whole;
    }

    const objectOn = (sheet) => Objects.of(pad.mask(), Sheets.objectName(sheet), sheet.under.ofWhat);

    async function lookOnce() {
      const {network: name, epoch, keep} = state, {mapName, rival} = network(), sheet = pad.sheet();
      const picture = Pictures.pixels(find(".pad")), object = objectOn(sheet);
      state.keep = false;
      views.forEach((view) => view.ask());
      const stays = (view) => keep && view === state.view;
      const answers = [show(views[0], mapName, await ask(name, epoch, picture), object, stays(views[0]))];
      if (!keep) forget();
      if (rival && views[1]) answers.push(show(views[1], rival.mapName, await ask(rival.name, undefined, picture), object, stays(views[1])));
      const count = Sheets.hidden(sheet).length, whole = count && await unhidden(sheet, name, epoch);
      if (state.again || !state.done) return;
      measure(object, answers);
      write(".remark", answers[0].remark);
      write(".effect", count ? Words.effect(count, answers[0], whole) : "");
      say(`${state.note} ${answers.map(({sentence}) => sentence).join(`. With ${rival?.label.toLowerCase()}: `)}`.trim());
      if (!state.looked && !state.note) aside(HOW_TO_POINT);
      state.looked = true;
      remember();
    }

    function measure(object, answers) {
      const fixed = Networks.entry(state.network)?.best_fixed_cell;
      write(".measure", object ? Words.measure(object, answers.map(({located}) => located), fixed) : "");
    }

    /* Look again; changes that come meanwhile lead to one more look. done: false while a line is still being drawn. */
    async function look(done) {
      state.endRest?.();
      Object.assign(state, {done, again: true});
      if (state.busy) return;
      state.busy = true;
      views.forEach((view) => view.ask());
      const waiting = setTimeout(wait, 400, "Loading the network\u2026");
      try {
        if (!Pictures.areReadable()) throw Error(HIDDEN);
        while (state.again) {
          state.again = false;
          await lookOnce();
        }
        if (state.problem === "network") problem("");
      } catch (error) {
        problem(error.message, "network");
        wait("Nothing was computed.");
      }
      clearTimeout(waiting);
      state.busy = false;
    }

    function problem(text, kind = "") {
      state.problem = kind;
      write(".problem", text);
      if (text) find(".problem").scrollIntoView({block: "nearest"}); // on a phone it may be out of sight
    }

    // === other pictures ===
    function take(under, note = "") {
      Object.assign(state, {note, chosen: null});
      problem("");
      if (note || state.looked) aside(note || HOW_TO_POINT); // what was said of the picture before is gone
      pad.show({under, steps: []});
      hideButton();
    }

    async function open(file) {
      if (!file) return problem(NO_PICTURE);
      try {
        const {canvas, note} = await Pictures.read(file);
        take({canvas, mask: null, object: "", ofWhat: "picture", source: {}, photograph: true}, note);
      } catch (error) {
        problem(error.message);
      }
    }

    function examples() {
      const {names, draw, others, credit = ""} = Examples.kinds[network().examples];
      const buttons = names.map((name, index) => {
        const button = Object.assign(document.createElement("button"), {type: "button"}), drawn = Promise.resolve(draw(name, state.seed + index));
        button.setAttribute("aria-label", `Example: ${name}`);
        drawn.then(({canvas}) => button.append(Sheets.copy(canvas)), ({message}) => problem(message));
        button.addEventListener("click", () => drawn.then((under) => take(under), ({message}) => problem(message)));
        return button;
      });
      const more = Object.assign(document.createElement("button"), {type: "button", textContent: "Others"});
      more.addEventListener("click", () => { state.seed += 100; examples(); find(".examples > :last-child").focus(); });
      find(".examples").replaceChildren(...buttons, ...(others ? [more] : []));
      if (!small) find(".credit").innerHTML = credit;
    }

    // === network and epoch ===
    async function switchTo(name) {
      Object.assign(state, {network: name, epoch: undefined});
      settle();
      const {names, draw} = Examples.kinds[network().examples], {example} = pad.sheet().under.source;
      if (example === undefined || names.includes(example)) look(true);
      else take(await draw(names[0], state.seed)); // another kind of pictures
    }

    /* What follows from the network and the epoch that are set. */
    function settle() {
      if (!small) find(".network").value = state.network;
      for (const part of all(".rival")) part.hidden = !network().rival;
      training.set(state.network, state.epoch);
      caption();
      examples();
    }

    function caption() {
      views[0].caption(state.epoch === undefined ? "Where it looks" : "Where it looked");
      if (network().rival) views[1]?.caption(network().rival.label);
    }

    // === the address ===
    function remember() {
      if (!small) history.replaceState(null, "", Address.write({...state, sheet: pad.sheet()}));
    }

    /* Show what the address says. -> whether it says something */
    async function recall() {
      try {
        const said = Address.read(location.hash);
        if (!said || location.hash === Address.write({...state, sheet: pad.sheet()})) return Boolean(said);
        Object.assign(state, {network: said.network, epoch: said.epoch, chosen: null, sheet: said.sheet ?? state.sheet, seed: said.firstSeed ?? state.seed});
        settle();
        pad.show({under: await said.under(), steps: said.steps});
        return true;
      } catch (error) {
        problem(error.message);
        return false;
      }
    }

    const heading = () => `${network().label}${find(".slider").hidden ? "" : `, ${find(".slider output").textContent}`}.`;

    /* What a saved picture says; of a photograph of the course, whose it is, too. */
    const below = () => [".measure", ".remark", ".effect", ...(pad.sheet().under.source.example ? [".credit"] : [])];

    // === beginning ===
    function wholeVersion() {
      const menu = find(".network");
      menu.replaceChildren(...Object.keys(Networks.table).map((name) => new Option(Networks.title(name), name)));
      menu.addEventListener("change", () => switchTo(menu.value));
      find("input[type=file]").addEventListener("change", ({target}) => { if (target.files.length) open(target.files[0]); target.value = ""; });
      root.addEventListener("dragover", (event) => event.preventDefault());
      root.addEventListener("drop", (event) => { event.preventDefault(); open(event.dataTransfer.files[0]); });
      document.addEventListener("paste", ({clipboardData}) => { if (clipboardData?.files.length) open(clipboardData.files[0]); });
      find("[data-do=save]").addEventListener("click", () =>
        Save.picture(find(".pad"), views.filter(({figure}) => !figure.hidden), [heading(), ...below().map((part) => find(part).textContent)]));
      addEventListener("hashchange", recall);
    }

    /* Before the first touch: the record's own answers. */
    function atRest() {
      const {mapName, rival} = network(), object = objectOn(pad.sheet());
      const shown = [[state.network, mapName], [rival.name, rival.mapName]].slice(0, views.length), last = Networks.lastEpoch(state.network);
      state.endRest = Rest.play(root, last, (epoch, playing) => {
        training.show(epoch);
        views[0].caption(epoch < last ? "Where it looked" : "Where it looks");
        find(".measure").setAttribute("aria-live", playing ? "off" : "polite");
        measure(object, shown.map(([name, itsMap], index) =>
          show(views[index], itsMap, {names: Networks.entry(name).classes, found: Rest.found(name, index ? last : epoch)}, object)));
      });
    }

    find("[data-do=undo]").addEventListener("click", () => { pad.undo(); hideButton(); });
    find("[data-do=clear]").addEventListener("click", () => take(Examples.sheet(++state.sheet)));
    find("[data-do=hide]").addEventListener("click", () => hide());
    find(".fill").addEventListener("change", () => { if (isHidden()) hide(2); });
    if (!small) wholeVersion();
    settle();
    recall().then((said) => {
      if (!said && Rest.star && Networks.entry(state.network)) atRest();
      root.dataset.ready = "yes";
    });
  }

  document.querySelectorAll(".try-it").forEach(start);
})();
