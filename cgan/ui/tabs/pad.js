// Pad: a square whose corners are four seeds, or whose sides are two directions. The stage shows the picture at the knob.
tabs.pad = {
  route: "pad.png",
  trailed: 600, // places that the trail remembers
  fades: 6, // parts of the trail, the older the fainter
  round: 1440, // places on the walk: 24 seconds of them at 60 a second

  start(form) {
    this.surface = $(".square", form);
    this.knob = $(".knob", form);
    this.trail = [];
    this.lines = Array.from({ length: this.fades }, (_, age) =>
      $(".trail", form).appendChild(draw("polyline", { "stroke-opacity": (age + 1) / this.fades })));
    this.map = new Live($(".map", form), { aside: true });
    this.corners = $$(".corner", form).map((box) => [box, new Live(box, { aside: true })]);
    this.surface.addEventListener("pointerdown", (event) => this.grab(event, form));
    this.surface.addEventListener("pointermove", (event) =>
      this.surface.hasPointerCapture(event.pointerId) && this.follow(event, form));
    this.knob.addEventListener("keydown", (event) => this.press(event, form));
    $("[data-play]", form).addEventListener("click", () => {
      if (!this.playing) return this.play(form);
      this.leave(form);
      changed(); // and the map, which waited for the hand to rest
    });
    $("[data-untrace]", form).addEventListener("click", () => {
      this.trail = [];
      this.trace();
    });
    $("[data-new]", form).addEventListener("click", () => {
      for (const name of ["seed", "seed2", "seed3", "seed4"]) {
        form.elements[name].value = Math.floor(Math.random() * 100000);
      }
      changed();
    });
  },

  // A model may have fewer directions than the last one, and pictures so large that fewer have room.
  model({ directions }, form) {
    const square = $(".square", form);
    this.cells = Math.max(2, Math.min(Number(square.dataset.cells), Math.floor(Math.sqrt(room()))));
    square.style.setProperty("--cells", this.cells);
    for (const name of ["across", "up"]) {
      const select = form.elements[name];
      for (const option of select.options) option.disabled = Number(option.value) > directions;
      if (Number(select.value) > directions) select.value = Math.min(select.dataset.default, directions);
    }
  },

  update(query, form) {
    const axes = form.elements.over.value === "axes";
    $("[data-axes]", form).hidden = !axes;
    for (const box of $$("[data-seeds]", form)) box.hidden = axes;
    const label = $('[for="pad-seed"] span', form);
    label.dataset.text = axes ? "seed" : "pad_seed";
    label.textContent = say(label.dataset.text);
    const [x, y] = [Number(query.get("x")), Number(query.get("y"))];
    const ground = new URLSearchParams(query);
    for (const name of ["x", "y", "snap", "speed"]) ground.delete(name);
    for (const [box, live] of this.corners) {
      const own = new URLSearchParams(ground);
      own.set("x", box.dataset.x);
      own.set("y", box.dataset.y);
      live.ask(route("pad.png", own), "");
    }
    const snap = form.elements.snap.checked;
    this.surface.classList.toggle("snap", snap);
    // A map of many pictures is asked for when the hand rests, unless one moves from picture to picture.
    const whole = `${route("pad.png", ground)}&steps=${this.cells}`;
    const ask = () => this.map.ask(whole, say("pad_map"));
    clearTimeout(this.resting);
    if (snap) ask();
    else this.resting = setTimeout(ask, 200);
    for (const name of ["psi", "strength", ...model().fields.map((field) => field.name)]) ground.delete(name);
    if (this.ground !== plain(ground)) this.trail = [];
    this.ground = plain(ground);
    this.point(x, y);
  },

  point(x, y) {
    this.knob.style.setProperty("--x", x);
    this.knob.style.setProperty("--y", y);
    this.knob.setAttribute("aria-valuenow", Math.round(100 * x));
    const words = { x: Math.round(100 * x), y: Math.round(100 * y) };
    this.knob.setAttribute("aria-valuetext", say("pad_at", words));
    const [before] = this.trail.slice(-1);
    if (before?.[0] === x && before?.[1] === y) return;
    this.trail.push([x, y]);
    if (this.trail.length > this.trailed) this.trail.shift();
    this.trace();
  },

  // Places are middles of cells: the pad's corners are the middles of the corner pictures.
  trace() {
    const cell = 1000 / this.cells;
    const at = ([x, y]) => `${(cell / 2 + x * (1000 - cell)).toFixed(1)},${(cell / 2 + (1 - y) * (1000 - cell)).toFixed(1)}`;
    const length = this.trail.length / this.fades;
    this.lines.forEach((line, age) => {
      const part = this.trail.slice(Math.floor(age * length), Math.floor((age + 1) * length) + 1);
      line.setAttribute("points", part.map(at).join(" "));
    });
  },

  move(x, y, form) {
    const [across, up] = [x, y].map((value) => {
      const inside = Math.min(1, Math.max(0, value));
      const last = this.cells - 1;
      return (form.elements.snap.checked ? Math.round(inside * last) / last : inside).toFixed(3);
    });
    if (form.elements.x.value === across && form.elements.y.value === up) return;
    form.elements.x.value = across;
    form.elements.y.value = up;
    changed();
  },

  grab(event, form) {
    if (event.button || !event.isPrimary) return;
    event.preventDefault();
    this.leave(form);
    this.knob.focus({ preventScroll: true });
    this.surface.setPointerCapture(event.pointerId);
    this.follow(event, form);
  },

  follow(event, form) {
    const box = this.surface.getBoundingClientRect();
    const cell = box.width / this.cells;
    const share = (value) => (value - cell / 2) / (box.width - cell);
    this.move(share(event.clientX - box.left), 1 - share(event.clientY - box.top), form);
  },

  press(event, form) {
    const [across, up] = {
      ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    }[event.key] ?? [0, 0];
    if (!across && !up) return;
    event.preventDefault();
    this.leave(form);
    const step = form.elements.snap.checked ? 1 / (this.cells - 1) : event.shiftKey ? 0.1 : 0.02;
    this.move(Number(form.elements.x.value) + across * step, Number(form.elements.y.value) + up * step, form);
  },

  // A closed Lissajous curve, three waves across and two up, joined at its nearest place within a second. Its places
  // are counted, so that the second round comes from the browser's cache.
  walk(place) {
    const phase = (2 * Math.PI * place) / this.round;
    return [0.5 + 0.5 * Math.cos(3 * phase), 0.5 + 0.5 * Math.sin(2 * phase)];
  },

  play(form) {
    const from = [Number(form.elements.x.value), Number(form.elements.y.value)];
    const far = (place) => Math.hypot(...this.walk(place).map((value, side) => value - from[side]));
    let place = [...Array(this.round).keys()].reduce((best, next) => (far(next) < far(best) ? next : best));
    const began = performance.now();
    let before = began;
    playButton(form, "pause");
    const step = (now) => {
      place += (Math.max(0, now - before) / 1000) * 60 * Number(form.elements.speed.value);
      before = now;
      const joined = Math.min(1, Math.max(0, now - began) / 1000);
      const [x, y] = this.walk(Math.round(place) % this.round)
        .map((value, side) => from[side] + (value - from[side]) * joined * joined * (3 - 2 * joined));
      this.move(x, y, form);
      this.playing = requestAnimationFrame(step);
    };
    this.playing = requestAnimationFrame(step);
  },

  leave(form) {
    clearTimeout(this.resting);
    cancelAnimationFrame(this.playing);
    this.playing = null;
    playButton(form, "play");
  },
};
