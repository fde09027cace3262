// Canvases at the model's own resolution, for maps of classes and for drawings. The picture is an array of numbers, a
// row of pixels after the other; as base64url of a PNG it is the text of a hidden control, and so it stands in the
// address and in the routes' queries, and nowhere else.

const arts = {
  // A map of class ids. 255 asks for nothing and is shown as paper.
  paint: {
    blank: 0,
    smooth: false,

    tint(pixels, { colours }) {
      const known = colours.map(rgb);
      const made = new Uint8ClampedArray(4 * pixels.length);
      pixels.forEach((id, index) => known[id] && made.set([...known[id], 255], 4 * index));
      return made;
    },

    // Grey values that are ids stay; any other picture goes to the nearest of the classes' colours. Where a third of it is
    // far from all of them it is no map, but a photograph, say: null. (Of maps saved as JPEG, at any quality, less is far.)
    load(data, { colours }) {
      const known = colours.map(rgb);
      const places = Array.from({ length: data.length / 4 }, (_, index) => data.subarray(4 * index, 4 * index + 4));
      const ids = places.every(([r, g, b]) => r === g && g === b && (r < known.length || r === 255));
      let far = 0;
      const nearest = (place) => {
        const distances = known.map((colour) => Math.hypot(...colour.map((value, channel) => value - place[channel])));
        const least = Math.min(...distances);
        if (least > 32) far++;
        return distances.indexOf(least);
      };
      const found = Uint8ClampedArray.from(places, (place) => (place[3] < 128 ? 255 : ids ? place[0] : nearest(place)));
      return far > found.length / 3 ? null : found;
    },
  },

  // A drawing, dark on white, or a picture in colour.
  sketch: {
    blank: 255,
    smooth: true,

    tint(pixels, { channels }) {
      const made = new Uint8ClampedArray((4 * pixels.length) / channels).fill(255);
      for (let index = 0; index < made.length; index++) {
        if (index % 4 < 3) made[index] = pixels[(index >> 2) * channels + (channels === 3 ? index % 4 : 0)];
      }
      return made;
    },

    load(data, { channels }) {
      const made = new Uint8ClampedArray((data.length / 4) * channels);
      for (let index = 0; index < data.length / 4; index++) {
        const [r, g, b, a] = data.subarray(4 * index, 4 * index + 4);
        const seen = channels === 3 ? [r, g, b] : [0.299 * r + 0.587 * g + 0.114 * b];
        seen.forEach((value, channel) => (made[index * channels + channel] = 255 + ((value - 255) * a) / 255));
      }
      return made;
    },
  },
};

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

class Drawing {
  static longest = 6000; // characters that the server takes (cgan/conditions/pictures.py)
  static steps = 60; // that can be undone

  constructor(root) {
    const field = this.find(root);
    Object.assign(this, { root, field, art: arts[field.type], size: field.size, channels: field.channels ?? 1 });
    Object.assign(this, { past: [], future: [], turn: 0 });
    this.held = $("input[type=hidden]", root);
    this.canvas = $("canvas", root);
    this.pixels = new Uint8ClampedArray(this.size ** 2 * this.channels).fill(this.art.blank);
    this.cover = new Float32Array(this.size ** 2);
    this.at = { x: this.size / 2, y: this.size / 2 };
    this.held.follow = () => this.follow();
    this.examples();
    if ($(".kit", root)) this.listen();
    $("[data-take]", root)?.addEventListener("click", () => this.take(read("generate").get(field.name)));
    this.draw();
  }

  // What is drawn here.
  find(root) {
    return model().fields.find((each) => each.name === root.dataset.field);
  }

  // ---- what the person does

