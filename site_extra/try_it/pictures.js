/* From a file that a reader chose to a square of pixels, in the browser. What cannot be a picture gets a sentence. */
"use strict";

const Pictures = (() => {
  const LARGEST_FILE = 50e6, LARGEST_AREA = 40e6, LARGEST_SIDE = 1024; // bytes, pixels, pixels
  const ACCEPTED = "Choose a PNG, JPEG, WebP, GIF, BMP or AVIF picture.";
  const KINDS = [/^.PNG\r\n/s, /^\xff\xd8\xff/, /^RIFF....WEBP/s, /^GIF8/, /^BM/, /^....ftypavi[fs]/s]; // how files begin, byte by byte as a letter
  const MOVING = [/^.PNG\r\n(?:(?!IDAT)[^])*acTL/, /^RIFF[^]{8,100000}?ANIM/, /^GIF8[^]*?(?:\x21\xf9\x04[^]{4}\0[^]*?){2}/]; // marks of a second frame

  const letters = (bytes) => new TextDecoder("latin1").decode(bytes);

  /* file: a File or Blob. -> {canvas: a square of at most 1,024 pixels, its dataset.cut set if the picture was none;
   * note: what the reader should know, or ""}. Throws an Error with a sentence for the reader. */
  async function read(file) {
    const name = file.name ? `"${file.name}"` : "This picture";
    if (!file.size) throw Error(`${name} is empty (0 bytes). ${ACCEPTED}`);
    if (file.size > LARGEST_FILE) throw Error(`${name} has ${Math.round(file.size / 1e6)} MB; at most 50 are read. Shrink it first.`);
    const text = letters(await file.arrayBuffer());
    if (/^\s*(<|\ufeff<|\xef\xbb\xbf<)/.test(text)) throw Error(`${name} is an SVG drawing or a web page, which may hold scripts. ${ACCEPTED}`);
    if (!KINDS.some((kind) => kind.test(text))) throw Error(`${name} is not a picture that browsers read. ${ACCEPTED}`);
    const note = MOVING.some((mark) => mark.test(text)) ? `${name} moves: only its first picture is used.` : "";
    try {
      const area = await areaOf(file);
      if (area > LARGEST_AREA) throw Error(`${name} has ${Math.round(area / 1e6)} million pixels; at most 40 are read. Shrink it first.`);
      // As the package reads it: upright (EXIF), and without a colour profile, which the training pictures have not either.
      const image = await createImageBitmap(file, {imageOrientation: "from-image", colorSpaceConversion: "none"});
      return {canvas: square(image), note};
    } catch (error) {
      throw error.constructor === Error ? error : Error(`${name} cannot be read. Is it damaged or cut short?`);
    }
  }

  /* How many pixels: an image element knows it before it unpacks them. */
  async function areaOf(file) {
    const url = URL.createObjectURL(file), image = new Image();
    try {
      await new Promise((resolve, reject) => { Object.assign(image, {onload: resolve, onerror: reject, src: url}); });
      return image.naturalWidth * image.naturalHeight;
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  /* The greatest square in the middle, on white where the picture is transparent. */
  function square(image) {
    const {width, height} = image, side = Math.min(width, height);
    const canvas = blank(Math.min(side, LARGEST_SIDE)), pen = canvas.getContext("2d");
    const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
    Object.assign(pen, {fillStyle: "white", imageSmoothingQuality: "high"}).fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, left, top, side, side, 0, 0, canvas.width, canvas.height);
    if (width !== height) canvas.dataset.cut = "yes";
    return canvas;
  }

  function blank(side) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.getContext("2d", {willReadFrequently: true}); // its pixels are read after every stroke
    return canvas;
  }

  /* A canvas as the network takes it: {height, width, channels: 4, data: 0..255}. */
  function pixels(canvas) {
    const {width, height, data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return {height, width, channels: 4, data};
  }

  return {read, blank, pixels};
})();
