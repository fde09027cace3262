// The page's script. It runs inside gr.HTML's `js_on_load`, which gives it `element` and `props`; the tabs' scripts
// follow in the same function, each adding itself to `tabs`, and `start()` comes last.
//
// State lives in the forms: a named control is a parameter of the routes and of the address alike. Pixels come from
// the plain routes beside Gradio: the newest value wins, a few requests are in flight, the old picture stays until the
// new one is decoded.

const tabs = {};
const $ = (selector, root = element) => root.querySelector(selector);
const $$ = (selector, root = element) => [...root.querySelectorAll(selector)];
const say = (key, values = {}) =>
  props.texts[key].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
const page = { tab: null, model: null };

// A picture that follows the newest address asked for. It does not ask the server to drop older requests (`client`):
// while a slider moves, each would be dropped by the next, and nothing would be seen before the hand rests.
class Live {
  constructor(box, { limit = 3, shown = () => {}, failed = () => {} } = {}) {
    Object.assign(this, { box, limit, shown, failed });
    this.newest = this.latest = this.flying = 0; // numbers of the request asked for and shown last; how many fly
    this.waiting = null;
  }

  ask(url, alt) {
    if (url === this.url && !this.late) return;
    Object.assign(this, { url, late: false });
    this.waiting = { url, alt, number: ++this.newest };
    this.#next();
  }

  #next() {
    if (!this.waiting || this.flying >= this.limit) return;
    const job = this.waiting;
    this.waiting = null;
    this.flying++;
    this.#load(job).finally(() => {
      this.flying--;
      this.#next();
    });
  }

  async #load(job) {
    const image = new Image();
    Object.assign(image, { alt: job.alt, draggable: false, fetchPriority: "high", src: job.url });
    try {
      await image.decode();
    } catch {
      return job.number === this.newest && this.#explain(job);
    }
    if (job.number < this.latest) return;
    this.latest = job.number;
    const old = $("img", this.box);
    if (old) old.replaceWith(image);
    else this.box.prepend(image);
    this.shown(image);
  }

  // An image does not say why it did not come. Refused for good: the reason; else the newest is asked for again.
  async #explain(job) {
    const answer = await fetch(job.url).catch(() => null);
    if (answer?.status >= 400 && answer.status < 500) {
      this.failed(say("refused", { why: (await answer.text()).slice(0, 300) }));
      return;
    }
    if (!answer?.ok) this.failed(say(answer ? "busy" : "offline"));
    this.late = true;
    const seconds = answer?.ok ? 0.2 : Number(answer?.headers.get("Retry-After")) || 2;
    setTimeout(() => this.late && job.number === this.newest && this.ask(job.url, job.alt), seconds * 1000);
  }
}

// ---- forms and addresses

const form = (name = page.tab) => $(`form[data-tab="${name}"]`);
const model = () => props.models.find((each) => each.name === page.model);
const plain = (query) => query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");

// The address of a picture: the tab's parameters without those that only the page knows.
function route(path, query) {
  const own = new URLSearchParams(query);
  for (const control of $$("[data-page]")) own.delete(control.name);
  return `${path}?${plain(own)}&v=${model().version}`;
}

const isOption = (control) => ["radio", "checkbox"].includes(control.type);

// A tab's state as the routes' parameters. What stands at its default is left out unless it is marked as kept.
function read(name = page.tab) {
  const query = new URLSearchParams({ model: page.model });
  for (const control of form(name).elements) {
    if (!control.name || (isOption(control) && !control.checked)) continue;
    if ("keep" in control.dataset || control.value !== (control.dataset.default ?? "")) {
      query.set(control.name, control.value);
    }
  }
  for (const list of $$("[data-list]", form(name))) {
    const values = $$("input", list).map((input) => ("touched" in input.dataset ? input.value : null));
    const end = values.findLastIndex((value) => Number(value)) + 1;
    const text = list.dataset.kind === "dense"
      ? values.slice(0, end).map((value) => value ?? 0).join(",")
      : values.map((value, index) => value !== null && `${index}:${value}`).filter(Boolean).join(",");
    if (text) query.set(list.dataset.list, text);
  }
  return query;
}