  listen() {
    const { canvas, root } = this;
    // A palm, or a second finger, does nothing.
    const on = (kind, act) => canvas.addEventListener(kind, (event) => event.isPrimary && act(event));
    on("pointerdown", (event) => event.button === 0 && this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const kind of ["pointerup", "pointercancel"]) on(kind, () => (this.last = null));
    on("pointerleave", () => this.point(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["undo", "redo", "clear"]) $(`[data-${name}]`, root).addEventListener("click", () => this[name]());
    $("input[type=file]", root).addEventListener("change", ({ target }) => {
      if (target.files[0]) this.open(target.files[0]);
      target.value = "";
    });
  }

  place({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((clientX - box.left) / box.width) * this.size, y: ((clientY - box.top) / box.height) * this.size };
  }

  down(event) {
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.place(event);
    this.start(this.last, this.last);
  }

  move(event) {
    this.point(this.place(event));
    if (!this.last) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) {
      const next = this.place(each);
      this.touch(this.last, next);
      this.last = next;
    }
  }

  key(event) {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], " ": [0, 0] }[event.key];
    const undoing = (event.ctrlKey || event.metaKey) && { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
    if (!step && !undoing) return;
    event.preventDefault();
    if (undoing) return this[undoing]();
    const within = (value) => Math.min(this.size - 0.5, Math.max(0.5, Math.floor(value) + 0.5));
    const from = { x: within(this.at.x), y: within(this.at.y) };
    const to = { x: within(from.x + step[0]), y: within(from.y + step[1]) };
    this.point(to);
    if (event.key !== " " && !event.shiftKey) return;
    if (event.repeat) this.touch(from, to);
    else this.start(from, to);
  }

  // The outline of the brush.
  point(at) {
    const nib = $(".nib", this.root);
    nib.hidden = !at;
    if (!at) return;
    this.at = at;
    const part = (pixels) => `${(100 * pixels) / this.size}%`;
    Object.assign(nib.style, { left: part(at.x), top: part(at.y), width: part(this.wide) });
  }

  get wide() {
    return Number($("input[type=range]", this.root).value);
  }

  get tool() {
    return $(".chips input:checked", this.root).value;
  }

  start(from, to) {
    this.begin();
    this.touch(from, to);
  }

  touch(from, to) {
    this.line(from, to);
    this.made();
  }

  // Every pixel that the brush passes on the straight line, by how much of it is covered.
  line(from, to) {
    const reach = this.wide / 2;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const square = dx * dx + dy * dy;
    const span = (a, b) => [Math.max(0, Math.floor(Math.min(a, b) - reach - 1)), Math.min(this.size - 1, Math.ceil(Math.max(a, b) + reach))];
    const [[left, right], [top, bottom]] = [span(from.x, to.x), span(from.y, to.y)];
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
        const along = square ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
        const covered = Math.min(1, reach + 0.5 - Math.hypot(px - along * dx, py - along * dy));
        const index = y * this.size + x;
        if (covered > this.cover[index]) {
          this.cover[index] = covered;
          this.mix(index, covered);
        }
      }
    }
  }

  // ---- the past

  begin() {
    this.base = this.pixels.slice();
    this.cover.fill(0);
    this.past = [...this.past.slice(1 - Drawing.steps), this.base];
    this.future = [];
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.pixels);
    this.pixels = from.pop().slice();
    this.made();
  }

  clear() {
    this.begin();
    this.pixels.fill(this.art.blank);
    this.made();
  }

  // ---- what is seen

  draw() {
    blit(this.canvas, this.art.tint(this.pixels, this.field), this.size);
    for (const [name, steps] of [["undo", this.past], ["redo", this.future]]) {
      const button = $(`[data-${name}]`, this.root);
      if (button) button.disabled = !steps.length;
    }
  }

  remark(text) {
    const line = $(".remark", this.root);
    if (line) line.textContent = text;
  }

  examples() {
    $(".thumbs", this.root).replaceChildren(...this.field.examples.map((text, index) => {
      const label = say("example", { n: index + 1 });
      const button = Object.assign(document.createElement("button"), { type: "button", title: label });
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => this.take(text));
      button.append(thumbnail(this.field, text));
      return button;
    }));
  }

  // ---- between pixels and text

  // The pixels have changed: they are shown, and become the control's text, the newest first.
  async made() {
    this.draw();
    this.remark("");
    this.stale = true;
    if (this.busy) return;
    this.busy = true;
    while (this.stale) {
      this.stale = false;
      const turn = ++this.turn;
      const text = await this.encode();
      if (turn !== this.turn) continue; // the control has been given another text since
      if (text.length > Drawing.longest) this.remark(say("too_detailed"));
      else {
        this.text = this.held.value = text;
        tell(this.held);
      }
    }
    this.busy = false;
  }

  // A text from elsewhere: an example, or what Generate has.
  take(text) {
    this.held.value = text;
    this.follow();
    tell(this.held);
  }

  // The control has another text: show it.
  async follow() {
    const text = this.held.value;
    if (text === this.text) return;
    if (this.text) this.begin();
    this.text = text;
    this.turn++;
    this.stale = false;
    const image = await decoded(text).catch(() => null);
    if (text !== this.text) return;
    const pixels = image && this.load(image);
    this.remark(pixels ? "" : say("broken_picture"));
    this.pixels = pixels ?? new Uint8ClampedArray(this.pixels.length).fill(this.art.blank);
    this.draw();
  }

  async open(file) {
    const image = await createImageBitmap(file).catch(() => null);
    const pixels = image && this.load(image);
    if (!pixels) return this.remark(say(image ? "no_map" : "no_picture"));
    this.begin();
    this.pixels = pixels;
    this.made();
    this.opened?.(image);
  }

  load(image) {
    return this.art.load(raster(image, this.size, this.art.smooth), this.field);
  }

  async encode() {
    return base64(await png(this.pixels, this.size, this.channels));
  }
}

