// What the tabs that show figures draw with: numbers in words, elements, and curves of quality against kimg.

const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)}\u00a0%`;
const plainly = (value) => (value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3));
const judged = (curve) => (Array.isArray(curve) ? curve : []).filter((point) => Number.isFinite(point?.obedience)); // there may have been no judge
const threeDigits = (value) => `${Number(value.toPrecision(3))}`;
// So many thousand pictures as people write them: 3.8 million, 380万; "short" (3.8M) where there is little room.
const pictures = (kimg, compactDisplay = "long") =>
  new Intl.NumberFormat(props.language, { notation: "compact", compactDisplay }).format(1000 * kimg);

function node(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  if (properties.role) made.setAttribute("role", properties.role);
  made.append(...children);
  return made;
}

function draw(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

// Curves of one figure against kimg, with a dashed line for what real pictures reach; its name stands below the axis, where
// no curve goes. The axis has its `stops` at equal distances, snapshots for example, and is linear between two. A series is
// its points and, where there are several, its title and its place among them, from which it has its colour. The figure's
// `at(kimg)` puts a line there.
function chart(series, key, { log = false, line = null, stops, axis = "card_axis", mark, write }) {
  const [left, right, top, bottom] = [46, 262, 12, 138];
  const bend = log ? Math.log : (value) => value;
  const curves = series
    .map((each) => ({ ...each, points: each.points.filter((point) => !log || point[key] > 0) }))
    .filter((each) => each.points.length);
  const known = curves.flatMap(({ points }) => points.map((point) => point[key])).concat(line ?? []);
  const low = log ? Math.min(...known) : Math.floor(20 * Math.min(...known)) / 20;
  const high = log ? Math.max(...known) : Math.max(1, ...known);
  const last = Math.max(...curves.map(({ points }) => points.at(-1).kimg));
  const ticks = stops ?? [0, last / 2, last];
  const x = (kimg) => {
    const next = Math.max(1, ticks.findIndex((tick) => tick >= kimg));
    const place = next - 1 + (kimg - ticks[next - 1]) / (ticks[next] - ticks[next - 1]);
    return left + ((right - left) * place) / (ticks.length - 1);
  };
  const y = (value) => bottom - ((bottom - top) * (bend(value) - bend(low))) / (bend(high) - bend(low) || 1);
  const unbend = log ? Math.exp : (value) => value;
  const summary = curves.map(({ title, points }) => {
    const [first, final] = [points[0], points.at(-1)];
    const what = [title, say(`card_${key}`)].filter(Boolean).join(": ");
    return say("card_curve", { what, first: write(first[key]), last: write(final[key]), pictures: pictures(final.kimg) });
  });
  const svg = draw("svg", { viewBox: `0 0 270 ${line == null ? 178 : 198}`, role: "img", "aria-label": summary.join(". ") });
  for (const value of [0, 0.5, 1].map((share) => unbend(bend(low) + share * (bend(high) - bend(low))))) {
    const written = log ? String(Number(value.toPrecision(2))) : percent(value, high - low < 0.1 ? 1 : 0);
    svg.append(draw("line", { x1: left, x2: right, y1: y(value), y2: y(value), class: "rule" }),
      draw("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, written));
  }
  const every = Math.ceil(ticks.length / 8); // as many as have room, the last among them
  for (const tick of ticks.filter((_, index) => (ticks.length - 1 - index) % every === 0)) {
    svg.append(draw("text", { x: x(tick), y: bottom + 17, "text-anchor": "middle" }, pictures(tick, "short")));
  }
  svg.append(draw("text", { x: (left + right) / 2, y: 174, "text-anchor": "middle" }, say(axis)));
  if (line != null) {
    svg.append(draw("line", { x1: left, x2: right, y1: y(line), y2: y(line), class: "aim" }),
      draw("line", { x1: left, x2: left + 25, y1: 190, y2: 190, class: "aim" }),
      draw("text", { x: left + 32, y: 194 }, say(mark)));
  }
  for (const { title, place, points } of curves) {
    const curve = draw("g", place === undefined ? {} : { "data-place": place });
    curve.append(draw("polyline", { points: points.map((point) => `${x(point.kimg)},${y(point[key])}`).join(" "), class: "curve" }));
    for (const point of points) {
      const dot = draw("circle", { cx: x(point.kimg), cy: y(point[key]), r: 3 });
      const at = `${pictures(point.kimg)}: ${write(point[key])}`;
      dot.append(draw("title", {}, title ? `${title}, ${at}` : at));
      curve.append(dot);
    }
    svg.append(curve);
  }
  const now = draw("line", { y1: top, y2: bottom, class: "now", visibility: "hidden" });
  svg.append(now);
  const figure = node("figure", {}, node("figcaption", { textContent: say(`card_${key}_curve`) }), svg);
  figure.at = (kimg) => {
    for (const [name, value] of Object.entries({ x1: x(kimg), x2: x(kimg), visibility: "visible" })) now.setAttribute(name, value);
  };
  return figure;
}