// The reverse: what the parameters do not name goes back to its default.
function write(query, name = page.tab) {
  for (const control of form(name).elements) {
    if (control.name) put(control, query.get(control.name) ?? control.dataset.default ?? "");
  }
  for (const list of $$("[data-list]", form(name))) {
    const entries = (query.get(list.dataset.list) ?? "").split(",").filter(Boolean);
    const dense = list.dataset.kind === "dense";
    const values = new Map(entries.map((entry, index) => (dense ? [index, entry] : splitAt(entry, ":"))));
    $$("input", list).forEach((input, index) => {
      delete input.dataset.touched;
      if (values.has(index)) input.dataset.touched = "";
      put(input, values.get(index) ?? "0");
    });
  }
}

const splitAt = (entry, mark) => [Number(entry.split(mark)[0]), entry.split(mark)[1] ?? "0"];

// Puts a value into a control exactly, though it may be none that the control could have been moved to.
function put(control, value) {
  if (isOption(control)) {
    const group = [...control.form.elements].filter((each) => each.name === control.name);
    if (control.type === "radio" && control === group[0] && !group.some((each) => each.value === value)) {
      control.closest(".chips").append(chip(control, value));
    }
    control.checked = control.value === value;
    return;
  }
  if (control.tagName === "SELECT" && ![...control.options].some((option) => option.value === value)) {
    control.add(new Option(value, value));
  }
  control.value = value;
  if (control.type === "range" && Number(control.value) !== Number(value) && Number.isFinite(Number(value))) {
    control.step = "any";
    control.min = Math.min(control.min, value);
    control.max = Math.max(control.max, value);
    control.value = value;
  }
  if (control.type === "range") paint(control);
}

// One more chip, for a mixture that came with the address.
function chip(like, value) {
  const label = like.closest("label").cloneNode(true);
  $("input", label).value = value;
  $("span", label).textContent = value;
  return label;
}

// A slider's number and the filled part of its track.
function paint(input) {
  const share = (value) => `${(100 * (value - input.min)) / (input.max - input.min)}%`;
  input.style.setProperty("--at", share(input.value));
  input.style.setProperty("--zero", share(Math.max(input.min, 0)));
  const loose = input.closest('[data-kind="sparse"]') && !("touched" in input.dataset);
  input.nextElementSibling.textContent = loose ? say("unset") : Number(input.value).toFixed(decimals(input));
  input.parentElement.classList.toggle("loose", Boolean(loose));
}

const decimals = (input) => (input.step === "any" ? 2 : (input.step.split(".")[1] ?? "").length);

function permalink() {
  const query = new URLSearchParams({ tab: page.tab });
  read().forEach((value, key) => query.set(key, value));
  const theme = new URLSearchParams(location.search).get("__theme");
  if (theme) query.set("__theme", theme);
  return `${location.pathname}?${plain(query)}`;
}

// Browsers limit how often the address may change, so it follows when the hand rests.
function remember() {
  clearTimeout(page.resting);
  page.resting = setTimeout(keep, 200);
}

function keep() {
  clearTimeout(page.resting);
  history.replaceState(history.state, "", permalink());
  if (parent !== window) parent.postMessage({ queryString: permalink().split("?")[1] }, "https://huggingface.co");
}

// ---- the stage

const stage = new Live($(".frame"), {
  shown(image) {
    $(".frame").style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    const scale = Math.min(16, Math.max(1, Math.floor(1120 / Math.max(image.naturalWidth, image.naturalHeight))));
    const save = $("[data-save]");
    save.href = `${image.src}&scale=${scale}`;
    save.download = `${page.model}-${page.tab}.png`;
    warn("");
  },
  failed: warn,
});

function warn(message) {
  const line = $(".warning");
  if (line.textContent !== message) line.textContent = message;
}

// What the picture shows, in words: every parameter but the model and the invisible ones.
function describe(query, key = "described") {
  const parts = [...query].filter(([name]) => name !== "model").map(([name, value]) => `${name} ${value}`);
  return say(key, { what: parts.join(", ") });
}

// The chosen tab's state has changed: its picture follows, and the address a little later.
function changed() {
  if (!form().checkValidity()) return;
  const query = read();
  tabs[page.tab].update?.(query, form());
  const own = tabs[page.tab];
  stage.ask(route(own.route, query), describe(query, own.described));
  remember();
}

