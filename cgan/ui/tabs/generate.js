// Generate: the routes' own parameters; a switch between directions and raw components; which picture of the seed. The
// picture itself is a handle: across it lies the first direction, up the second, and of several a touch takes one. At
// rest, the same condition under other noises, and what the judge reads off the picture.
tabs.generate = {
  route: "frame.png",

  start(form) {
    for (const name of ["reset", "first"]) {
      $(`[data-${name}]`, form).addEventListener("click", () => {
        const query = read("generate");
        for (const key of { reset: ["z", "raw", "psi", "strength"], first: ["first"] }[name]) query.delete(key);
        write(query);
        changed();
      });
    }
    const film = $(".noises .film");
    this.noises = new Live(film, { aside: true });
    this.count = Number(getComputedStyle(film).getPropertyValue("--count"));
    film.append(...Array.from({ length: this.count }, (_, index) => {
      const button = node("button", { type: "button", title: say("noise_n", { n: index + 1 }) });
      button.addEventListener("click", () => {
        form.elements.first.value = this.begin + index;
        changed();
      });
      return button;
    }));
    const frame = $(".frame");
    frame.addEventListener("pointerdown", (event) => page.tab === "generate" && this.grab(event, form));
    frame.addEventListener("pointermove", (event) => frame.hasPointerCapture(event.pointerId) && this.follow(event, form));
    frame.addEventListener("click", (event) => page.tab === "generate" && this.take(event, form));
  },

  // Whether there is a judge, whose verdict takes a line.
  model({ judged }) {
    $(".verdict").hidden = $(".measured").hidden = !judged;
    $(".verdict").textContent = "";
    this.measured = null;
  },

  handles: (form) => $$('[data-list="z"] input', form).slice(0, 2),

  grab({ button, currentTarget, pointerId, clientX, clientY }, form) {
    if (button || Number(form.elements.count.value) > 1 || form.elements.noise.value === "components") return;
    currentTarget.setPointerCapture(pointerId);
    this.held = { clientX, clientY, values: this.handles(form).map((slider) => Number(slider.value)) };
  },

  // The whole picture's width is a slider's.
  follow({ currentTarget, clientX, clientY }, form) {
    const gone = [clientX - this.held.clientX, this.held.clientY - clientY].map((pixels) => pixels / currentTarget.clientWidth);
    this.handles(form).forEach((slider, axis) => {
      slider.value = this.held.values[axis] + gone[axis] * (slider.max - slider.min);
      slider.dataset.touched = "";
      paint(slider);
    });
    this.handles(form)[0].dispatchEvent(new Event("input", { bubbles: true }));
  },

  // One of several, as the server tiles them.
  take({ currentTarget, clientX, clientY }, form) {
    const count = Number(form.elements.count.value);
    if (count < 2) return;
    const box = currentTarget.getBoundingClientRect();
    const columns = Math.round(count ** 0.5 + 0.49);
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    const index = Math.floor(y * Math.ceil(count / columns)) * columns + Math.floor(x * columns);
    if (index >= count) return;
    put(form.elements.count, "1");
    form.elements.first.value = Number(form.elements.first.value) + index;
    changed();
  },

  // The switch shows one kind of slider; both kinds stay in force.
  update(query, form) {
    const components = form.elements.noise.value === "components";
    $('[data-list="z"]', form).hidden = components;
    $('[data-list="raw"]', form).hidden = !components;
    const first = Number(query.get("first") ?? 0);
    $(".sample", form).hidden = first === 0;
    $("[data-sample]", form).textContent = say("sample", { n: first + 1 });
    this.begin = first - (first % this.count);
    $$(".noises button").forEach((button, index) => button.setAttribute("aria-pressed", this.begin + index === first));
    $(".noises").hidden = settled(query);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(query), 200);
  },

  leave() {
    clearTimeout(this.resting);
  },

  rest(query) {
    const strip = new URLSearchParams(query);
    for (const [key, value] of Object.entries({ count: this.count, columns: this.count, first: this.begin })) strip.set(key, value);
    if (!settled(query)) this.noises.ask(route("frame.png", strip), say("noises"));
    const one = new URLSearchParams(query);
    one.delete("count");
    this.measure(route("reading.json", one), query.has("count"));
  },

  async measure(url, several) {
    const asked = url + several;
    if (!model().judged || asked === this.measured) return;
    this.measured = asked;
    const found = await fetch(url).catch(() => null);
    const answer = found?.ok ? await found.json().catch(() => null) : null;
    if (asked !== this.measured) return;
    if (!answer) this.measured = null;
    $(".measured ul").replaceChildren(...(answer?.rows ?? []).map((row) => this.row(row)));
    $(".verdict").textContent = answer && !several ? this.verdict(answer) : "";
    $(".measured .note").textContent = answer ? this.note(answer, several)
      : say(found?.status >= 400 && found.status < 500 ? "measured_not" : "measured_lost");
  },

  // In short. Of labels, those that are read with some certainty; of what else is asked, how much is there.
  verdict({ rows }) {
    const labels = model().fields[0].choices ?? [];
    const read = rows.filter((row) => row.read >= 0.05 && labels.includes(row.name)).sort((a, b) => b.read - a.read);
    const shares = read.map((row) => say("verdict_share", { label: props.word(row.name), share: percent(row.read, 0) }));
    return shares.length ? say("verdict_label", { shares: shares.join(", ") })
      : say("verdict", { right: rows.filter((row) => row.match).length, all: rows.length });
  },

  // A label that is read though nobody asked for it (a share of 0) is shown, and counts for nothing.
  note({ judge, rows }, several) {
    const labels = model().fields[0].choices ?? [];
    const wanted = rows.filter((row) => row.asked !== 0 || !labels.includes(row.name));
    const said = [say(several ? "measured_first" : "measured_by", { judge, right: wanted.filter((row) => row.match).length, all: wanted.length })];
    if (rows.some((row) => Number.isFinite(row.asked))) said.push(say("measured_bars"));
    if (rows.some((row) => row.asked === null)) said.push(say("measured_overlap"));
    return said.join(" ");
  },

  // A share as a bar with a mark, or a stretch, where it was asked to end; a choice as words.
  row({ name, asked, to, read, match }) {
    const known = { recall: say("measured_recall"), precision: say("measured_precision") };
    const title = known[name] ?? named(name);
    const row = node("li", { className: match ? "right" : "wrong" }, node("span", { textContent: title }));
    if (typeof read === "string") {
      row.append(node("b", { textContent: match ? props.word(read) : say("measured_instead", { asked: props.word(asked), read: props.word(read) }) }));
      return row;
    }
    const wanted = to === null ? percent(asked, 0) : `${percent(asked, 0)} – ${percent(to, 0)}`;
    const said = asked === null ? percent(read, 0) : say("measured_both", { asked: wanted, read: percent(read, 0) });
    const bar = node("span", { className: "gauge", role: "img", title: said });
    bar.setAttribute("aria-label", said);
    bar.style.setProperty("--read", read);
    if (asked !== null) {
      const mark = node("i");
      mark.style.setProperty("--from", asked);
      mark.style.setProperty("--to", to ?? asked);
      bar.append(mark);
    }
    row.append(bar);
    return row;
  },
};
