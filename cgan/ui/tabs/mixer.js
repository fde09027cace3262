// Mixer: hidden controls hold the mixtures as the routes take them, NAME:WEIGHT,...; faders and triangle write them.
// Places in the triangle are shares of its three corners: the top, the left, the right.
tabs.mixer = {
  route: "frame.png",
  serves: ({ fields }) => fields.some((field) => field.type === "choice"),
  corner: [[0.5, 0], [0, 1], [1, 1]], // of the triangle's box

  start(form) {
    this.triangle = $(".triangle", form);
    this.knob = $(".knob", this.triangle);
    this.faces = $$(".face", form).map((box) => new Live(box, { aside: true }));
    form.addEventListener("input", ({ target }) => target.closest(".faders") && this.gather(form, target));
    $$("select", this.triangle).forEach((select, place) => select.addEventListener("input", (event) => {
      event.stopPropagation();
      this.swap(form, place, Number(select.value));
    }));
    this.triangle.addEventListener("pointerdown", (event) => this.grab(event, form));
    this.triangle.addEventListener("pointermove", (event) =>
      this.triangle.hasPointerCapture(event.pointerId) && this.follow(event, form));
    this.knob.addEventListener("keydown", (event) => this.press(event, form));
  },

  model({ fields }, form) {
    const mixed = form.elements.mixed;
    if (mixed && !fields.some((field) => field.name === mixed.value)) mixed.value = mixed.dataset.default;
    for (const option of [...(mixed?.options ?? [])]) {
      if (!fields.some((field) => field.name === option.value)) option.remove();
    }
    form.elements.corners.value = "";
    this.key = null;
  },

  // The field that is mixed, and the control that holds its mixture.
  held(form) {
    const name = form.elements.mixed?.value ?? $("[data-mix]", form)?.name;
    const field = model().fields.find((each) => each.name === name);
    return field && [field, $(`[data-mix][name="${name}"]`, form)];
  },

  update(query, form) {
    const [field, control] = this.held(form) ?? [];
    $(".mixing", form).hidden = !field;
    if (!field) return;
    const key = `${page.model} ${field.name}`;
    if (this.key !== key) this.build(field, control, form);
    this.key = key;
    const weights = this.weigh(control.value, field.choices);
    const sum = weights.reduce((total, weight) => total + weight, 0) || 1;
    $$(".faders input", form).forEach((fader, index) => {
      if (Number(fader.value) !== weights[index]) put(fader, String(weights[index]));
      const share = percent(weights[index] / sum, 0);
      if (fader.nextElementSibling.textContent !== share) fader.nextElementSibling.textContent = share; // else laid out anew
      if (fader.ariaValueText !== share) fader.ariaValueText = share;
      fader.parentElement.classList.toggle("loose", weights[index] === 0);
    });
    this.place(weights.map((weight) => weight / sum), field, form);
    this.corners(field, form).forEach((choice, place) => {
      const own = new URLSearchParams(query);
      own.set(field.name, field.choices[choice]);
      own.delete("count");
      this.faces[place].ask(route("frame.png", own), props.word(field.choices[choice]));
    });
  },

  build({ choices }, control, form) {
    $(".faders", form).replaceChildren(...choices.map((name, index) => {
      const row = node("div", { className: "slider" });
      row.innerHTML = `<label for="mixer-weight-${index}"></label><input type="range" id="mixer-weight-${index}" min="0"
        max="1" step="0.01" value="0"><output for="mixer-weight-${index}"></output>`;
      $("label", row).textContent = props.word(name);
      return row;
    }));
    $(".mixing", form).classList.toggle("long", choices.some((name) => name.length > 2));
    this.triangle.hidden = choices.length < 3;
    for (const select of $$("select", this.triangle)) {
      select.replaceChildren(...choices.map((name, index) => new Option(props.word(name), index)));
    }
    const pairs = [JSON.parse(control.dataset.mix), ...(choices.length > 9 ? [[4, 9], [1, 7]] : [])];
    const mixtures = pairs.map((pair) =>
      [say("mixer_half", { a: props.word(choices[pair[0]]), b: props.word(choices[pair[1]]) }), () => pair.map((index) => [index, 0.5])]);
    mixtures.push([say("mixer_all"), () => choices.map((_, index) => [index, 1])]);
    if (choices.length > 2) {
      mixtures.push([say("mixer_thirds"), () => this.corners({ choices }, form).map((index) => [index, 1])]);
    }
    $(".presets", form).replaceChildren(...mixtures.map(([words, mixture]) => {
      const button = node("button", { type: "button", className: "plain", textContent: words });
      button.addEventListener("click", () => this.put(form, mixture()));
      return button;
    }));
  },

  // NAME, or NAME:WEIGHT,NAME:WEIGHT -> a weight for every choice. Names may have commas.
  weigh(text, choices) {
    const weights = choices.map(() => 0), parts = text.split(",");
    const most = Math.max(...choices.map((name) => name.split(",").length));
    const entry = (count) => {
      const part = parts.slice(0, count).join(",");
      if (choices.includes(part.trim())) return [choices.indexOf(part.trim()), 1];
      const cut = part.lastIndexOf(":"), weight = part.slice(cut + 1);
      return weight.includes(",") ? [-1, 0] : [choices.indexOf(part.slice(0, cut).trim()), Number(weight) || 0];
    };
    while (parts.length) {
      let count = most;
      while (count > 1 && entry(count)[0] < 0) count -= 1;
      const [index, weight] = entry(count);
      if (index >= 0) weights[index] += weight;
      parts.splice(0, count);
    }
    return weights;
  },

  // Pairs of a choice's number and its weight become the mixture.
  put(form, pairs) {
    const [{ choices }, control] = this.held(form);
    const parts = pairs.filter(([, weight]) => weight > 0);
    const text = parts.map(([index, weight]) => `${choices[index]}:${Number(weight.toFixed(3))}`).join(",");
    control.value = parts.length === 1 ? choices[parts[0][0]] : text;
    changed();
  },

  // What the faders say. The last one up stays up: a mixture of nothing is none.
  gather(form, moved) {
    const faders = $$(".faders input", form);
    if (faders.every((fader) => Number(fader.value) === 0)) moved.value = moved.step;
    const [{ choices }, control] = this.held(form);
    const parts = faders.map((fader, index) => [choices[index], Number(fader.value)]).filter(([, weight]) => weight);
    control.value = parts.map(([name, weight]) => `${name}:${weight}`).join(",");
  },

  // ---- the triangle

  corners({ choices }, form) {
    const own = form.elements.corners.value.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
    const fit = own.length === 3 && new Set(own).size === 3 && own.every((index) => index in choices);
    const [one, other] = JSON.parse(this.held(form)[1].dataset.mix);
    return fit ? own : [one, other, Math.floor((one + other) / 2)].slice(0, choices.length);
  },

  // Another choice for a corner; one that stands at another corner changes places with it.
  swap(form, place, choice) {
    const own = this.corners(this.held(form)[0], form);
    const other = own.indexOf(choice);
    if (other >= 0) own[other] = own[place];
    own[place] = choice;
    form.elements.corners.value = own.join(",");
    changed();
  },

  // The knob stands where the three corners' shares put it, the fainter the more the other choices have.
  place(weights, field, form) {
    const own = this.corners(field, form);
    $$("select", this.triangle).forEach((select, place) => (select.value = own[place]));
    const inside = own.reduce((total, index) => total + weights[index], 0);
    const shares = own.map((index) => (inside ? weights[index] / inside : 1 / 3));
    const at = (side) => shares.reduce((total, share, place) => total + share * this.corner[place][side], 0);
    this.knob.style.setProperty("--x", at(0));
    this.knob.style.setProperty("--y", at(1));
    this.knob.style.opacity = 0.3 + 0.7 * inside;
    this.knob.setAttribute("aria-valuenow", Math.round(100 * inside));
    const words = own.map((index, place) => `${props.word(field.choices[index])} ${percent(shares[place] * inside, 0)}`);
    this.knob.setAttribute("aria-valuetext", words.join(", "));
    this.shares = shares;
  },

  grab(event, form) {
    if (event.button || !event.isPrimary || event.target.closest(".corner")) return;
    event.preventDefault();
    this.knob.focus({ preventScroll: true });
    this.triangle.setPointerCapture(event.pointerId);
    this.follow(event, form);
  },

  follow(event, form) {
    const box = $("path", this.triangle).getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    this.mix(form, [1 - y, y / 2 - (x - 0.5), y / 2 + (x - 0.5)]);
  },

  mix(form, shares) {
    const inside = shares.map((share) => Math.max(0, share));
    const sum = inside.reduce((total, share) => total + share, 0);
    const own = this.corners(this.held(form)[0], form);
    this.put(form, own.map((index, place) => [index, Math.round((100 * inside[place]) / sum) / 100]));
  },

  press(event, form) {
    const step = {
      ArrowUp: [1, -0.5, -0.5], ArrowDown: [-1, 0.5, 0.5], ArrowLeft: [0, 1, -1], ArrowRight: [0, -1, 1],
    }[event.key];
    if (!step) return;
    event.preventDefault();
    const size = event.shiftKey ? 0.1 : 0.02;
    this.mix(form, this.shares.map((share, place) => share + size * step[place]));
  },
};