function show(name, query) {
  tabs[page.tab]?.leave?.(form());
  page.tab = name;
  $(".explorer").dataset.tab = name;
  for (const button of $$('[role="tab"]')) {
    const chosen = button.dataset.tab === name;
    button.setAttribute("aria-selected", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  for (const panel of $$('[role="tabpanel"]')) panel.hidden = panel.id !== `panel-${name}`;
  if (query) write(query);
}

function open(name, query) {
  show(name, query);
  changed();
}

// A model brings its own condition, directions and width of noise; seeds and the rest stay.
function choose(name) {
  page.model = name;
  for (const tab of Object.keys(tabs)) {
    const before = tab in page.seen ? read(tab) : new URLSearchParams();
    page.seen[tab] = true;
    for (const place of $$(".fields", form(tab))) {
      $$(":scope > :not(template)", place).forEach((old) => old.remove());
      const template = $$("template", place).find((each) => each.dataset.model === name);
      place.append(template.content.cloneNode(true));
    }
    for (const list of $$("[data-list]", form(tab))) fill(list);
    for (const field of model().fields) {
      for (const key of [field.name, `${field.name}2`]) {
        if (!field.choices?.includes(before.get(key))) before.delete(key);
      }
    }
    ["z", "raw"].forEach((key) => before.delete(key));
    write(before, tab);
    tabs[tab].model?.(model(), form(tab));
  }
}

function fill(list) {
  const { list: name, tab, low, high, step, kind } = list.dataset;
  const dense = kind === "dense";
  const count = dense ? Math.min(8, model().directions) : model().noise_dim;
  list.replaceChildren(...Array.from({ length: count }, (_, index) => {
    const row = document.createElement("div");
    row.className = "slider";
    const id = `${tab}-${name}-${index}`;
    row.innerHTML = `<label for="${id}"></label><input type="range" id="${id}" min="${low}" max="${high}"
      step="${step}" value="0" data-index="${index}"><output for="${id}"></output>`;
    $("label", row).textContent = say(dense ? "direction" : "component", { n: dense ? index + 1 : index });
    return row;
  }));
}

// ---- what people do

function listen() {
  element.addEventListener("input", ({ target }) => {
    if (target.matches("[data-list] input")) target.dataset.touched = "";
    if (target.type === "range") paint(target);
    if (target.form?.dataset.tab === page.tab) changed();
  });
  element.addEventListener("dblclick", ({ target }) => {
    if (target.type !== "range") return;
    delete target.dataset.touched;
    put(target, target.dataset.default ?? "0");
    changed();
  });
  element.addEventListener("submit", (event) => event.preventDefault());
  for (const dice of $$("[data-dice]")) {
    dice.addEventListener("click", () => {
      const own = dice.closest("form");
      own.elements[dice.dataset.dice].value = Math.floor(Math.random() * 100000);
      tabs[page.tab].drawn?.(own);
      changed();
    });
  }
  for (const button of $$('[role="tab"]')) button.addEventListener("click", () => open(button.dataset.tab));
  $('[role="tablist"]').addEventListener("keydown", turn);
  $("[data-copy]").addEventListener("click", copy);
  $("[data-models]")?.addEventListener("change", ({ target }) => {
    choose(target.value);
    changed();
  });
  addEventListener("pagehide", keep);
}

function turn(event) {
  const buttons = $$('[role="tab"]');
  const at = buttons.findIndex((button) => button.dataset.tab === page.tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const button = buttons.at(to % buttons.length);
  open(button.dataset.tab);
  button.focus();
}

async function copy({ currentTarget: button }) {
  keep();
  const link = new URL(permalink(), location.href).href;
  let done;
  if (navigator.clipboard) {
    done = await navigator.clipboard.writeText(link).then(() => true, () => false);
  } else {
    // Plain http, as in a classroom: the clipboard takes only what is selected.
    const area = Object.assign(document.createElement("textarea"), { value: link });
    button.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = $("span", button);
  label.textContent = say(done ? "copied" : "copy_failed");
  setTimeout(() => (label.textContent = say("copy")), 2000);
}

function start() {
  const query = new URLSearchParams(location.search);
  const names = props.models.map((each) => each.name);
  const asked = query.get("model") ?? names[0];
  page.seen = {};
  choose(names.includes(asked) ? asked : names[0]);
  for (const [name, tab] of Object.entries(tabs)) tab.start?.(form(name));
  listen();
  if ($("[data-models]")) $("[data-models]").value = page.model;
  show(query.get("tab") in tabs ? query.get("tab") : Object.keys(tabs)[0], query);
  if (names.includes(asked)) changed();
  else warn(say("no_model", { name: asked, names: names.join(", ") }));
}
