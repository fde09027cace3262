// Watch it learn: the stage shows one snapshot, the film strip one picture at all of them, the curves where they stand.
tabs.learn = {
  serves: ({ snapshots }) => snapshots.length > 0,

  // A model without snapshots shows what it makes now.
  get route() {
    return this.serves(model()) ? "snapshot.png" : null;
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
    slider.max = Math.max(0, snapshots.length - 1);
    slider.step = 1;
    put(slider, String(Math.min(slider.value, slider.max)));
    $(".learned", form).style.setProperty("--steps", snapshots.length);
    const within = ({ kimg }) => kimg >= snapshots[0] && kimg <= snapshots.at(-1);
    const curves = [metrics.timeline, metrics.curve].map((curve) => judged(curve).filter(within));
    this.points = (snapshots.length > 1 && curves.find((points) => points.length > 1)) || [];
    try {
      this.charts = this.points.length ? this.curves(this.points, metrics.evaluation, snapshots) : [];
    } catch {
      this.points = this.charts = []; // figures of another form: a model's folder may come from anybody
    }
    $(".charts", form).replaceChildren(...this.charts);
  },

  // Evenly spaced as the film strip is: much happens early, between snapshots that are near to each other.
  curves(points, evaluation, stops) {
    const own = { stops, axis: "learn_axis" };
    const line = evaluation?.form === "label" ? evaluation.features.judge_accuracy : null;
    return [
      chart([{ points }], "obedience", { ...own, line, mark: "card_judge", write: percent }),
      chart([{ points }], "frechet_ratio", { ...own, log: true, line: 1, mark: "card_floor", write: threeDigits }),
    ];
  },

  // Every label under as many noises as have room; where there are no labels the picture is a square.
  shape(query) {
    const field = model().fields.find(({ type }) => type === "choice");
    if (!this.serves(model()) || !field || query.has("view")) return 1;
    return tiled(field.choices.length, Math.min($(".learned").dataset.rows, tabs.conditioning.room(field)));
  },

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
    const when = say("learn_at", { pictures: pictures(kimg) });
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
