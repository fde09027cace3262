// The page's script: the inside of a function of `element`, `props`, `addEventListener` (the window's, for as long as this
// page lives) and `before` (static/language.js). The tabs' scripts follow in it, each adding itself to `tabs`, and
// `start(before)` comes last.
//
// Pixels come from the plain routes beside Gradio: the newest value wins, a few requests are in flight, the old picture
// stays until the new one is decoded.

const tabs = {};
const $ = (selector, root = element) => root.querySelector(selector);
const $$ = (selector, root = element) => [...root.querySelectorAll(selector)];
const say = (key, values = {}) =>
  props.texts[key].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
const page = { tab: null, model: null };

// A field's or a choice's name, as the language has it if it is a known one. A field's comes first: "light" alone is also
// what a skin can be.
function named(name) {
  const words = name.replaceAll("_", " ");
  const title = words.charAt(0).toUpperCase() + words.slice(1);
  return [title, words].map(props.word).find((told) => told !== title && told !== words) ?? title;
}

// ---- the stage

const stage = new Live($(".frame"), {
  shown(image, milliseconds) {
    $(".frame").style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    const scale = Math.min(16, Math.max(1, Math.floor(1120 / Math.max(image.naturalWidth, image.naturalHeight))));
    $("[data-save]").href = `${image.src}&scale=${scale}`;
    warn("");
    home.shown(image.src);
    readout.note(milliseconds);
  },
  failed: warn,
});

function warn(message) {
  const line = $(".warning");
  if (line.textContent !== message) line.textContent = message;
}

// What the picture shows, in words: every parameter of its route but the model. A picture that was asked for has no words.
function describe(query, key = "described") {
  const fields = model().fields.map((field) => field.name);
  const title = (name) => {
    const first = name.replace(/2$/, ""); // of the second end
    const told = fields.includes(first) ? named(first) : props.texts[first] ?? props.texts[`${page.tab}_${first}`];
    return told ? told + (first === name ? "" : " 2") : name;
  };
  const words = (value) => (/^[\w:,.-]{60,}$/.test(value) ? "" : ` ${props.word(value)}`);
  const silent = ["model", ...$$("[data-page]").map((control) => control.name)];
  const parts = [...query].filter(([name]) => !silent.includes(name))
    .map(([name, value]) => title(name) + words(value));
  return say(key, { what: parts.join(", ") });
}

// The chosen tab's state has changed: its picture follows, and the address a little later. What is half written shows
// what was there before; where nothing was, as with an address that is wrong, or it was of another tab or model (`anew`),
// the server says why.
function changed({ anew = false } = {}) {
  if (page.over) return; // an answer that came late
  if (!anew && !form().checkValidity() && $(".frame img")) return;
  const query = read();
  tabs[page.tab].update?.(query, form());
  const own = tabs[page.tab];
  $(".box").style.setProperty("--shape", own.shape?.(query) ?? 1);
  if (own.route) stage.ask(route(own.route, query), describe(query, own.described));
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
    if (chosen) button.parentElement.scrollLeft = button.offsetLeft - 40;
  }
  for (const below of $$(".below")) below.hidden = below.dataset.tab !== name;
  for (const panel of $$('[role="tabpanel"]')) panel.hidden = panel.id !== `panel-${name}`;
  if (query) write(query);
}

// Another tab is another place in the browser's history; what changes in a tab changes its place's address.
function open(name, query) {
  const other = name !== page.tab;
  if (other) keep();
  turnTo(name, query);
  if (other) history.pushState(history.state, "", permalink());
  $('[role="tablist"]').scrollIntoView({ block: "nearest" });
}

function turnTo(name, query) {
  const asked = query?.get("model") ?? page.model;
  if (asked !== page.model) choose(asked);
  show(name, query);
  changed({ anew: true });
}

const tabOf = (query) => (Object.hasOwn(tabs, query.get("tab")) ? query.get("tab") : "generate");

// A model brings its own condition, directions and width of noise; seeds and the rest stay.
function choose(name) {
  page.model = name;
  if ($("[data-models]")) $("[data-models]").value = name;
  $(".explorer").classList.toggle("smooth", model().channels > 1);
  for (const tab of Object.keys(tabs)) {
    const before = tab in page.seen ? read(tab) : new URLSearchParams();
    page.seen[tab] = true;
    for (const place of $$(".fields", form(tab))) {
      $$(":scope > :not(template)", place).forEach((old) => old.remove());
      const template = $$("template", place).find((each) => each.dataset.model === name);
      place.append(template.content.cloneNode(true));
      begin(place);
      dress(place);
    }
    for (const list of $$("[data-list]", form(tab))) fill(list);
    for (const field of model().fields) {
      for (const key of [field.name, `${field.name}2`]) {
        if (!takes(field, before.get(key) ?? "")) before.delete(key);
      }
    }
    ["z", "raw"].forEach((key) => before.delete(key));
    write(before, tab);
    const { count } = form(tab).elements;
    if (count) {
      count.max = Math.max(1, Math.min(8, Math.floor(Math.sqrt(room())))) ** 2; // the largest square sheet that has room
      put(count, String(Math.min(count.value, count.max)));
    }
    tabs[tab].model?.(model(), form(tab));
    lack(tab);
  }
}

// A tab that does not serve every model says so of this one, and offers the first on the page that it serves.
function lack(tab) {
  const { serves } = tabs[tab];
  if (!serves) return;
  $(`#panel-${tab}`).classList.toggle("idle", !serves(model()));
  const other = props.models.find(serves)?.name;
  const button = $("[data-switch]", form(tab));
  Object.assign(button, { hidden: !other, value: other, textContent: say("switch_model", { name: other }) });
}