class Painting extends Drawing {
  get brush() {
    return Number($(".brushes input:checked", this.root).value);
  }

  start(from, to) {
    if (this.tool === "brush") super.start(from, to);
    else if (from.x === to.x && from.y === to.y) this.flood(from);
  }

  touch(from, to) {
    if (this.tool === "brush") super.touch(from, to);
  }

  mix(index, covered) {
    if (covered >= 0.5) this.pixels[index] = this.brush;
  }

  // All neighbours of one class.
  flood({ x, y }) {
    const { pixels, size, brush } = this;
    const start = Math.floor(y) * size + Math.floor(x);
    const found = pixels[start];
    if (found === brush) return;
    this.begin();
    const open = [start];
    while (open.length) {
      const index = open.pop();
      if (pixels[index] !== found) continue;
      pixels[index] = brush;
      const column = index % size;
      if (column > 0) open.push(index - 1);
      if (column < size - 1) open.push(index + 1);
      if (index >= size) open.push(index - size);
      if (index < size * (size - 1)) open.push(index + size);
    }
    this.made();
  }
}

class Sketch extends Drawing {
  constructor(root) {
    super(root);
    $("[data-lines]", root)?.addEventListener("click", () => this.lines());
  }

  get ink() {
    if (this.tool === "eraser") return [255, 255, 255];
    return rgb($("input[type=color]", this.root)?.value ?? "#000000");
  }

  mix(index, covered) {
    const ink = this.ink;
    for (let channel = 0; channel < this.channels; channel++) {
      const at = index * this.channels + channel;
      this.pixels[at] = this.base[at] + (ink[channel] - this.base[at]) * covered;
    }
  }

  // The photograph that can be turned into lines, or none.
  hold(image) {
    this.source = image;
    $("[data-lines]", this.root)?.toggleAttribute("hidden", !image);
  }

  clear() {
    this.hold(null);
    super.clear();
  }

  async follow() {
    if (this.held.value !== this.text) this.hold(null);
    return super.follow();
  }

  // A photograph where drawings are expected becomes lines at once. One step back it is as it was opened.
  async opened(image) {
    this.hold(image);
    const [example] = this.field.examples;
    if (!example || bare(this.pixels)) return;
    if (bare(this.load(await decoded(example)))) this.lines();
  }

