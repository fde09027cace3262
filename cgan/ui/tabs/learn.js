// Watch it learn: the stage shows one snapshot, the film strip one picture at all of them, the curves where they stand.
tabs.learn = {
  // A model without snapshots shows what it makes now.
  get route() {
    return model().snapshots.length ? "snapshot.png" : null;
  },

  start(form) {
    this.film = new Live($(".film", form), { aside: true });
    const slider = form.elements.snapshot;
    $("[data-play]", form).addEventListener("click", () => (this.playing ? this.leave(form) : this.play(form)));
    for (const event of ["pointerdown", "keydown"]) slider.addEventListener(event, () => this.leave(form));
    $(".film", form).addEventListener("click", (event) => this.pick(event, form));
  },

  model({ snapshots, metrics }, form) {
    if (this.playing) this.leave(form);
    const slider = form.elements.snapshot;
    const none = !snapshots.length;
    $("[data-none]", form).hidden = !none;
    $("#panel-learn .hint").hidden = none;
    for (const part of $$(".learned, [data-play], [data-gif], .charts, .chips:has([name=view])", form)) part.hidden = none;
    slider.max = Math.max(0, snapshots.length - 1);
    slider.step = 1;
    put(slider, String(Math.min(slider.value, slider.max)));
    $(".learned", form).style.setProperty("--steps", snapshots.length);
    const points = [metrics.timeline, metrics.curve].map(judged).find((each) => each.length > 1) ?? [];
    this.points = none ? [] : points;
    try {
      this.charts = this.points.length ? this.curves(this.points, metrics.evaluation) : [];
    } catch {
      this.points = this.charts = []; // figures of another form: a model's folder may come from anybody
    }
    $(".charts", form).replaceChildren(...this.charts);
  },

  curves: (points, evaluation) => [
    chart([{ points }], "obedience",
      { line: evaluation?.form === "label" ? evaluation.features.judge_accuracy : null, mark: "card_judge", write: percent }),
    chart([{ points }], "frechet_ratio", { log: true, line: 1, mark: "card_floor", write: threeDigits }),
  ],

  update(query, form) {
    const { snapshots } = model();
    const own = new URLSearchParams(query);
    for (const name of ["snapshot", "view"]) own.delete(name);
    if (!snapshots.length) {
      stage.ask(route("frame.png", own), describe(own));
      return;
    }
    const film = new URLSearchParams(query);
    film.delete("snapshot");
    if (!this.roomy) film.set("view", "one");
    const scale = Math.max(1, Math.min(8, Math.floor((film.has("view") ? 240 : 30) / model().size)));
    Object.assign($("[data-gif]", form), { href: `${route("history.gif", film)}&scale=${scale}`, download: `${page.model}-learning.gif` });
    const index = Math.min(query.get("snapshot"), snapshots.length - 1);
    for (const figure of this.charts) figure.at(snapshots[index]);
    $(".reading", form).textContent = this.words(snapshots[index]);
    this.rest(query, index, own);
  },

  // Whether a GIF has room for a row of every choice at each snapshot, or only for one picture.
  get roomy() {
    const columns = model().fields.find((field) => field.type === "choice")?.choices.length ?? 1;
    return columns * model().snapshots.length <= room();
  },

  words(kimg) {
    const when = say("learn_at", { kimg: kimg >= 10 || !kimg ? Math.round(kimg) : kimg.toFixed(1) });
    const point = this.points.find((each) => Math.abs(each.kimg - kimg) <= 0.02 * kimg);
    if (!Number.isFinite(point?.frechet_ratio)) return `${when}.`;
    const frechet = point.frechet_ratio >= 100 ? Math.round(point.frechet_ratio).toLocaleString(props.language) : threeDigits(point.frechet_ratio);
    return say("learn_figures", { when, obedience: percent(point.obedience, 1), frechet });
  },

  // Once the hand rests: the film strip, and what is likely to be asked for next, which waits in the browser's cache.
  rest(query, index, own) {
    clearTimeout(this.resting);
    this.resting = setTimeout(async () => {
      this.film.ask(route("history.png", own), say("learn_strip"));
      for (const next of [index + 1, index + 2, index - 1]) {
        if (!(next in model().snapshots)) continue;
        const near = new URLSearchParams(query);
        near.set("snapshot", next);
        const image = Object.assign(new Image(), { src: route("snapshot.png", near) });
        await image.decode().catch(() => null);
      }
    }, 120);
  },

  // A touch on the film strip goes there.
  pick(event, form) {
    const box = event.currentTarget.getBoundingClientRect();
    const steps = model().snapshots.length;
    this.leave(form);
    this.go(form, Math.min(steps - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * steps))));
  },

  go(form, index) {
    put(form.elements.snapshot, String(index));
    changed();
  },

  // From where it stands, or from the beginning, to the end.
  play(form) {
    const last = model().snapshots.length - 1;
    if (Number(form.elements.snapshot.value) >= last) this.go(form, 0);
    playButton(form, "pause");
    this.playing = setInterval(() => {
      const next = Number(form.elements.snapshot.value) + 1;
      this.go(form, Math.min(next, last));
      if (next >= last) this.leave(form);
    }, 600);
  },

  leave(form) {
    clearInterval(this.playing);
    this.playing = null;
    playButton(form, "play");
  },
};
