// The discriminator's opinion: of the picture on the stage, of the best and worst of its seed and of what is drawn, all on
// one scale. Scores follow as fast as they come; what takes longer is asked for at rest.
tabs.critic = {
  start(form) {
    this.heat = new Live(this.layer($(".box")), { aside: true });
    this.score = new Newest((own) => this.tell(form, { own }));
    this.ranking = new Newest((ranking, made) => this.tell(form, { ranking, made }));
    this.real = new Newest((real, reals) => this.tell(form, { real, reals }));
    this.drawing = new Newest((drawn) => this.tell(form, { drawn }));
    for (const row of $$(".ranked", form)) {
      row.addEventListener("click", ({ target }) => this.pick(form, row, target.closest("button")?.dataset.index));
    }
    $("[data-open]", form).addEventListener("click", () => open("generate", this.asked(read())));
    $("[data-carry]", form).addEventListener("click", () => this.carry(form));
    $(".freehand [data-stage]").addEventListener("click", () => this.copy());
  },

  layer: (box) => box.appendChild(node("div", { className: "heat" })),

  model(_, form) {
    this.told = {};
    for (const answers of [this.score, this.ranking, this.real, this.drawing]) answers?.forget();
    for (const row of $$(".ranked", form)) {
      row.hidden = false;
      row.inert = true; // empty places until it is ranked
      row.style.removeProperty("--sheet");
      $$("small", row).forEach((score) => (score.textContent = ""));
    }
    $(".opinion .reading", form).textContent = "";
    $(".scale", form).replaceChildren();
    $$(".freehand .heat").forEach((layer) => layer.remove());
    this.pad = Freehand.in($(".freehand"), form);
    this.padHeat = new Live(this.layer($(".freehand .sheet")), { aside: true });
  },

  // The parameters of the picture on the stage.
  asked(query) {
    const own = new URLSearchParams(query);
    for (const name of ["heat", "drawn"]) own.delete(name);
    return own;
  },

  update(query, form) {
    const own = this.asked(query);
    stage.ask(route("frame.png", own), describe(own));
    this.score.ask(route("score.json", own));
    const drawn = new URLSearchParams({ model: page.model });
    for (const { name } of model().fields) if (query.has(name)) drawn.set(name, query.get(name));
    if (query.has("drawn")) drawn.set("drawn", query.get("drawn"));
    if (query.has("drawn")) this.drawing.ask(route("score.json", drawn));
    else {
      this.drawing.forget();
      this.tell(form, { drawn: null });
    }
    const heat = query.has("heat");
    $(".explorer").classList.toggle("heated", heat);
    $("[data-legend]", form).hidden = !heat;
    if (heat) this.heat.ask(route("raising.png", own), say("critic_raising"));
    else this.heat.clear();
    if (heat && query.has("drawn")) this.padHeat.ask(route("raising.png", drawn), say("critic_raising"));
    else this.padHeat.clear();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(own, form), 250);
    this.mark(form);
  },

  leave() {
    clearTimeout(this.resting);
  },

  // Pictures on the sheet that the seed's best and worst are cut from: rows of eight, as many as have room.
  get sheet() {
    return 8 * Math.max(1, Math.min(8, Math.floor(room() / 8)));
  },

  rest(own, form) {
    const all = new URLSearchParams(own);
    all.delete("first");
    if (settled(all)) all.delete("raw");
    const ranking = route("ranking.json", all);
    all.set("columns", 8);
    all.set("count", this.sheet);
    this.ranking.ask(ranking, route("frame.png", all));
    for (const name of ["count", "columns", "psi", "z", "raw", "strength"]) all.delete(name);
    this.real.ask(route("real.json", all), route("real.png", all));
    this.mark(form);
  },

  // What has been told last of the picture, its seed's first 64 and the drawing.
  tell(form, told) {
    Object.assign(this.told, told);
    const { own, ranking, real, drawn } = this.told;
    if (own) $(".opinion .reading", form).textContent = this.words(own, "critic_probability", "critic_logit");
    $(".freehand .reading").textContent = drawn ? this.words(drawn, "critic_drawn", "critic_drawn_logit") : "";
    if (told.ranking) {
      const { logits } = ranking;
      const order = ranking.order.filter((index) => index < this.sheet);
      for (const [end, shown] of [["best", order], ["worst", [...order].reverse()]]) this.rank(form, end, shown, logits, told.made);
    }
    if (told.real) this.rank(form, "real", [...real.logits.keys()], real.logits, told.reals);
    $("[data-ticks]", form).hidden = real?.logits.length === 0;
    $(".scale", form).replaceChildren(...(own ? [this.scale(own, ranking?.logits ?? [], real?.logits ?? [], drawn)] : []));
  },

  words({ logit, probability }, likely, bare) {
    return say(probability === null ? bare : likely, { logit: signed(logit), percent: percent(probability ?? 0, 1) });
  },

  // Fills a row with the first of `shown`, which are places on a sheet of eight columns.
  rank(form, end, shown, logits, sheet) {
    const row = $(`.ranked[data-end="${end}"]`, form);
    row.hidden = !shown.length;
    row.inert = false;
    row.style.setProperty("--size", model().size);
    row.style.setProperty("--rows", Math.ceil(shown.length / 8));
    if (shown.length) row.style.setProperty("--sheet", `url("${sheet}")`);
    for (const [index, place] of $$("button", row).entries()) {
      const at = shown[index];
      place.hidden = at === undefined;
      if (place.hidden) continue;
      place.dataset.index = at;
      place.title = say(end === "real" ? "critic_pick_real" : "critic_pick", { n: at + 1, logit: signed(logits[at]) });
      place.style.setProperty("--column", at % 8);
      place.style.setProperty("--row", Math.floor(at / 8));
      $("small", place).textContent = signed(logits[at]);
    }
    this.mark(form);
  },

  mark(form) {
    const own = settled(read("critic"));
    for (const place of $$(".ranked:not([data-end=real]) button", form)) {
      place.setAttribute("aria-pressed", !own && place.dataset.index === form.elements.first.value);
    }
  },

  // One of the seed's pictures goes to the stage, a real one to the pad; what it shows, to the fields.
  pick(form, row, index) {
    if (index === undefined) return;
    if (row.dataset.end !== "real") {
      form.elements.first.value = index;
      if (settled(read())) form.elements.raw.value = "";
      changed();
      return;
    }
    const { pictures, shown } = this.told.real;
    const query = read();
    for (const [name, text] of Object.entries(shown[index] ?? {})) query.set(name, text);
    write(query);
    this.pad.take(pictures[index]);
  },

  carry(form) {
    const query = read("generate");
    query.delete("count");
    for (const name of ["heat", "drawn"]) if (read().has(name)) query.set(name, read().get(name));
    write(query);
    changed();
  },

  // The picture on the stage, to be drawn on.
  async copy() {
    const answer = await fetch($(".frame img").src).catch(() => null);
    if (answer?.ok) this.pad.open(await answer.blob());
  },

  // Logits from left to right: a tick for each of the seed's pictures, a mark for the picture and for what is drawn.
  scale(own, logits, reals, drawn) {
    const known = [own.logit, ...logits, ...reals, ...(drawn ? [drawn.logit] : [])];
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const room = Math.max(0.5, 0.06 * (most - least));
    const [low, high] = [least - room, most + room];
    const [left, right, line] = [8, 552, 58];
    const x = (logit) => left + ((right - left) * (logit - low)) / (high - low);
    const likely = own.probability !== null;
    const svg = draw("svg", { viewBox: "0 0 560 104", role: "img", "aria-label": $(".opinion .reading").textContent });
    svg.append(draw("line", { x1: left, x2: right, y1: line, y2: line, class: "rule" }));
    const step = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100].find((each) => (high - low) / each <= 6) ?? 200;
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
      svg.append(draw("line", { x1: x(at), x2: x(at), y1: line, y2: line + 5, class: "rule" }),
        draw("text", { x: x(at), y: line + 20, "text-anchor": "middle" }, signed(at, step < 1 ? 2 : 0)));
      if (likely) svg.append(draw("text", { x: x(at), y: line + 39, "text-anchor": "middle" }, percent(1 / (1 + Math.exp(-at)), 0)));
    }
    for (const logit of logits) svg.append(draw("line", { x1: x(logit), x2: x(logit), y1: line - 9, y2: line, class: "tick" }));
    for (const logit of reals) svg.append(draw("line", { x1: x(logit), x2: x(logit), y1: line, y2: line + 9, class: "real" }));
    const mark = (logit, key, row, name) => {
      const at = Math.min(right - 60, Math.max(left + 60, x(logit)));
      svg.append(draw("path", { d: `M${x(logit)} ${line - 2}l-6 -12h12z`, class: name }),
        draw("text", { x: at, y: row, "text-anchor": "middle", class: name }, say(key)));
    };
    if (drawn) mark(drawn.logit, "critic_mark_drawn", 16, "other");
    mark(own.logit, "critic_mark", 38, "own");
    return svg;
  },
};

const signed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

// The answer to the newest address asked for, with the sheet of what it is about; one request at a time. What can't be
// answered now is asked again.
class Newest {
  constructor(use) {
    this.use = use;
  }

  async ask(url, sheet) {
    this.next = { url, sheet };
    if (this.busy) return;
    this.busy = true;
    while (this.next && this.next.url !== this.done) {
      const asked = this.next;
      const answer = await fetch(asked.url).catch(() => null);
      const told = answer?.ok ? await answer.json().catch(() => null) : null;
      if (subject(this.next?.url) !== subject(asked.url)) continue; // of another model
      if (told) this.use(told, asked.sheet);
      if (told || answer?.status < 500) this.done = asked.url;
      else await new Promise((done) => setTimeout(done, 2000));
    }
    this.busy = false;
  }

  // Nothing is asked any more, and what comes late is of no use.
  forget() {
    this.next = this.done = null;
  }
}
