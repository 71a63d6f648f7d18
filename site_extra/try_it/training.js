/* The slider that goes back through the training. */
"use strict";

/* part: holds the slider and its words; changed(epoch): it was moved, undefined for the last epoch.
 * -> {set(network, epoch), show(epoch): without a change} */
function trainingSlider(part, changed) {
  const slider = part.querySelector("input"), words = part.querySelector("output");
  let network = "", before = 0;

  function show(epoch) {
    slider.value = before = epoch;
    words.textContent = epoch ? `after epoch ${epoch} of ${slider.max}` : "before training";
    slider.setAttribute("aria-valuetext", words.textContent);
  }

  function set(name, epoch) {
    network = name;
    part.hidden = Networks.epochs(name).length === 1;
    slider.max = Networks.lastEpoch(name);
    show(epoch ?? Networks.lastEpoch(name));
  }

  /* The epoch that the reader will probably ask for next. If it does not come, that is said when it is asked for. */
  function fetchAhead(epoch) {
    if (Networks.epochs(network).includes(epoch)) Engine.prepare(network, epoch).catch(() => {});
  }

  slider.addEventListener("focusin", () => fetchAhead(Number(slider.value) - 1));
  slider.addEventListener("input", () => {
    const epoch = Number(slider.value), step = Math.sign(epoch - before);
    show(epoch);
    changed(epoch === Networks.lastEpoch(network) ? undefined : epoch);
    fetchAhead(epoch + step);
  });

  return {set, show};
}
