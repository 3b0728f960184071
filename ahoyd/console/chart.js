// A small chart over time: a line each for one or two series, the newest value at the right.
const SPACE = "http://www.w3.org/2000/svg";
const BOTTOM = 20, TOP = 10, LEFT = 34;
const short = new Intl.NumberFormat("en", { notation: "compact" });

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// The least of 1, 2, 5, 10, 20 ... that is no less.
function ceiling(value) {
  for (let unit = 1; ; unit *= 10)
    for (const step of [unit, 2 * unit, 5 * unit]) if (step >= value) return step;
}

export class Chart {
  // |series|: objects of name and tint.  |length|: points that there is room for.
  constructor(figure, title, series, length) {
    this.series = series.map(one => ({ ...one, points: [] }));
    this.length = length;
    this.picture = svg("svg", { class: "chart", role: "img", "aria-label": title });
    const caption = document.createElement("figcaption");
    caption.append(title, ...this.series.map(one => {
      one.key = document.createElement("span");
      one.key.className = `key tint-${one.tint}`;
      return one.key;
    }));
    figure.replaceChildren(caption, this.picture);
  }

  // One value of each series.
  push(values) {
    this.series.forEach((one, i) => {
      one.points = [...one.points, values[i]].slice(-this.length);
    });
    this.draw();
  }

  draw() {
    const { width, height } = this.picture.getBoundingClientRect();
    if (width === 0) return; // Nobody sees it.
    const most = ceiling(Math.max(1, ...this.series.flatMap(one => one.points)));
    const x = i => LEFT + (width - LEFT) * i / (this.length - 1);
    const y = value => TOP + (height - BOTTOM - TOP) * (1 - value / most);
    const parts = [0, most / 2, most].flatMap(value => [
      svg("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, short.format(value))]);
    for (const one of this.series) {
      const first = this.length - one.points.length;
      const line = one.points.map((value, i) => `${x(first + i)},${y(value)}`).join("L");
      const now = one.points.at(-1) ?? 0;
      one.key.textContent = `${one.name} ${now.toFixed(now < 10 ? 1 : 0)}`;
      if (one.points.length < 2) continue;
      const area = `M${x(first)},${y(0)}L${line}L${x(this.length - 1)},${y(0)}Z`;
      parts.push(svg("path", { class: `area tint-${one.tint}`, d: area }),
                 svg("path", { class: `tint-${one.tint}`, d: `M${line}` }));
    }
    const minutes = Math.round(this.length / 60);
    parts.push(svg("text", { x: LEFT, y: height - 3 }, `${minutes} min ago`),
               svg("text", { x: width, y: height - 3, "text-anchor": "end" }, "now"));
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.picture.replaceChildren(...parts);
  }
}
