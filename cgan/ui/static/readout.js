// How long the stage's pictures take from request to decoded, how many are shown a second, and what makes them. Measured
// in this browser; off until somebody asks.

const readout = {
  recent: [], // [when, milliseconds] of the pictures of the last second

  start(on) {
    this.line = $(".readout");
    $("[data-readout]").addEventListener("click", () => this.turn(this.line.hidden));
    addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
      const writes = target.closest?.("textarea, select, input:not([type=range], [type=radio], [type=checkbox])");
      if (key.toLowerCase() === "r" && !writes && !ctrlKey && !metaKey && !altKey) this.turn(this.line.hidden);
    });
    this.turn(on);
  },

  get on() {
    return !this.line.hidden;
  },

  turn(on) {
    clearInterval(this.timer);
    this.line.hidden = !on;
    $("[data-readout]").setAttribute("aria-pressed", on);
    if (!on) return;
    this.write();
    this.timer = setInterval(() => this.write(), 250);
  },

  note(milliseconds) {
    this.last = milliseconds;
    this.recent = [...this.recent.slice(-200), [performance.now(), milliseconds]];
  },

  write() {
    this.recent = this.recent.filter(([when]) => performance.now() - when < 1000);
    const times = this.recent.map(([, milliseconds]) => milliseconds).sort((a, b) => a - b);
    const middle = times[times.length >> 1] ?? this.last;
    const ms = middle === undefined ? "–" : Math.round(middle).toLocaleString(props.language);
    this.line.textContent = say("readout_says", { ms, fps: times.length, device: model().device });
  },
};
