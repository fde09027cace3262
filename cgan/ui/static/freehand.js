// A pad for pictures of the model's own kind, from its first pixel: white on black where they are grey, in colours on
// white where they have some. The control that holds the text is empty as long as nothing has been drawn.

arts.dark = { ...arts.sketch, blank: 0 };

class Freehand extends Sketch {
  // Brings the drawing in `place` to life for the chosen model, anew for every model. Its control is one of `form`.
  static in(place, form) {
    const old = $("[data-widget]", place);
    const root = old.cloneNode(true);
    const held = $("input[type=hidden]", root);
    held.value = $("input[type=hidden]", old).value;
    held.setAttribute("form", form.id);
    delete held.dataset.keep; // where nothing is drawn the address says nothing
    old.replaceWith(root);
    const pad = new Freehand(root);
    const ink = $(".ink", root);
    ink.hidden = pad.channels === 1;
    const wide = $("input[type=range]", root);
    wide.defaultValue = Math.max(1, Math.round(pad.size / 14));
    put(wide, wide.defaultValue);
    pad.follow();
    return pad;
  }

  find() {
    const { size, channels } = model();
    return { name: "drawn", type: channels === 1 ? "dark" : "sketch", size, channels, examples: [] };
  }

  get ink() {
    if (this.tool === "eraser") return Array(3).fill(this.art.blank);
    return this.channels === 1 ? Array(3).fill(255 - this.art.blank) : super.ink;
  }

  // A sample, whose text this is, makes room for the first stroke; Undo brings it back.
  start(from, to) {
    if (this.sample && this.sample === this.text && this.tool !== "eraser") this.clear();
    super.start(from, to);
  }

  // What is opened stays as it is: edges of it are no picture of the model's kind.
  opened() {}

  // Nothing drawn is nothing to be judged, also after the first stroke has been undone.
  async encode() {
    return this.pixels.every((value) => value === this.art.blank) ? "" : super.encode();
  }

  clear() {
    super.clear();
    this.turn++;
    this.stale = false;
    this.text = this.held.value = "";
    tell(this.held);
  }

  // The control has another text: show it, or nothing.
  async follow() {
    if (this.held.value) return super.follow();
    if (this.text) this.begin();
    this.text = "";
    this.turn++;
    this.stale = false;
    this.pixels.fill(this.art.blank);
    this.draw();
    this.remark("");
  }
}
