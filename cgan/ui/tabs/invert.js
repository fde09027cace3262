// Draw and invert: what is drawn is sent when the hand rests; the stage shows it until something has been found. The answer
// has the noise after some steps of the search: the stage plays them, the film keeps them, and the last goes on as `raw`, a
// noise of one's own, under every label.
tabs.invert = {
  described: "invert_found",

  start(form) {
    this.target = $(".mount").appendChild(node("div", { className: "target" }));
    const row = $(".relabelled", form);
    this.row = new Live(row, { aside: true });
    row.addEventListener("click", ({ target }) => "at" in target.dataset && this.carry(target.dataset.at));
    $("[data-open]", form).addEventListener("click", () => this.carry());
    $("[data-stage]", form).addEventListener("click", () => this.copy());
  },

  model(_, form) {
    this.pad = Freehand.in($(".slate", form), form);
    this.forget(form);
    this.offered = null;
    this.vacate($(".starts .thumbs", form), "button");
  },

  // What will be found has its place already, so that nothing moves when it comes.
  forget(form) {
    this.found = this.asked = this.wanted = null;
    this.target?.replaceChildren();
    this.vacate($(".searched", form), "figure");
    this.relabel(null, form);
    $(".reading", form).textContent = "";
  },

  vacate(row, tag) {
    row.inert = true;
    const empty = () => node(tag, {}, node("i", { className: "blank" }));
    row.replaceChildren(...Array.from({ length: row.dataset.places }, empty));
  },

  // The stage, left by the picture of another tab or model, shows what is sought.
  aim(text) {
    stage.clear();
    this.target.replaceChildren(thumbnail(this.pad.field, text), node("p", { textContent: say("invert_searching") }));
  },

  // One choice among names can be sought; any other condition is given.
  get sought() {
    const { fields } = model();
    return fields.length === 1 && fields[0].type === "choice";
  },

  update(query, form) {
    const given = new URLSearchParams({ model: page.model });
    if (!this.sought) for (const { name } of model().fields) if (query.has(name)) given.set(name, query.get(name));
    this.offer(route("starts.json", given), form);
    const both = this.sought && form.elements.seek.value === "both";
    $(".seeking .chips", form).hidden = !this.sought;
    $(".fields", form).hidden = both;
    clearTimeout(this.resting);
    if (!query.has("drawn")) {
      this.forget(form);
      $(".reading", form).textContent = say("invert_empty");
      return;
    }
    const asked = new URLSearchParams(query);
    if (both) asked.delete(model().fields[0].name);
    if (!this.sought) asked.delete("seek");
    if (!this.found) this.aim(query.get("drawn"));
    const url = route("inversion.json", asked);
    if (url === this.asked && this.found) this.tell(this.found, form);
    else this.resting = setTimeout(() => this.search(url, form), this.found ? 250 : 0);
  },

  leave() {
    clearTimeout(this.resting);
    clearTimeout(this.playing);
  },

  // ---- what to start from

  // Of a condition that is given, for every one of them; else for every model.
  async offer(url, form) {
    if (url === this.offered) return;
    const begin = !this.offered;
    this.offered = url;
    const told = await fetch(url).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    if (url !== this.offered) return;
    if (!told) {
      this.offered = null; // to be asked for again
      return;
    }
    $(".starts .note", form).textContent = say(told.real ? "invert_real" : "invert_own");
    $(".starts .thumbs", form).inert = false;
    $(".starts .thumbs", form).replaceChildren(...told.pictures.map((text, index) => {
      const button = node("button", { type: "button", title: say("example", { n: index + 1 }) }, thumbnail(this.pad.field, text));
      button.setAttribute("aria-label", button.title);
      button.addEventListener("click", () => {
        this.pad.sample = null; // chosen, to be changed
        this.pad.take(text);
      });
      return button;
    }));
    if (!begin) return;
    this.pad.sample = told.pictures[0];
    if (page.tab === "invert" && !form.elements.drawn.value) this.pad.take(this.pad.sample);
  },

  async copy() {
    const query = read("generate");
    query.delete("count");
    const answer = await fetch(route("frame.png", query)).catch(() => null);
    if (answer?.ok) this.pad.open(await answer.blob());
  },

  // ---- the search

  // One at a time; what has been drawn meanwhile is asked for next.
  async search(url, form) {
    this.wanted = url;
    if (this.busy) return;
    this.busy = true;
    while (this.wanted !== this.asked) {
      const asked = (this.asked = this.wanted);
      $(".reading", form).textContent = say("invert_searching");
      const answer = await fetch(asked).catch(() => null);
      const found = answer?.ok ? await answer.json().catch(() => null) : null;
      if (this.wanted !== asked) continue; // something else is wanted by now, or nothing
      this.found = found;
      if (found && page.tab === "invert") this.tell(found, form);
      if (found) continue;
      this.forget(form);
      $(".reading", form).textContent = answer?.status === 400 ? say("refused", { why: props.why(await answer.text()) }) : say("invert_lost");
    }
    this.busy = false;
  },

  // The parameters of a moment's picture.
  place({ values, raw }) {
    return new URLSearchParams({ model: page.model, ...values, raw });
  },

  tell(found, form) {
    const { path, finalists, random } = found;
    const last = path.at(-1);
    const name = this.sought ? Object.values(last.values)[0] : null;
    const far = { error: percent(last.error, 1), random: percent(random, 1) };
    const others = finalists.slice(1).sort((a, b) => a.error - b.error); // they come by what the search minimises
    const next = others.map((each) => `${props.word(Object.values(each.values)[0])} (${percent(each.error, 1)})`).join(", ");
    $(".reading", form).textContent = name === null ? say("invert_noise", far)
      : say("invert_both", { ...far, label: props.word(name) }) + (next ? ` ${say("invert_next", { next })}` : "");
    $(".searched", form).inert = false;
    $(".searched", form).replaceChildren(...path.map((moment) => {
      const alt = say("invert_step", { n: moment.step });
      const image = node("img", { referrerPolicy: "no-referrer", alt, src: route("frame.png", this.place(moment)) });
      return node("figure", {}, image, node("figcaption", { textContent: moment.step ? alt : say("invert_guess") }));
    }));
    this.relabel(last, form);
    clearTimeout(this.playing);
    this.play(matchMedia("(prefers-reduced-motion: reduce)").matches ? [last] : [...path]);
  },

  play(moments) {
    const query = this.place(moments.shift());
    stage.ask(route("frame.png", query), describe(query, this.described));
    if (moments.length) this.playing = setTimeout(() => this.play(moments), 130);
  },

  // The same noise under every value of the first field, choices before others; no pictures where none was found.
  relabel(last, form) {
    const field = [...model().fields].sort((a, b) => (b.type === "choice") - (a.type === "choice"))[0];
    const [values, titles] = tabs.conditioning.values(field);
    this.field = field.name;
    $(".kept", form).hidden = !values.length;
    if (!values.length) return;
    const row = $(".relabelled", form);
    row.style.setProperty("--columns", values.length);
    row.classList.toggle("long", titles.some((title) => title.length > 4));
    $$("button", row).forEach((old) => old.remove());
    row.append(...values.map((value, index) => {
      const button = node("button", { type: "button", title: say("invert_carry", { label: titles[index] }), disabled: !last },
        node("span", {}, isDrawn(field) ? thumbnail(field, value) : titles[index]));
      button.dataset.at = value;
      button.classList.toggle("own", last?.values[field.name] === value);
      return button;
    }));
    $("[data-open]", form).disabled = !last;
    if (!last) return;
    const query = this.place(last);
    query.delete(field.name);
    query.set("rows", "1");
    query.set("along", field.name);
    this.row.ask(route("grid.png", query), say("invert_row"));
  },

  // On in Generate, under another value of the field or under what was found.
  carry(value) {
    if (!this.found) return;
    const query = this.place(this.found.path.at(-1));
    if (value !== undefined) query.set(this.field, value);
    open("generate", query);
    $('[role="tab"][data-tab="generate"]').focus({ preventScroll: true });
  },
};
