// Conditioning: one picture of the whole grid; names along its edges and a button over every cell. Of many fields, those that
// the columns don't go along are chosen below.
tabs.conditioning = {
  route: "grid.png",
  described: "described_grid",

  start(form) {
    const { along } = form.elements;
    along.follow = () => this.fit(form);
    along.addEventListener("input", along.follow);
    this.cells = Object.assign(document.createElement("div"), { className: "cells" });
    this.across = Object.assign(document.createElement("div"), { className: "across" });
    this.down = Object.assign(document.createElement("div"), { className: "down" });
    for (const edge of [this.across, this.down]) edge.setAttribute("aria-hidden", "true");
    $(".frame").append(this.across, this.down, this.cells);
    this.cells.addEventListener("click", ({ target }) => "at" in target.dataset && this.carry(target));
    this.cells.addEventListener("keydown", (event) => this.move(event));
  },

  // The condition's fields, the choices first; the first of them is the routes' default.
  get fields() {
    return [...model().fields].sort((a, b) => (b.type === "choice") - (a.type === "choice"));
  },

  model(_, form) {
    const names = this.fields.map((field) => field.name);
    const select = form.elements.along;
    const before = select.value;
    select.replaceChildren(...names.map((name) => new Option(named(name), name)));
    if (names.includes(before)) select.value = before;
    select.dataset.default = names[0];
    $("[data-along]", form).hidden = names.length < 2;
    this.usual ??= form.elements.rows.dataset.default;
    this.fit(form);
  },

  // As many rows as the columns leave room for; the columns' own field is not chosen.
  fit(form) {
    const { along, rows } = form.elements;
    rows.max = this.room(this.fields.find((field) => field.name === along.value));
    const wanted = rows.value === rows.dataset.default ? this.usual : rows.value;
    rows.dataset.default = Math.min(this.usual, rows.max);
    put(rows, String(Math.min(wanted, rows.max)));
    for (const control of $$(".fields [name]", form)) {
      control.disabled = control.name === form.elements.along.value;
      control.closest(".field, .slider, .dropdown, .chip:has([type=checkbox])").hidden = control.disabled;
    }
  },

  // Rows of noises that one answer has room for under the columns of a field.
  room(field) {
    const columns = field ? this.values(field)[0].length : 1;
    return Math.max(1, Math.min(16, Math.floor(Math.min(props.most, room()) / columns)));
  },

  // What the columns ask for, with a name for each; pictures and captions are numbered.
  values({ type, choices, examples, low, high }) {
    if (type === "choice") return [choices, choices.map(props.word)];
    if (type !== "range") return [examples, examples.map((_, index) => String(index + 1))];
    const steps = Array.from({ length: 7 }, (_, step) => String(Number((low + ((high - low) * step) / 6).toPrecision(4))));
    return [steps, steps.map((step) => String(Number(Number(step).toPrecision(2))))];
  },

  shape(query) {
    const field = this.fields.find(({ name }) => name === query.get("along")) ?? this.fields[0];
    const [columns, rows] = [this.values(field)[0].length, Number(query.get("rows"))];
    return query.has("transpose") ? tiled(rows, columns) : tiled(columns, rows);
  },

  update(query, form) {
    const field = model().fields.find((each) => each.name === form.elements.along.value);
    if (!field) return;
    const [values, titles] = this.values(field);
    const noises = Array.from({ length: Number(query.get("rows")) }, (_, index) => String(index + 1));
    const swapped = query.has("transpose");
    $(".asked", form).replaceChildren(...(field.type === "caption" ? values : []).map((value) => node("li", { textContent: value })));
    const key = JSON.stringify([noises.length, swapped, field.name, titles, page.model]);
    if (this.key === key) return;
    this.key = key;
    const [rows, columns] = swapped ? [titles, noises] : [noises, titles];
    this.columns = columns.length;
    for (const [edge, names] of [[this.across, columns], [this.down, rows]]) {
      edge.replaceChildren(...names.map((name) => Object.assign(document.createElement("span"), { textContent: name })));
      const room = edge === this.across ? 70 / names.length : 2; // letters
      edge.classList.toggle("long", names.some((name) => name.length > room));
    }
    $(".explorer").classList.toggle("long-across", this.across.classList.contains("long"));
    $(".explorer").classList.toggle("long-down", this.down.classList.contains("long"));
    if (isDrawn(field)) {
      $$("span", swapped ? this.down : this.across).forEach((span, at) => span.replaceChildren(thumbnail(field, values[at])));
    }
    this.cells.style.gridTemplateColumns = `repeat(${columns.length}, 1fr)`;
    this.cells.replaceChildren(...rows.flatMap((_, row) => columns.map((_, column) => {
      const [index, at] = swapped ? [column, row] : [row, column];
      const cell = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1 });
      const label = field.type === "caption" ? values[at] : field.choices ? titles[at] : `${named(field.name)} ${titles[at]}`;
      cell.title = say("cell", { label, n: index + 1 });
      Object.assign(cell.dataset, { index, field: field.name, at: values[at] });
      return cell;
    })));
    if (this.cells.firstChild) this.cells.firstChild.tabIndex = 0; // none where the field has no examples
  },

  // The cell's noise and label, made large in Generate.
  carry(cell) {
    const query = read("conditioning");
    for (const key of ["rows", "transpose", "along"]) query.delete(key);
    if (cell.dataset.index !== "0") query.set("first", cell.dataset.index);
    query.set(cell.dataset.field, cell.dataset.at);
    open("generate", query);
    $('[role="tab"][data-tab="generate"]').focus({ preventScroll: true });
  },

  move(event) {
    const cells = [...this.cells.children];
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    const next = cells[cells.indexOf(event.target) + step];
    if (!step || !next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  },
};
