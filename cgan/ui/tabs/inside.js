// Look inside: the stage shows the picture without what is off; the drawing chooses a part of the generator, whose
// channels are shown as tiles that can be switched off. Tiles keep their places whatever the picture is.
tabs.inside = {
  route: "dissected.png",

  start(form) {
    this.sheet = new Live($(".features .film", form), { aside: true });
    this.whole = new Live($("[data-whole]", form), { aside: true });
    this.missing = new Live($("[data-missing]", form), { aside: true });
    const tiles = $(".channels", form);
    tiles.addEventListener("click", ({ target }) => this.press(form, target));
    tiles.addEventListener("keydown", (event) => this.move(event));
    // A mouse that is held down sweeps: every tile it comes over goes as the first did.
    tiles.addEventListener("pointerdown", ({ target, pointerType, button }) => pointerType === "mouse" && !button && this.sweep(form, target));
    tiles.addEventListener("pointerover", ({ target, buttons }) => this.sweeping !== undefined && buttons & 1 && this.turn(form, [target], this.sweeping));
    addEventListener("pointerup", () => {
      delete this.sweeping;
      setTimeout(() => (this.swept = false)); // the click of this pointer comes first
    });
    $("[data-all]", form).addEventListener("click", () => this.set(form, "off", ""));
    $("[data-these]", form).addEventListener("click", () => this.turn(form, [...tiles.children], false));
    $("[data-carry]", form).addEventListener("click", () => this.carry(form));
  },

  model(_, form) {
    this.parts = null;
    for (const name of ["block", "off"]) form.elements[name].value = form.elements[name].dataset.default;
    $(".anatomy", form).replaceChildren();
    $(".channels", form).replaceChildren();
  },

  async update(query, form) {
    const off = query.get("off");
    const bare = new URLSearchParams(query);
    for (const name of ["off", "block"]) bare.delete(name);
    this.whole.ask(route(off ? "frame.png" : this.route, bare), describe(bare)); // while nothing is off, the stage's
    const own = new URLSearchParams(query);
    own.delete("block");
    $(".lacks", form).classList.toggle("idle", !off);
    if (off) this.missing.ask(route("missing.png", own), say("inside_missing_alt"));
    this.parts ??= this.fetchParts();
    const asked = this.parts;
    const parts = await asked;
    if (asked !== this.parts) return; // another model has been chosen since
    if (!parts) {
      this.parts = null;
      $(".features .reading", form).textContent = say("inside_lost");
      return;
    }
    if (!$(".anatomy svg", form)) $(".anatomy", form).append(this.drawing(parts, form));
    this.show(parts, form);
    const level = this.level(parts, form);
    this.sheet.ask(`${route("features.png", own)}&block=${level}`, say("inside_sheet", { part: this.name(parts.stages[level], level) }));
  },

  fetchParts: () => fetch(route("levels.json", new URLSearchParams({ model: page.model })))
    .then((answer) => (answer.ok ? answer.json() : null)).catch(() => null),

  off: (form) => form.elements.off.value.split(",").filter(Boolean),

  set(form, name, value) {
    form.elements[name].value = value;
    changed();
  },

  // The part that is chosen, or the last that has tiles: there one recognises the picture.
  level: ({ channels }, form) => Number(form.elements.block.value || channels.length - 1),

  // Switches tiles on or off.
  turn(form, tiles, on) {
    const keys = tiles.map((tile) => tile.dataset.key).filter(Boolean);
    const rest = this.off(form).filter((each) => !keys.includes(each));
    this.set(form, "off", (on ? rest : [...rest, ...keys]).join(","));
  },

  sweep(form, tile) {
    if (!tile.dataset.key) return;
    this.sweeping = tile.ariaChecked === "false";
    this.swept = true;
    this.turn(form, [tile], this.sweeping);
  },

  // A click that was not a sweep: by a finger or a key.
  press(form, tile) {
    if (!this.swept && tile.dataset.key) this.turn(form, [tile], tile.ariaChecked === "false");
  },

  // Generate's picture, with what is off here.
  carry(form) {
    const query = read("generate");
    query.delete("count");
    for (const name of ["off", "block"]) query.set(name, form.elements[name].value);
    write(query);
    changed();
  },

  names: { stem: "inside_stem", image: "inside_image" },
  roles: {
    stem: "inside_stem_role", residual: "inside_residual_role", upsample: "inside_upsample_role",
    transposed: "inside_transposed_role", image: "inside_image_role",
  },

  name(stage, index) {
    return say(this.names[stage?.kind] ?? "inside_block", { n: index });
  },

  role(stage) {
    return say(this.roles[stage.kind], { size: stage.size }) + (stage.attention ? say("inside_attention") : "");
  },

  // The tiles of the chosen part, and which of them are off.
  show({ stages, channels, columns }, form) {
    const level = this.level({ channels }, form);
    const shown = channels[level] ?? [];
    const tiles = $(".channels", form);
    const key = `${page.model} ${level}`;
    if (tiles.dataset.key !== key || !tiles.children.length) {
      tiles.dataset.key = key;
      $(".features", form).style.setProperty("--columns", columns);
      $(".features", form).style.setProperty("--rows", Math.ceil(shown.length / columns));
      tiles.replaceChildren(...shown.map((channel, index) => {
        const tile = node("button", { type: "button", role: "switch", tabIndex: index ? -1 : 0, title: say("inside_channel", { n: channel }) });
        tile.dataset.key = `${level}:${channel}`;
        return tile;
      }));
    }
    const off = this.off(form);
    for (const tile of tiles.children) tile.ariaChecked = String(!off.includes(tile.dataset.key));
    for (const part of $$(".anatomy [data-level]", form)) {
      part.setAttribute("aria-checked", Number(part.dataset.level) === level);
      part.tabIndex = Number(part.dataset.level) === level ? 0 : -1;
      const lost = off.filter((each) => each.startsWith(`${part.dataset.level}:`)).length;
      $(".lost", part).textContent = lost ? `−${lost}` : "";
    }
    const part = stages[level];
    $(".features .reading", form).textContent = part ? say("inside_reading", {
      part: this.name(part, level), shown: shown.length, channels: part.channels, off: off.length || say("inside_none") }) : "";
  },

  // Every part as a box, as high as its map is wide and as wide as it has channels, on scales of doublings; below it what
  // enters there.
  drawing({ stages, channels }, form) {
    const [gap, top, base] = [26, 20, 124];
    const deepest = stages.some((stage) => stage.spatial) ? 2 : 1;
    const high = (size) => 14 + 14 * Math.log2(size);
    const wide = (count) => 16 + 11 * Math.log2(count);
    const words = stages.map((stage, index) => `${this.name(stage, index)} ${this.role(stage)}`).join("; ");
    const svg = draw("svg", { role: "radiogroup", class: stages.length > 4 ? "many" : "", "aria-label": say("inside_drawing", { parts: words }) });
    let x = 4;
    for (const [index, stage] of stages.entries()) {
      const [width, height] = [wide(stage.channels), high(stage.size)];
      const column = Math.max(width, 78);
      const middle = x + column / 2;
      const level = index in channels;
      const part = draw("g", level
        ? { class: "part", role: "radio", "data-level": index, "aria-label": `${this.name(stage, index)}: ${this.role(stage)}` }
        : { class: "end" });
      part.append(draw("title", {}, `${this.name(stage, index)}: ${this.role(stage)}. ${say("inside_weights", { weights: stage.weights.toLocaleString(props.language) })}`),
        draw("rect", { x: middle - width / 2, y: base - height, width, height, rx: 4 }),
        draw("text", { x: middle, y: top - 6, "text-anchor": "middle" }, this.name(stage, index)),
        draw("text", { x: middle, y: base + 14, "text-anchor": "middle", class: "size" }, `${stage.size} × ${stage.size} × ${stage.channels}`),
        draw("text", { x: middle, y: base - height / 2 + 5, "text-anchor": "middle", class: "lost" }));
      const enters = [["noise", "inside_noise"], ["vector", "inside_condition"], ["spatial", "inside_map"]].filter(([name]) => stage[name]);
      enters.forEach(([name, key], row) => part.append(
        draw("text", { x: middle, y: base + 32 + 15 * row, "text-anchor": "middle", class: `enters ${name}` }, `↑ ${say(key)}`)));
      if (index) svg.append(draw("path", { class: "flow", d: `M${x - gap + 4} ${base - 20}h${gap - 10}m-5 -4l5 4l-5 4` }));
      svg.append(part);
      x += column + gap;
    }
    svg.setAttribute("viewBox", `0 0 ${x - gap + 4} ${base + 36 + 15 * deepest}`);
    svg.style.maxWidth = `${1.25 * (x - gap + 4)}px`;
    svg.addEventListener("click", ({ target }) => this.choose(target.closest("[data-level]"), form));
    svg.addEventListener("keydown", (event) => this.walk(event, form));
    return svg;
  },

  choose(part, form) {
    if (part) this.set(form, "block", part.dataset.level);
  },

  walk(event, form) {
    const parts = $$(".anatomy [data-level]", form);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, " ": 0, Enter: 0 }[event.key];
    const next = step !== undefined && parts[parts.indexOf(event.target.closest("[data-level]")) + step];
    if (!next) return;
    event.preventDefault();
    this.choose(next, form);
    next.focus();
  },

  move(event) {
    const tiles = [...event.currentTarget.children];
    const columns = Number(getComputedStyle(event.currentTarget).getPropertyValue("--columns"));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const next = step && tiles[tiles.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  },
};
