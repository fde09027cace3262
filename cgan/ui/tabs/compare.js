// Techniques: the chosen rows of the bundled study side by side. There is no live picture: what the study drew is
// fetched like any other file, once.
tabs.compare = {
  start(form) {
    this.place = $(".compared", form);
    if (!this.place) return;
    if (matchMedia("(max-width: 860px)").matches) $(".choices", form).open = false;
    $(".choices", form).addEventListener("input", ({ target }) => {
      const chosen = this.chosen(form).filter((name) => name !== target.value);
      form.elements.techniques.value = [...chosen, ...(target.checked ? [target.value] : [])].join(",");
    });
  },

  chosen: (form) => form.elements.techniques.value.split(",").filter(Boolean),

  async update(query, form) {
    if (!this.place) return;
    const boxes = new Map($$(".choices input", form).map((box) => [box.value, box]));
    const { most } = this.place.dataset;
    const names = this.chosen(form).filter((name) => boxes.has(name)).slice(0, most);
    const unknown = this.chosen(form).filter((name) => !boxes.has(name));
    const full = names.length >= most;
    for (const [name, box] of boxes) {
      box.checked = names.includes(name);
      box.disabled = full && !box.checked;
    }
    this.names = names;
    const table = await this.table();
    if (this.names !== names) return; // others have been chosen since
    const said = !table ? say("compare_missing")
      : unknown.length ? say("compare_unknown", { names: unknown.join(", ") })
      : full ? say("compare_most", { most })
      : names.length ? "" : say("compare_none");
    $(".note", this.place).textContent = said;
    if (table) this.show(table, names);
  },

  // Fetched once; asked for again only if it did not come.
  table() {
    this.coming ??= fetch(this.place.dataset.table).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    return this.coming.then((table) => {
      if (!table) this.coming = null;
      return table;
    });
  },

  show(table, names) {
    const rows = names.map((name, place) => {
      const row = table.rows.find((each) => each.name === name);
      return { ...row, title: props.word(row.title), sentence: props.word(row.sentence), place };
    });
    const version = this.place.dataset.table.split("?")[1];
    $(".columns", this.place).replaceChildren(
      node("div", { className: "techniques" }, ...rows.map((row) => this.technique(row, `study/${table.study}/${row.name}.webp?${version}`))),
      ...(rows.some((row) => row.curve.length) ? [this.curves(rows)] : []),
      ...(rows.length ? [this.figures(table, rows)] : []));
  },

  technique(row, address) {
    const { title, sentence, reference, flags, picture, place } = row;
    const options = Object.entries(flags).flatMap(([path, text], index) => [index ? "\n" : "", ...parts(`--${path} ${text}`)]);
    const made = node("article", {},
      node("h2", {}, node("span", { className: "swatch" }), title),
      picture
        ? node("img", { src: address, alt: say("compare_picture", { title }), width: 291, height: 175 })
        : node("p", { className: "empty", textContent: say("compare_nothing") }),
      node("p", { textContent: sentence }),
      ...(row.faults && Object.keys(row.faults).length ? [node("p", { className: "wrong", textContent: this.wrong(row) })] : []),
      node("p", { className: "note", textContent: reference }),
      ...(options.length ? [node("code", {}, ...options)] : []));
    made.dataset.place = place;
    return made;
  },

  wrong({ faults, lasting, seeds }) {
    const said = Object.entries(faults).map(([fault, count]) =>
      say(fault in lasting ? "compare_lasting" : "compare_passing", { fault: props.word(fault), count, seeds: seeds.length }));
    return say("compare_wrong", { what: said.join("; ") });
  },

  curves(rows) {
    const series = rows.map(({ title, place, curve }) => ({ title, place, points: curve }));
    return node("div", { className: "charts" },
      chart(series, "obedience", { write: percent }),
      chart(series, "frechet_ratio", { log: true, line: 1, mark: "card_floor", write: threeDigits }));
  },

  figures({ training, measured }, rows) {
    const kinds = [
      ["obedience", "card_obedience", percent], ["frechet_ratio", "card_frechet_ratio", threeDigits],
      ["kernel", "card_kernel", plainly], ["recall", "card_recall", (value) => percent(value, 1)],
      ["precision", "card_precision", (value) => percent(value, 1)], ["coverage", "card_coverage", (value) => percent(value, 1)],
      ["images_per_second", "compare_images_per_second", (value) => Math.round(value).toLocaleString(props.language)],
    ];
    const head = rows.map(({ title, place }) => {
      const cell = node("th", { scope: "col" }, node("span", { className: "swatch" }), title);
      cell.dataset.place = place;
      return cell;
    });
    const body = kinds.map(([name, key, write]) => node("tr", {},
      node("th", { scope: "row", textContent: say(key) }), ...rows.map((row) => this.cell(row, name, write))));
    const seeds = Math.max(...rows.map((row) => row.seeds.length));
    return node("section", {},
      node("div", { className: "wide", tabIndex: 0 }, node("table", { className: "figures" },
        node("thead", {}, node("tr", {}, node("th", { scope: "col", textContent: say("compare_figure") }), ...head)),
        node("tbody", {}, ...body))),
      node("p", { className: "note", textContent: say(seeds > 1 ? "compare_measured" : "compare_measured_once",
        { seeds, kimg: training.kimg, count: measured.count.toLocaleString(props.language), features: measured.features }) }));
  },

  cell(row, name, write) {
    const own = name in row ? row[name] : row.figures?.[name];
    if (!own) return node("td", { textContent: "–" });
    const parts = [node("span", { textContent: `${write(own.mean)}${own.std == null ? "" : ` ± ${write(own.std)}`}` })];
    if (row.against?.[name]) {
      const { difference, clear } = row.against[name];
      const falls = name === "frechet_ratio"; // a distance: the smaller the better, and compared as a factor
      const change = falls
        ? say("compare_factor", { change: threeDigits(Math.exp(difference)) })
        : say("compare_points", { change: `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(2)}` });
      const verdict = clear == null ? "compare_open" : !clear ? "compare_same" : difference < 0 === falls ? "compare_better" : "compare_worse";
      parts.push(node("small", { className: verdict, textContent: `${change}, ${say(verdict)}` }));
    }
    return node("td", {}, ...parts);
  },
};

// An option that a line may only break after its dots.
const parts = (option) => option.split(/(?<=\.)(?!\d)/).flatMap((part, index) =>
  [...(index ? [node("wbr")] : []), node("span", { textContent: part })]);
