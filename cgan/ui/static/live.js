// A picture that follows the newest address asked for. It does not ask the server to drop older requests (`client`):
// while a slider moves, each would be dropped by the next, and nothing would be seen before the hand rests.
class Live {
  // What stands `aside`, beside the picture that the eye is on, leaves it the time: one request at once, 15 a second.
  constructor(box, { aside = false, shown = () => {}, failed = () => {} } = {}) {
    Object.assign(this, { box, aside, shown, failed });
    [this.limit, this.pause] = aside ? [1, 1000 / 15] : [3, 0]; // requests that may fly; milliseconds between two
    this.free = 0; // when the next may start
    this.newest = this.latest = this.flying = 0; // numbers of the request asked for and shown last; how many fly
    this.waiting = null;
  }

  ask(url, alt) {
    if (url === this.url && !this.late) return;
    if (subject(url) !== subject(this.url)) this.latest = this.newest + 1; // what still flies comes too late
    Object.assign(this, { url, late: false });
    this.waiting = { url, alt, number: ++this.newest };
    this.#next();
  }

  // Shows nothing; what still flies comes too late.
  clear() {
    Object.assign(this, { url: null, waiting: null, late: false, latest: this.newest + 1 });
    $("img", this.box)?.remove();
  }

  #next() {
    if (!this.waiting || this.flying >= this.limit) return;
    const now = performance.now();
    clearTimeout(this.timer);
    if (now < this.free) {
      this.timer = setTimeout(() => this.#next(), this.free - now);
      return;
    }
    this.free = now + this.pause;
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
    // Without the page's address, which may hold as long a text as the picture's own.
    const quiet = { referrerPolicy: "no-referrer", draggable: false, fetchPriority: this.aside ? "low" : "high" };
    const began = performance.now();
    Object.assign(image, { ...quiet, alt: job.alt, src: job.url });
    try {
      await image.decode();
    } catch {
      return job.number === this.newest && this.#explain(job);
    }
    if (job.number < this.latest) return;
    this.latest = job.number;
    image.classList.toggle("fine", image.naturalWidth * 1.5 > this.box.clientWidth);
    const old = $("img", this.box);
    if (old) old.replaceWith(image);
    else this.box.prepend(image);
    this.shown(image, performance.now() - began);
  }

  // An image does not say why it did not come. Refused for good: the reason; else the newest is asked for again.
  async #explain(job) {
    const answer = await fetch(job.url).catch(() => null);
    const refused = answer?.status >= 400 && answer.status < 500;
    const why = refused && props.why(await answer.text().catch(() => ""));
    if (job.number !== this.newest) return;
    if (refused) {
      this.latest = job.number; // no older one's success hides it
      this.failed(say("refused", { why: why.slice(0, 300) }));
      return;
    }
    if (!answer?.ok) this.failed(say(answer ? "busy" : "offline"));
    this.late = true;
    const seconds = answer?.ok ? 0.2 : Number(answer?.headers.get("Retry-After")) || 2;
    setTimeout(() => this.late && job.number === this.newest && this.ask(job.url, job.alt), seconds * 1000);
  }
}

// The route and the model of an address.
const subject = (url) => url?.split("&")[0];

// What a tab's button says while pictures follow by themselves ("pause"), and while they don't ("play").
function playButton(form, key) {
  $("[data-play] span", form).textContent = say(key);
  $("[data-play]", form).classList.toggle("on", key === "pause");
}
