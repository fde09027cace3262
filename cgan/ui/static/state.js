// State lives in the forms: a named control is a parameter of the routes and of the address alike.

const form = (name = page.tab) => $(`form[data-tab="${name}"]`);
const modelNamed = (name) => props.models.find((each) => each.name === name);
const model = () => modelNamed(page.model);
const modelOf = (query) => modelNamed(query.get("model"));
const plain = (query) => query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");

// The address of a picture: the tab's parameters without those that only the page knows.
function route(path, query) {
  const own = new URLSearchParams(query);
  for (const control of $$("[data-page]")) own.delete(control.name);
  return `${path}?${plain(own)}&v=${modelOf(own).version}`;
}

// How many pictures of a model's size have room in one answer, each with a line beside and below it; enlarged, if `scale` says so.
const room = ({ size } = model(), scale = 1) => Math.floor(props.pixels / ((size + 1) * scale) ** 2);

// Width over height of so many pictures tiled, a pixel apart.
const tiled = (columns, rows) => ((model().size + 1) * columns - 1) / ((model().size + 1) * rows - 1);

// The address of a way as an animated GIF, of about 240 pixels where they are small, with as many steps as have room.
function walkOf(way) {
  const own = modelOf(way);
  const scale = Math.max(1, Math.min(16, Math.floor(240 / own.size)));
  const steps = Math.min(32, 1 + Math.floor(room(own, scale) / 2));
  return `${route("walk.gif", way)}&steps=${steps}&scale=${scale}`;
}

// Whether every component of the noise is set, as after a search: whatever the seed, its noises are all this one.
const settled = (query) => query.get("raw")?.split(",").length === modelOf(query).noise_dim;

const isOption = (control) => ["radio", "checkbox"].includes(control.type);

// A tab's state as the routes' parameters. What stands at its default is left out unless it is marked as kept; so is what is
// disabled.
function read(name = page.tab) {
  const query = new URLSearchParams({ model: page.model });
  for (const control of form(name).elements) {
    const off = isOption(control) && !control.checked;
    if (!control.name || control.disabled || (off && !("off" in control.dataset))) continue;
    const value = off ? control.dataset.off : control.value;
    if ("keep" in control.dataset || value !== (control.dataset.default ?? "")) query.set(control.name, value);
  }
  for (const list of $$("[data-list]", form(name))) {
    const values = $$("input", list).map((input) => ("touched" in input.dataset ? input.value : null));
    const end = values.findLastIndex((value) => Number(value)) + 1;
    const moved = list.dataset.kind === "dense"
      ? values.slice(0, end).map((value) => value ?? 0).join(",")
      : values.map((value, index) => value !== null && `${index}:${value}`).filter(Boolean).join(",");
    const text = list.dataset.given ?? moved;
    if (text) query.set(list.dataset.list, text);
  }
  return query;
}

// The reverse: what the parameters do not name goes back to its default. A list stays as it is given until one of its
// sliders moves: it may hold what none of them can show, and what the server has to refuse.
function write(query, name = page.tab) {
  for (const control of form(name).elements) {
    if (control.name) put(control, query.get(control.name) ?? control.dataset.default ?? "");
  }
  for (const list of $$("[data-list]", form(name))) {
    list.dataset.given = query.get(list.dataset.list) ?? "";
    const entries = list.dataset.given.split(",").filter(Boolean);
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

// Puts a value into a control exactly, though it may be none that the control could have been moved to. What shows the
// value elsewhere (static/fields.js, static/drawing.js) follows.
function put(control, value) {
  take(control, value);
  control.follow?.();
}

function take(control, value) {
  if ("off" in control.dataset) {
    control.checked = value !== control.dataset.off;
    control.value = control.checked ? value : control.dataset.on;
    return;
  }
  if (isOption(control)) {
    const group = [...control.form.elements].filter((each) => each.name === control.name);
    if (control.type === "radio" && control === group[0] && !group.some((each) => each.value === value)) {
      control.closest("label").parentElement.append(chip(control, value));
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
  $("input", label).removeAttribute("aria-label");
  $("span", label).textContent = value;
  $("span", label).removeAttribute("style");
  return label;
}

// A slider's number and the filled part of its track.
function paint(input) {
  const share = (value) => `${(100 * (value - input.min)) / (input.max - input.min)}%`;
  input.style.setProperty("--at", share(input.value));
  input.style.setProperty("--zero", share(Math.max(input.min, 0)));
  const loose = input.closest('[data-kind="sparse"]') && !("touched" in input.dataset);
  const shown = input.nextElementSibling;
  if (shown?.tagName === "OUTPUT") shown.textContent = loose ? say("unset") : Number(input.value).toFixed(decimals(input));
  input.parentElement.classList.toggle("loose", Boolean(loose));
}

const decimals = (input) => (input.step === "any" ? 2 : (input.step.split(".")[1] ?? "").length);

function permalink() {
  const query = new URLSearchParams({ tab: page.tab });
  read().forEach((value, key) => query.set(key, value));
  const asked = new URLSearchParams(location.search);
  if (asked.has("lang")) query.set("lang", props.language); // a step back may lead to where it was another
  if (asked.has("__theme")) query.set("__theme", asked.get("__theme"));
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
