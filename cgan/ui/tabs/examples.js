// Examples: links to states of the other tabs. One that is pointed at shows its picture on the stage; before, the model's
// first.
tabs.examples = {
  start(form) {
    this.links = $$(".gallery a", form);
    for (const link of this.links) {
      link.addEventListener("click", (event) => this.follow(event, link));
      for (const kind of ["pointerenter", "focus"]) link.addEventListener(kind, () => this.preview(link));
    }
  },

  model() {
    this.shown?.removeAttribute("aria-current");
    this.shown = null;
  },

  // The pictures come when they are first to be seen.
  update() {
    for (const link of this.links) $("img", link).src ||= this.picture(link);
    const own = this.links.find(({ dataset }) => dataset.model === page.model);
    if (this.links.length) this.preview(this.shown ?? own ?? this.links[0]);
  },

  picture({ dataset }) {
    return `${dataset.picture}&v=${modelNamed(dataset.model).version}`;
  },

  preview(link) {
    if (page.tab !== "examples") return;
    this.shown?.removeAttribute("aria-current");
    this.shown = link;
    link.setAttribute("aria-current", "true");
    if (!$(".frame").clientWidth) return; // a phone has no stage beside them
    stage.ask(this.picture(link), $("span", link).textContent);
  },

  // Without loading the page again, unless another tab of the browser is asked for.
  follow(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const query = new URLSearchParams(link.search);
    open(query.get("tab"), query);
    $(`[role="tab"][data-tab="${page.tab}"]`).focus({ preventScroll: true });
  },
};
