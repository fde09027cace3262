// Model card: the figures of metrics.json as tables, a heat map and two curves. Everything goes in as text, never as
// HTML, because a model's folder may come from anybody.
tabs.card = {
  route: "grid.png",
  described: "described_grid",
  shape: (query) => tabs.conditioning.shape(query),

  // The samples' state has nothing to change here; the card follows the model.
  model({ metrics }, form) {
    const { rows } = form.elements;
    this.usual ??= rows.dataset.default;
    rows.value = rows.dataset.default = Math.min(this.usual, tabs.conditioning.room(tabs.conditioning.fields[0]));
    let parts;
    try {
      parts = this.parts(metrics);
    } catch {
      parts = [node("p", { textContent: say("card_odd") })];
    }
    $(".card", form).replaceChildren(...parts);
  },

  parts({ training, evaluation, curve: checks, timeline }) {
    const curve = [checks, timeline].map(judged).find((each) => each.length > 1);
    return [
      ...(evaluation ? [this.notice(evaluation), this.figures(evaluation)] : [node("p", { textContent: say("card_none") })]),
      ...(evaluation?.generated.obedience.confusion ? [this.confusion(evaluation)] : []),
      ...(evaluation ? this.details(evaluation) : []),
      ...(curve ? [this.curves(curve, evaluation)] : []),
      ...(training ? [this.made(training)] : []),
    ];
  },

  // What the figures say together: obedience alone can be had by playing safe.
  notice({ features, form, headline, generated, ratio }) {
    const judged = form === "label" && generated.obedience[headline].mean > features.judge_accuracy;
    const recall = say(ratio.recall < 0.97 ? "card_recall_low" : "card_recall_high", { recall: percent(ratio.recall, 0) });
    const words = judged ? `${say("card_safe", { judge: percent(features.judge_accuracy) })} ${recall}` : recall;
    return node("p", { textContent: words.charAt(0).toUpperCase() + words.slice(1) });
  },

  figures(evaluation) {
    const { generated, real, ratio, headline, features, count, seeds, usefulness } = evaluation;
    const share = SHARES.includes(headline) ? percent : plainly;
    const rows = [
      ["obedience", generated.obedience[headline], real.obedience[headline], share],
      ["usefulness", usefulness?.generated, usefulness?.real.mean, percent],
      ["frechet", generated.frechet, real.frechet, plainly],
      ["kernel", generated.kernel, real.kernel, plainly],
      ...["precision", "recall"].map((name) => [name, generated[name], real[name], percent]),
      ["density", generated.density, real.density, plainly],
      ["coverage", generated.coverage, real.coverage, percent],
      ["variety", generated.variety?.ratio, real.variety?.ratio, percent],
      ["noise_variety", generated.noise_variety, real.noise_variety, percent],
      ["nearest", generated.nearest.distance, real.nearest.distance, plainly],
      ["copies", generated.nearest.copies, real.nearest.copies, percent],
      ["inception", evaluation.inception_v3_fid?.generated, evaluation.inception_v3_fid?.real, plainly],
    ].filter(([, own]) => own);
    const heads = ["figure", "generated", "real", "ratio"];
    return node("section", {}, node("h2", { textContent: say("card_figures") }),
      node("table", { className: "figures" },
        node("thead", {}, node("tr", {}, ...heads.map((name) => node("th", { scope: "col", textContent: say(`card_${name}`) })))),
        node("tbody", {}, ...rows.map(([name, own, floor, write]) => node("tr", {},
          node("th", { scope: "row", textContent: say(`card_${name}`), title: say(`card_${name}_means`) }),
          node("td", {}, write(own.mean), node("small", { textContent: own.std == null ? "" : ` ± ${write(own.std)}` })),
          node("td", { textContent: floor == null ? "" : write(floor) }),
          node("td", { textContent: name in ratio ? `${ratio[name].toPrecision(3)} ×` : "" }))))),
      node("p", { className: "hint", textContent:
        say("card_measured", { count: count.toLocaleString(props.language), seeds: seeds.length, features: features.name }) }));
  },

  // Every attribute, or every class of a map, with a figure of its own.
  details({ generated, real }) {
    const each = (kind) => Object.entries(generated.obedience[kind] ?? {}).filter(([, own]) => own?.mean != null);
    const kinds = DETAILS.filter(([kind]) => each(kind).length);
    const heads = ["figure", "generated", "real"];
    const rows = kinds.flatMap(([kind, write]) => each(kind).map(([name, own]) =>
      node("tr", {}, node("th", { scope: "row", textContent: named(name), title: say(`card_${kind}_means`) }),
        ...[own.mean, real.obedience[kind]?.[name]].map((value) =>
          node("td", { textContent: value == null ? "" : write(value) })))));
    return kinds.length ? [node("section", {}, node("h2", { textContent: say("card_details") }),
      node("table", { className: "figures" },
        node("thead", {}, node("tr", {}, ...heads.map((name) => node("th", { scope: "col", textContent: say(`card_${name}`) })))),
        node("tbody", {}, ...rows)),
      ...kinds.map(([kind]) => node("p", { className: "hint", textContent: say(`card_${kind}_means`) })))] : [];
  },

  // Rows: asked; columns: read by the judge. Small shares are what one looks for, so the shade grows like a root.
  confusion({ generated: { obedience: { confusion } } }) {
    const choice = model().fields.find((each) => each.type === "choice");
    const names = choice?.choices.length === confusion.length ? choice.choices.map(props.word) : confusion.map((_, index) => String(index));
    const line = node("p", { className: "hint reading", role: "status", textContent: say("card_pick") });
    const cells = confusion.map((row, asked) => row.map((share, read) => {
      const what = say("card_cell", { asked: names[asked], read: names[read], share: percent(share, 2) });
      const shade = Math.round(100 * share ** 0.3);
      const cell = node("td", { tabIndex: asked + read ? -1 : 0, title: what, textContent: short(100 * share) });
      cell.className = asked === read ? "right" : "wrong";
      cell.style.setProperty("--shade", `${shade}%`);
      for (const event of ["focus", "mouseenter"]) cell.addEventListener(event, () => (line.textContent = what));
      return cell;
    }));
    const body = node("tbody", {}, ...cells.map((row, index) =>
      node("tr", {}, node("th", { scope: "row", textContent: names[index] }), ...row)));
    body.addEventListener("keydown", (event) => this.move(event, cells));
    const long = names.some((name) => name.length > 2);
    return node("section", {}, node("h2", { textContent: say("card_confusion") }),
      node("table", { className: `confusion${long ? " long" : ""}` },
        node("caption", { textContent: say("card_axes") }),
        node("thead", {}, node("tr", {}, node("td"), ...names.map((name) =>
          node("th", { scope: "col" }, node("span", { textContent: name }))))),
        body),
      line);
  },

  move(event, cells) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const row = cells.findIndex((each) => each.includes(event.target));
    const next = step && cells[row + step[0]]?.[cells[row].indexOf(event.target) + step[1]];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  },

  curves(points, evaluation) {
    const judge = evaluation?.features.judge_accuracy;
    return node("section", {}, node("h2", { textContent: say("card_curves") }), node("div", { className: "charts" },
      chart([{ points }], "obedience", { line: evaluation?.form === "label" ? judge : null, mark: "card_judge", write: percent }),
      chart([{ points }], "frechet_ratio", { log: true, line: 1, mark: "card_floor", write: threeDigits })));
  },

  made(training) {
    const rows = ["commit", "hardware", "kimg", "minutes"].filter((name) => training[name] != null);
    const runs = []; // commands, of which one may make several runs
    for (let run = training; run; run = run.began_from) {
      if (run.command && String(run.command) !== runs[0]) runs.unshift(String(run.command));
    }
    const number = (value) => (typeof value === "number" ? Math.round(value).toLocaleString(props.language) : String(value));
    return node("section", {}, node("h2", { textContent: say("card_made") }), node("dl", {},
      ...(runs.length ? [node("dt", { textContent: say("card_command") }), node("dd", {}, ...runs.map((run) => node("div", {}, ...options(run))))] : []),
      ...rows.flatMap((name) => [node("dt", { textContent: say(`card_${name}`) }), node("dd", { textContent: number(training[name]) })])));
  },
};

// A command's parts, each of an option and its value.
const options = (text) => text.split(/ (?=--)/).flatMap((part, index) => [index ? " " : "", node("span", { textContent: part })]);
const SHARES = ["accuracy", "iou", "term_accuracy", "f1"];
const DETAILS = [["spearman", plainly], ["accuracy", percent], ["terms", percent], ["classes", percent]];
const short = (value) => (value < 0.005 ? "" : value >= 99.95 ? "100" : value < 1 ? value.toFixed(2).slice(1) : value.toFixed(1));
