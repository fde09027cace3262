// Interpolate: the stage shows one picture of the way, the film strip all of it, two small pictures its ends.
tabs.interpolate = {
  route: "frame.png",

  start(form) {
    this.ends = $$(".thumb", form).map((box) => [box.dataset.end, new Live(box)]);
    this.film = new Live($(".film", form));
    $("[data-play]", form).addEventListener("click", () => (this.playing ? this.leave(form) : this.play(form)));
    form.elements.t.addEventListener("pointerdown", () => this.leave(form));
    form.elements.t.addEventListener("keydown", () => this.leave(form));
    $(".film", form).addEventListener("click", (event) => this.pick(event, form));
  },

  update(query, form) {
    const way = new URLSearchParams(query);
    way.delete("t");
    for (const [end, live] of this.ends) {
      const own = new URLSearchParams({ model: page.model });
      for (const key of ["seed", ...model().fields.map((field) => field.name)]) {
        if (query.has(key + end)) own.set(key, query.get(key + end));
      }
      live.ask(route("frame.png", own), describe(own));
    }
    const strip = new URLSearchParams(way);
    strip.set("steps", $(".film", form).dataset.steps);
    this.film.ask(route("strip.png", strip), say("strip"));
    const scale = Math.max(1, Math.min(16, Math.floor(240 / model().size)));
    $("[data-strip]", form).href = `${route("strip.png", strip)}&scale=${scale}`;
    $("[data-strip]", form).download = `${page.model}-strip.png`;
    $("[data-gif]", form).href = walkOf(way);
    $("[data-gif]", form).download = `${page.model}-walk.gif`;
  },

  // A touch on the film strip goes there.
  pick(event, form) {
    const box = event.currentTarget.getBoundingClientRect();
    const steps = Number(event.currentTarget.dataset.steps);
    const cell = Math.floor(((event.clientX - box.left) / box.width) * steps);
    this.leave(form);
    put(form.elements.t, (Math.min(steps - 1, Math.max(0, cell)) / (steps - 1)).toFixed(2));
    changed();
  },

  // There and back in eight seconds, in hundredths: the second round comes from the browser's cache.
  play(form) {
    const slider = form.elements.t;
    const began = performance.now() - 4000 * Number(slider.value);
    playButton(form, "pause");
    const step = (now) => {
      const phase = (((now - began) / 4000) % 2 + 2) % 2;
      const at = (phase < 1 ? phase : 2 - phase).toFixed(2);
      if (slider.value !== at) {
        put(slider, at);
        changed();
      }
      this.playing = requestAnimationFrame(step);
    };
    this.playing = requestAnimationFrame(step);
  },

  leave(form) {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    playButton(form, "play");
  },
};
