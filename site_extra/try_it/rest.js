/* What the page shows before it is touched: a test picture, its map and answer after each epoch, all from the course's record
 * (tools/export_web.py writes them into star.js). No network has run for it. */
"use strict";

const Rest = (() => {
  const STEP = 400; // milliseconds an epoch: twelve take less than five seconds
  const star = self.patchConvNetFiles?.star;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const halves = (text) => Engine.halves(bytes(text));

  function painted(size, pixel) {
    const canvas = Pictures.blank(size), pen = canvas.getContext("2d"), image = pen.createImageData(size, size);
    for (let index = 0; index < size * size; index++) image.data.set(pixel(index), 4 * index);
    pen.putImageData(image, 0, 0);
    return canvas;
  }

  /* The picture, as it lies under a sheet. */
  function under() {
    const [pixels, mask] = [bytes(star.pixels), bytes(star.mask)];
    return {
      canvas: painted(star.size, (index) => [...pixels.subarray(3 * index, 3 * index + 3), 255]),
      mask: painted(star.size, (index) => [0, 0, 0, 255 * mask[index]]),
      object: `the ${star.label}`, ofWhat: "picture", source: {example: star.label}, shown: true,
    };
  }

  /* What the record's network said of it after an epoch, as PatchConvNet.explain says it; null where nothing is kept. */
  function found(name, epoch) {
    const said = star?.said[name];
    if (!said) return null;
    const [height, width] = star.grid, [logits, maps] = [halves(said.logits), halves(said.maps)];
    const classes = logits.length * height * width / maps.length;
    const data = maps.slice(epoch * height * width, (epoch + 1) * height * width);
    const seen = {height: star.size, width: star.size, channels: 3, data: bytes(star.pixels)};
    return {logits: logits.slice(epoch * classes, (epoch + 1) * classes), attention: {height, width, data}, maps: [data], seen};
  }

  /* Show the last epoch; and, once `box` is in sight, play all of them, until the box is touched.
   * show(epoch, whether more will follow by itself). -> a function that ends it */
  function play(box, last, show) {
    let timer = null;
    show(last, false);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return () => {};
    const touches = ["pointerdown", "keydown", "focusin", "wheel", "drop"];
    const seen = new IntersectionObserver(([{isIntersecting}]) => {
      if (!isIntersecting) return;
      seen.disconnect();
      next(0);
    }, {threshold: 0.5});

    function next(epoch) {
      show(epoch, true);
      if (epoch < last) timer = setTimeout(next, STEP, epoch + 1);
      else end();
    }
    function stop() {
      seen.disconnect();
      clearTimeout(timer);
      for (const touch of touches) box.removeEventListener(touch, end, true);
    }
    function end() {
      stop();
      show(last, false);
    }
    for (const touch of touches) box.addEventListener(touch, end, {capture: true, passive: true});
    seen.observe(box.querySelector(".sheets"));
    return stop;
  }

  return {star, under, found, play};
})();
