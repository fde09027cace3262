// Directions: one picture holds all film strips; over each lies a slider as wide, whose thumb is as wide as a frame.
// What visitors call a direction stands in the address as KIND.NUMBER:NAME,...
tabs.directions = {
  route: "direction.png",
  longest: 24, // letters of a name

  named: {}, // by model

  start(form) {
    this.ways = $(".ways", form);
    this.atlas = new Live($(".atlas", form), { aside: true });
    form.addEventListener("input", ({ target }) => {
      if (target.name === "kind") form.elements.moves.value = "";
      if (target.matches(".atlas input")) this.gather(form);
      if (target.matches(".names input")) this.call(form);
      if (target.matches(".readers input")) this.pick(form, target);
    });
    $(".atlas", form).addEventListener("pointerdown", ({ clientX }) => (this.pressed = clientX));
    $(".atlas", form).addEventListener("click", (event) => this.snap(event, form));
    $("[data-still]", form).addEventListener("click", () => {
      form.elements.moves.value = "";
      changed();
    });
  },

  // Directions, and what they are called, are a model's own.
  model({ name, directions, readers }, form) {
    const ways = $(".ways", form);
    const { reach } = ways.dataset;
    const rows = Math.min(Number(ways.dataset.rows), directions);
    // Of large pictures fewer a direction, the unmoved one in the middle, and then fewer directions.
    this.steps = [Number(ways.dataset.steps), 7, 5].find((steps) => rows * steps <= room()) ?? 3;
    const numbers = [...Array(Math.max(1, Math.min(rows, Math.floor(room() / this.steps)))).keys()];
    form.elements.moves.value = form.elements.layers.value = "";
    form.elements.names.value = this.named[name] ?? "";
    ways.style.setProperty("--rows", numbers.length);
    ways.style.setProperty("--steps", this.steps);
    $(".names", form).replaceChildren(...numbers.map((number) => {
      const own = { type: "text", maxLength: this.longest, placeholder: say("direction", { n: number + 1 }) };
      const box = node("input", { ...own, autocomplete: "off", spellcheck: false });
      box.setAttribute("aria-label", say("directions_name", { n: number + 1 }));
      return box;
    }));
    $$(".atlas input", form).forEach((input) => input.remove());
    $(".atlas", form).append(...numbers.map((number) => {
      const slider = node("input", { type: "range", min: -reach, max: reach, step: 0.05, value: 0 });
      slider.id = `directions-way-${number}`;
      return slider;
    }));
    $(".readers", form).hidden = readers.length === 1;
    $("[data-stem]", form).hidden = readers.length > 1;
    $(".readers .chips", form).replaceChildren(...readers.map((size, reader) => {
      const key = reader === 0 ? "directions_first" : reader === readers.length - 1 ? "directions_last" : "directions_block";
      const chip = node("label", { className: "chip" });
      chip.append(node("input", { type: "checkbox", checked: true }), node("span", { textContent: say(key, { n: reader, size }) }));
      return chip;
    }));
  },

  update(query, form) {
    const kind = form.elements.kind.value;
    for (const note of $$("[data-kind]", form)) note.hidden = note.dataset.kind !== kind;
    const names = this.names(form);
    const moves = form.elements.moves.value.split(",").map(Number);
    $$(".names input", form).forEach((box, number) => {
      const name = names.get(`${kind}.${number + 1}`) ?? "";
      if (box !== document.activeElement) box.value = name;
    });
    $$(".atlas input", form).forEach((slider, number) => {
      const move = moves[number] || 0;
      if (Number(slider.value) !== move) slider.value = move;
      slider.classList.toggle("still", move === 0);
      slider.setAttribute("aria-label", names.get(`${kind}.${number + 1}`) ?? say("direction", { n: number + 1 }));
    });
    const layers = form.elements.layers.value;
    $$(".readers input", form).forEach((box, reader) => {
      box.checked = !layers || layers.split(",").includes(String(reader));
    });
    this.named[page.model] = form.elements.names.value;
    this.strips(query);
  },

  // Strips of many pictures are asked for when the hand rests.
  strips(query) {
    const rows = $$(".atlas input", this.ways).length;
    const url = `${route("directions.png", query)}&rows=${rows}&steps=${this.steps}&reach=${this.ways.dataset.reach}`;
    clearTimeout(this.resting);
    const ask = () => this.atlas.ask(url, say("directions_strips"));
    if (this.atlas.url) this.resting = setTimeout(ask, 150);
    else ask();
  },

  names: (form) => new Map(form.elements.names.value.split(",").filter(Boolean).map((entry) => {
    const cut = entry.indexOf(":");
    return [entry.slice(0, cut), entry.slice(cut + 1)];
  })),

  call(form) {
    const names = this.names(form);
    $$(".names input", form).forEach((box, number) => {
      const [key, name] = [`${form.elements.kind.value}.${number + 1}`, box.value.replace(/[,:]/g, " ").trim()];
      if (name) names.set(key, name);
      else names.delete(key);
    });
    form.elements.names.value = [...names].map(([key, name]) => `${key}:${name}`).join(",");
  },

  gather(form) {
    const moves = $$(".atlas input", form).map((slider) => Number(slider.value));
    const hidden = form.elements.moves.value.split(",").slice(moves.length).map(Number);
    const all = [...moves, ...hidden];
    form.elements.moves.value = all.slice(0, all.findLastIndex((move) => move) + 1).join(",");
  },

  // Pressed and let go without moving: to that frame exactly.
  snap(event, form) {
    if (!event.target.matches("input") || !event.detail || Math.abs(event.clientX - this.pressed) > 4) return;
    const { reach } = this.ways.dataset;
    const box = event.target.getBoundingClientRect();
    const frame = Math.floor(((event.clientX - box.left) / box.width) * this.steps);
    const apart = (2 * reach) / (this.steps - 1);
    event.target.value = -reach + apart * Math.min(this.steps - 1, Math.max(0, frame));
    this.gather(form);
    changed();
  },

  // One layer at least feels the move.
  pick(form, box) {
    const boxes = $$(".readers input", form);
    if (!boxes.some((each) => each.checked)) box.checked = true;
    const felt = boxes.map((each, reader) => each.checked && reader).filter((reader) => reader !== false);
    form.elements.layers.value = felt.length === boxes.length ? "" : felt.join(",");
  },

  leave() {
    clearTimeout(this.resting);
  },
};