// Whether a text is one of a field's choices, or a mixture of some.
const takes = ({ choices = [] }, text) =>
  choices.includes(text) || text.split(",").every((part) => choices.includes(part.replace(/:[^:]*$/, "")));

// The first end of a condition begins as the model's opening has it; what is mixed (NAME:WEIGHT,...), as its tab has it.
// The routes' own defaults are others, so that it always stands in the address.
function begin(place) {
  for (const control of $$('[name]:not([data-default*=":"])', place)) {
    const value = model().opening[control.name];
    if (value === undefined) continue;
    Object.assign(control.dataset, { default: value, keep: "" });
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
    if (target.matches("[data-list] input")) {
      target.dataset.touched = "";
      delete target.closest("[data-list]").dataset.given;
    }
    if (target.type === "range") paint(target);
    if (target.type === "number" && /\D/.test(target.value)) return; // 1e3, of which `change` makes 1000
    if (target.form?.dataset.tab === page.tab) changed();
  });
  // A number that is left empty or wrong is again what it was, lest every control be dead.
  element.addEventListener("focusin", ({ target }) => {
    if (target.type === "number") target.dataset.was = target.validity.valid ? target.value : target.dataset.default;
  });
  element.addEventListener("change", ({ target }) => {
    if (target.type !== "number") return;
    const now = target.validity.valid ? String(target.valueAsNumber) : target.dataset.was;
    if (now === target.value) return;
    target.value = now;
    changed();
  });
  element.addEventListener("dblclick", ({ target }) => {
    if (target.type !== "range") return;
    put(target, target.dataset.default ?? target.defaultValue);
    tell(target);
    delete target.dataset.touched;
    paint(target);
    if (target.form) changed();
  });
  // A finger that scrolls the page from a slider on has moved nothing.
  const began = new Map(); // by finger
  element.addEventListener("pointerdown", ({ target: { value, dataset }, pointerId }) => began.set(pointerId, { value, touched: "touched" in dataset }));
  element.addEventListener("pointercancel", ({ target, pointerId }) => {
    if (target.type !== "range") return;
    const { value, touched } = began.get(pointerId);
    target.value = value;
    tell(target);
    if (touched) return;
    delete target.dataset.touched;
    paint(target);
    changed();
  });
  element.addEventListener("submit", (event) => event.preventDefault());
  for (const dice of $$("[data-dice]")) {
    dice.addEventListener("click", () => {
      const own = dice.closest("form");
      own.elements[dice.dataset.dice].value = Math.floor(Math.random() * 100000);
      for (const name of ["first", "raw", "z", "strength"]) {
        const control = own.elements[name];
        if (control?.type === "hidden") control.value = control.dataset.default;
      }
      const query = read();
      if (settled(query)) {
        query.delete("raw");
        write(query);
      }
      changed();
    });
  }
  for (const button of $$('[role="tab"]')) button.addEventListener("click", () => open(button.dataset.tab));
  $('[role="tablist"]').addEventListener("keydown", turn);
  $("[data-copy]").addEventListener("click", copy);
  $("[data-save]").addEventListener("click", ({ currentTarget: link }) => {
    link.download = `${modelOf(new URL(link.href).searchParams).name}-${page.tab}.png`;
  });
  $("[data-models]")?.addEventListener("change", ({ target }) => {
    choose(target.value);
    changed({ anew: true });
  });
  for (const button of $$("[data-switch]")) {
    button.addEventListener("click", () => {
      choose(button.value);
      changed({ anew: true });
      $("[data-models]").focus();
    });
  }
  for (const button of $$("[data-language]")) {
    button.setAttribute("aria-pressed", button.dataset.language === props.language);
    button.addEventListener("click", () => button.dataset.language !== props.language && props.speak(button.dataset.language));
  }
  addEventListener("pagehide", keep);
  addEventListener("popstate", () => {
    const query = new URLSearchParams(location.search);
    turnTo(tabOf(query), query);
  });
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

function copy({ currentTarget: button }) {
  keep();
  copyText(new URL(permalink(), location.href).href, button, "copied");
}

// The button says how it went, for a while.
async function copyText(text, button, key) {
  let done;
  if (navigator.clipboard) {
    done = await navigator.clipboard.writeText(text).then(() => true, () => false);
  } else {
    // Plain http, as in a classroom: the clipboard takes only what is selected.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    button.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = $("span", button);
  const failed = { copied: "copy_failed", copied_code: "copy_code_failed" };
  label.textContent = say(done ? key : failed[key]);
  setTimeout(() => (label.textContent = say(label.dataset.text)), 2000);
}

// `before` is what the page in another language ended with.
function start(before) {
  const query = new URLSearchParams(location.search);
  const names = props.models.map((each) => each.name);
  const asked = query.get("model") ?? names[0];
  page.seen = {};
  Object.assign(tabs.directions.named, before?.named);
  document.title = say("title");
  choose(names.includes(asked) ? asked : names[0]);
  for (const [name, tab] of Object.entries(tabs)) tab.start?.(form(name));
  home.start();
  readout.start(before?.readout ?? false);
  listen();
  for (const [name, state] of before?.states ?? []) write(state, name);
  show(tabOf(query), query);
  if (names.includes(asked)) changed();
  else warn(say("no_model", { name: asked, names: names.join(", ") }));
  if (before) $(`[data-language="${props.language}"]`).focus();
  return { end, warn: () => warn(say("no_language")) };
}

// Nothing of this page moves any more, or changes the address. What another begins with.
function end() {
  tabs[page.tab].leave?.(form());
  keep();
  page.over = true;
  const states = Object.keys(tabs).map((name) => [name, read(name)]);
  const { on } = readout;
  readout.turn(false);
  return { states, readout: on, named: tabs.directions.named };
}