  // Edges of the opened picture, dark where its grey changes most (Sobel's gradient, at twice the size).
  lines() {
    const width = 2 * this.size;
    const data = raster(this.source, width, true);
    const grey = Float32Array.from({ length: width ** 2 }, (_, index) => (data[4 * index] + data[4 * index + 1] + data[4 * index + 2]) / 3);
    const edges = new Float32Array(this.size ** 2);
    for (let y = 1; y < width - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const near = (right, down) => grey[(y + down) * width + x + right];
        const across = near(1, -1) + 2 * near(1, 0) + near(1, 1) - near(-1, -1) - 2 * near(-1, 0) - near(-1, 1);
        const down = near(-1, 1) + 2 * near(0, 1) + near(1, 1) - near(-1, -1) - 2 * near(0, -1) - near(1, -1);
        edges[(y >> 1) * this.size + (x >> 1)] += Math.hypot(across, down) / 4;
      }
    }
    const strong = Float32Array.from(edges).sort()[Math.floor(0.93 * edges.length)] || 1;
    this.begin();
    edges.forEach((edge, index) => {
      const light = 255 * Math.min(1, Math.max(0, 1.4 - (1.4 * edge) / strong));
      this.pixels.fill(light, index * this.channels, (index + 1) * this.channels);
    });
    this.made();
  }

  // What is too long as a PNG, such as a photograph in colour, is sent as WebP, with losses if need be, or as JPEG.
  async encode() {
    let text = await super.encode();
    for (const quality of [1, 0.9, 0.7, 0.5, 0.3, 0.1]) { // 1 is without losses, in Chromium
      if (text.length <= Drawing.longest) break;
      const blob = await new Promise((done) => this.canvas.toBlob(done, "image/webp", quality));
      const kind = blob.type === "image/webp" ? blob : await new Promise((done) => this.canvas.toBlob(done, "image/jpeg", quality));
      text = base64(new Uint8Array(await kind.arrayBuffer()));
    }
    return text;
  }
}

// Whether most of it is paper, as of a drawing.
const bare = (pixels) => pixels.filter((value) => value > 239).length > pixels.length / 2;

const isDrawn = ({ type }) => type in arts;

// A small picture of a field's text.
function thumbnail(field, text) {
  const canvas = document.createElement("canvas");
  const { load, tint, smooth } = arts[field.type];
  decoded(text).then((image) => blit(canvas, tint(load(raster(image, field.size, smooth), field), field), field.size))
    .catch(() => canvas.remove());
  return canvas;
}

// The middle square of a picture in so many pixels, [R, G, B, A] each.
function raster(image, size, smooth) {
  const side = Math.min(image.width, image.height);
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { imageSmoothingEnabled: smooth, imageSmoothingQuality: "high" });
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, size, size);
  return context.getImageData(0, 0, size, size).data;
}

function blit(canvas, data, size) {
  canvas.width = canvas.height = size;
  canvas.getContext("2d").putImageData(new ImageData(data, size), 0, 0);
}

async function decoded(text) {
  const image = new Image();
  image.src = `data:image/png;base64,${text.replaceAll("-", "+").replaceAll("_", "/")}`;
  await image.decode();
  return image;
}

function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// A square picture of 8 bits a channel, grey or RGB (W3C PNG, third edition, sections 5 and 11). A canvas would write
// four channels, and some browsers change what is read from one.
async function png(pixels, size, channels) {
  const row = size * channels;
  const lines = new Uint8Array(size * (row + 1)); // each begins with filter type 0
  for (let y = 0; y < size; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const packed = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const number = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const chunk = (kind, body) => {
    const named = Uint8Array.from([...kind].map((letter) => letter.charCodeAt(0)).concat(body));
    return [...number(body.length), ...named, ...number(crc(named))];
  };
  const header = [...number(size), ...number(size), 8, channels === 3 ? 2 : 0, 0, 0, 0];
  return Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, ...chunk("IHDR", header), ...chunk("IDAT", [...data]), ...chunk("IEND", [])]);
}

function crc(bytes) {
  let rest = -1;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
