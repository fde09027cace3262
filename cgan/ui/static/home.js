// Take it home: what makes exactly the stage's picture elsewhere, and the way on from it as a moving picture.

const home = {
  // The endpoint that makes a route's picture. What it has no argument for is asked of /picture.
  endpoints: {
    "frame.png": "generate", "grid.png": "conditioning", "pad.png": "pad", "snapshot.png": "learn", "dissected.png": "inside",
  },
  rate: 24, // of a video, in frames a second

  start() {
    this.box = $(".home");
    $("[data-home]").addEventListener("click", ({ currentTarget: button }) => {
      this.box.hidden = !this.box.hidden;
      button.setAttribute("aria-expanded", !this.box.hidden);
      this.write();
    });
    for (const button of $$("[data-code]", this.box)) {
      button.addEventListener("click", () => copyText($("code", button.closest(".snippet")).textContent, button, "copied_code"));
    }
    $("[data-video]", this.box).addEventListener("click", () => this.record());
  },

  // The stage shows another picture.
  shown(source) {
    const url = new URL(source);
    url.searchParams.delete("v");
    Object.assign(this, { path: url.pathname.split("/").pop(), base: url.origin + url.pathname, query: url.searchParams });
    this.write();
  },

  async write() {
    if (this.box.hidden || !this.path) return;
    const { path, query } = this;
    this.known ??= fetch("gradio_api/info").then((answer) => answer.json()).then((info) => info.named_endpoints).catch(() => ({}));
    const known = await this.known;
    if (query !== this.query) return;
    const snippets = { snippet_curl: this.curl(), snippet_client: this.client(known), snippet_python: this.python() };
    for (const [name, text] of Object.entries(snippets)) $(`[data-snippet="${name}"] code`, this.box).textContent = text;
    const way = this.way();
    $(".walks", this.box).hidden = !way;
    $("[data-video]", this.box).hidden = !globalThis.MediaRecorder;
    const gif = $("[data-walk]", this.box);
    gif.hidden = !way || path !== "frame.png";
    if (gif.hidden) return;
    Object.assign(gif, { href: walkOf(way), download: `${this.model.name}-walk.gif` });
  },

  // ---- the same picture elsewhere

  curl() {
    return `curl -o picture.png "${this.base}?${plain(this.query)}"`;
  },

  client(known) {
    const name = this.endpoints[this.path];
    const values = this.values(known[`/${name}`]?.parameters) ?? { address: written(`/${this.path}?${plain(this.query)}`) };
    const lines = Object.entries(values).map(([key, value]) => `    ${key}=${value},\n`).join("");
    return `from gradio_client import Client

client = Client(${written(location.origin + location.pathname)})
path = client.predict(
${lines}    api_name="/${values.address ? "picture" : name}",
)`;
  },

  // The query as an endpoint's arguments; null where it has none for a part of it.
  values(parameters) {
    const types = new Map(parameters?.map((each) => [each.parameter_name, each.python_type.type]));
    const made = {};
    const conditions = { condition: {}, condition2: {} };
    for (const [name, value] of this.query) {
      const [end, field] = this.fields.includes(name) ? ["condition", name] : ["condition2", name.replace(/2$/, "")];
      if (this.fields.includes(field)) conditions[end][field] = value;
      else if (!types.has(name)) return null;
      else made[name] = { str: written(value), bool: value === "1" ? "True" : "False" }[types.get(name)] ?? value;
    }
    for (const [name, fields] of Object.entries(conditions)) {
      if (!Object.keys(fields).length) continue;
      if (!types.has(name)) return null;
      made[name] = written(JSON.stringify(fields));
    }
    return made;
  },

  // The picture's own, which Examples shows of every model.
  get model() {
    return modelOf(this.query);
  },

  get fields() {
    return this.model.fields.map((field) => field.name);
  },

  python() {
    const head = "from pathlib import Path\n\n";
    const folder = written(this.model.folder);
    if (this.path !== "frame.png") {
      return `${head}from cgan.engine import Engine
from cgan.ui.answer import answer

engine = Engine.load({${written(this.model.name)}: Path(${folder})}, "cpu")
picture = answer(engine, ${written(`/${this.path}?${plain(this.query)}`)})
Path("picture.png").write_bytes(picture)
engine.close()`;
    }
    const { query } = this;
    const count = Number(query.get("count") ?? 1);
    const columns = query.get("columns") ?? Math.max(1, Math.round(count ** 0.5 + 0.49));
    const second = ["seed2", ...this.fields.map((name) => `${name}2`)].some((name) => query.has(name));
    const path = query.get("mode") ?? "slerp";
    const latent = ["directions", "place", ...(second ? [path] : [])].sort().join(", ");
    return `${head}import torch

from cgan.inference import Sampler
from cgan.latent import ${latent}
from cgan.model import ConditionalGAN
from cgan.ui.pictures import png, tile

model = ConditionalGAN.load(${folder})
leading = directions(model, ${this.model.directions})
noise = ${this.place(query.get("seed") ?? 0)}
${this.condition("cond", "")}${count > 1 ? `cond = cond.expand(${count})\n` : ""}${second ? this.between(path) : ""}
pictures = Sampler(model, torch.device("cpu"))(noise, cond)  # uint8 [N, C, H, W]
Path("picture.png").write_bytes(png(tile(pictures, ${columns})))`;
  },

  place(seed) {
    const given = {
      seed, count: this.query.get("count"), first: this.query.get("first"), psi: this.query.get("psi"),
      strengths: this.query.has("z") && `[${this.query.get("z").replaceAll(",", ", ")}]`,
      components: this.query.has("raw") && `{${this.query.get("raw").replaceAll(":", ": ").replaceAll(",", ", ")}}`,
    };
    const values = Object.entries(given).filter(([, value]) => value).map(([name, value]) => `${name}=${value}`);
    return `place(model, leading, ${values.join(", ")})`;
  },

  // What the second end (2) leaves open is as at the first.
  condition(name, end) {
    const values = {};
    for (const field of this.fields) {
      const value = this.query.get(field + end) ?? this.query.get(field);
      if (value !== null) values[field] = value;
    }
    const pairs = Object.entries(values).map(([field, value]) => `${written(field)}: ${written(value)}`).join(", ");
    const strength = this.query.get("strength");
    const strengthened = strength === null ? ""
      : `${name} = model.encoder.embed(model.encoder.null(1)).lerp(${name}, ${strength})\n`;
    return `${name} = model.encoder.embed(model.encoder.parse({${pairs}}))\n${strengthened}`;
  },

  between(path) {
    const seed = this.query.get("seed2") ?? this.query.get("seed") ?? 0;
    return `
t = torch.tensor([${this.query.get("t") ?? 0}])
noise = ${path}(noise, ${this.place(seed)}, t[:, None])
${this.condition("end", "2")}cond = cond.lerp(end, t)
`;
  },

  // ---- moving pictures

  // What walk.gif is asked for: the way between two ends, or on to the next seed.
  way() {
    if (this.path === "pad.png") return this.query;
    if (this.path !== "frame.png") return null;
    const way = new URLSearchParams(this.query);
    for (const name of ["t", "count", "columns"]) way.delete(name);
    if (!way.has("seed2")) way.set("seed2", Number(way.get("seed")) + 1);
    return settled(way) && !this.fields.some((name) => way.has(`${name}2`)) ? null : way;
  },

  // The addresses of a walk's pictures; it ends where it began.
  frames() {
    const way = this.way();
    const frame = (values) => {
      const query = new URLSearchParams(way);
      for (const [name, value] of Object.entries(values)) query.set(name, value.toFixed(3));
      return route(this.path, query);
    };
    if (this.path === "pad.png") {
      const places = Array.from({ length: tabs.pad.round / 10 }, (_, index) => tabs.pad.walk(10 * index));
      return places.map(([x, y]) => frame({ x, y }));
    }
    const there = Array.from({ length: 48 }, (_, index) => frame({ t: index / 47 }));
    return [...there, ...there.slice(1, -1).reverse()];
  },

  // The browser's own recorder takes what is drawn on a canvas: a codec that nobody has to install, here or on the server.
  async record() {
    const button = $("[data-video]", this.box);
    const tell = (text) => ($("span", button).textContent = text);
    const [frames, name] = [this.frames(), `${this.model.name}-walk`];
    button.disabled = true;
    try {
      const images = [];
      while (images.length < frames.length) {
        images.push(...await Promise.all(frames.slice(images.length, images.length + 4).map(fetched)));
        tell(say("home_recording", { share: percent(images.length / frames.length / 2, 0) }));
      }
      const scale = Math.max(1, Math.floor(480 / images[0].naturalWidth));
      const file = await filmed(images, scale, this.rate, (share) => tell(say("home_recording", { share: percent(0.5 + share / 2, 0) })));
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file) });
      link.download = `${name}.${file.type.includes("mp4") ? "mp4" : "webm"}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      tell(say("home_video"));
    } catch {
      tell(say("home_failed"));
    }
    button.disabled = false;
  },
};

// A text as Python and JSON write it, in whichever quotes need no escapes.
const written = (text) => (text.includes('"') && !/['\\\n]/.test(text) ? `'${text}'` : JSON.stringify(text));

async function fetched(source) {
  const image = Object.assign(new Image(), { src: source });
  await image.decode();
  return image;
}

// Pictures, each pixel enlarged to a square, as a video file, in the time that the video takes.
async function filmed(images, scale, rate, progress) {
  const [width, height] = [images[0].naturalWidth * scale, images[0].naturalHeight * scale];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const [track] = canvas.captureStream(0).getVideoTracks();
  const mimeType = ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp9", "video/webm"].find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(new MediaStream([track]), { mimeType, videoBitsPerSecond: 4e6 });
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const ended = new Promise((done) => recorder.addEventListener("stop", done));
  recorder.start();
  const began = performance.now();
  for (const [index, image] of images.entries()) {
    context.drawImage(image, 0, 0, width, height);
    track.requestFrame();
    progress(index / images.length);
    await new Promise((done) => setTimeout(done, began + (1000 * (index + 1)) / rate - performance.now()));
  }
  recorder.stop();
  await ended;
  track.stop();
  return new Blob(parts, { type: mimeType });
}
