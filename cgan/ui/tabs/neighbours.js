// Nearest neighbours: the stage's picture and, in a row, the real ones nearest to it; a line from "a copy" to "like none
// of them" on which the picture has a place among real pictures that were never trained on.
tabs.neighbours = {
  sheet: {}, // a Live, once it has begun

  start(form) {
    this.sheet = new Live($(".nearest .film", form), { aside: true });
    $("[data-carry]", form).addEventListener("click", () => {
      const query = read("generate");
      query.delete("count");
      if (read().has("space")) query.set("space", read().get("space"));
      write(query);
      changed();
    });
  },

  // What stands there is of another model's data.
  model(_, form) {
    this.none = false;
    this.asked = this.told = this.sheet.url = null;
    $(".nearest", form).classList.add("waiting");
    $(".nearest .film", form).replaceChildren();
    $(".nearest ol", form).replaceChildren();
    $("[data-way]", form).textContent = "";
    $(".nearest .reading", form).textContent = say("invert_searching");
  },

  update(query, form) {
    const own = new URLSearchParams(query);
    own.delete("space"); // no matter of the picture
    stage.ask(route("frame.png", own), describe(own));
    $(".nearest", form).classList.toggle("idle", this.none);
    if (this.none) return;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.look(query, form), this.asked ? 120 : 0);
    if (this.told) this.sheet.ask(route("neighbours.png", query), say("neighbours_row"));
  },

  leave() {
    clearTimeout(this.resting);
  },

  async look(query, form) {
    const url = route("neighbours.json", query);
    if (url === this.asked) return;
    this.asked = url;
    const found = await fetch(url).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    if (url !== this.asked) return;
    if (!found) {
      this.asked = null;
      $(".nearest .reading", form).textContent = say("neighbours_lost");
      return;
    }
    this.none = !found.searched;
    $(".nearest", form).classList.toggle("idle", this.none);
    if (this.none) {
      $(".nearest .reading", form).textContent = say("neighbours_none");
      return;
    }
    this.told = found;
    $(".nearest", form).classList.remove("waiting");
    this.sheet.ask(route("neighbours.png", query), say("neighbours_row"));
    this.tell(found, query.get("space") ?? "features", form);
  },

  tell({ rows, rank, usual, searched, of, judge }, space, form) {
    const written = (distance) => distance.toFixed(2);
    $(".nearest ol", form).replaceChildren(...rows.map(({ label, row, distance }) => {
      const item = node("li", { title: say("neighbours_item", { row, label: label === null ? "" : ` ${props.word(label)}`, distance: written(distance) }) });
      item.append(...[label === null ? null : props.word(label), written(distance)].filter((each) => each !== null).map((textContent) => node("span", { textContent })));
      return item;
    }));
    const share = Math.round(100 * rank);
    const said = say("neighbours_rank", { distance: written(rows[0].distance), share, usual: written(usual) });
    $(".yard", form).style.setProperty("--at", rank);
    $(".yard", form).setAttribute("aria-label", said);
    $(".nearest .reading", form).textContent = said;
    const { generated, real, count } = model().metrics?.evaluation ?? {};
    const whole = generated?.nearest && real?.nearest
      ? say("neighbours_whole", { ratio: generated.nearest.ratio.mean.toFixed(2), copies: percent(generated.nearest.copies.mean, 1), of }) : "";
    const way = { features: "neighbours_features", pixels: "neighbours_pixels" }[space];
    $("[data-way]", form).textContent = `${say(way, { searched, of, judge })} ${whole}`;
  },
};
