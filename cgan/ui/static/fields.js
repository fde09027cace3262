// What the controls of a condition do beyond what a form does by itself. `dress` brings a place's controls to life after
// they have been put into the page; `dressers` has one line for each kind, by `data-widget`.

function dress(place) {
  for (const root of $$("[data-widget]", place)) dressers[root.dataset.widget](root);
  const narrow = matchMedia("(max-width: 860px)").matches;
  $$("details.group", place).slice(1).forEach((group) => (group.open &&= !narrow));
  for (const [mark, invent] of [["surprise", random], ["plainly", () => null]]) {
    $(`[data-${mark}]`, place)?.addEventListener("click", () => refill(place, invent));
  }
}

// A place's part of the condition anew: every field as `invent` has it, or as at the beginning.
function refill(place, invent) {
  const query = read();
  for (const field of model().fields) {
    const name = field.name + place.dataset.end;
    if (!$(`[name="${name}"]`, place)) continue;
    const value = invent(field);
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  write(query);
  changed();
}

function random({ choices, examples, low, high }) {
  const known = choices ?? examples;
  if (known) return known.length ? known[Math.floor(Math.random() * known.length)] : null;
  return String(Number((low + Math.random() * (high - low)).toPrecision(3)));
}

// Tells the tab that a control has another value.
const tell = (control) => control.dispatchEvent(new Event("input", { bubbles: true }));

// The name of the colour that is chosen, or of the one that is pointed at.
function swatches(root) {
  const name = (event) => {
    const near = event?.target.closest(".dab");
    $("legend b", root).textContent = props.word((near ? $("input", near) : $("input:checked", root))?.value ?? "");
  };
  for (const kind of ["pointerover", "focusin", "input"]) root.addEventListener(kind, name);
  for (const kind of ["pointerleave", "focusout"]) root.addEventListener(kind, () => name());
  for (const input of $$("input", root)) input.follow = () => name();
}

// A caption that is written: which of its words are understood is asked first, then the picture, so that what can't be
// read is said below the words and nothing is lost. Half a word is often unknown: that is told when the hand rests.
function caption(root) {
  const area = $("textarea", root);
  let asked = 0;
  let resting;
  const remark = (text) => ($(".remark", root).textContent = text);
  const follow = async (written) => {
    const number = ++asked;
    clearTimeout(resting);
    const empty = area.value.trim() ? "" : say("write_something");
    area.setCustomValidity(empty);
    if (empty || area.value === area.dataset.default) remark(empty);
    else {
      const query = new URLSearchParams({ model: page.model, [area.dataset.field]: area.value });
      const answer = await fetch(route("remarks.json", query)).then((each) => each.json()).catch(() => ({}));
      if (number !== asked) return;
      const error = answer.error ? props.why(answer.error) : "";
      if (written) area.setCustomValidity(error);
      const remarks = (answer.remarks ?? []).map(({ kind, values }) => say(`remark_${kind}`, values));
      const said = [error, ...remarks].filter(Boolean).join(" · ");
      resting = setTimeout(() => remark(said), said ? 500 : 0);
    }
    if (written && area.form?.dataset.tab === page.tab) changed();
  };
  area.addEventListener("input", (event) => {
    event.stopPropagation();
    follow(true);
  });
  area.follow = () => follow(false);
  for (const button of $$("[data-value]", root)) {
    button.addEventListener("click", () => {
      area.value = button.dataset.value;
      tell(area);
    });
  }
}

const dressers = { swatches, caption, paint: (root) => new Painting(root), sketch: (root) => new Sketch(root) };
