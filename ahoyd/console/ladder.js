// A call as a ladder: a line for each party, the server second, an arrow for each message; why the
// server did what it did stands beside its line.
import { svg } from "/chart.js";

const ROW = 40, LINE = 16, HEAD = 46;

// "INVITE", "180 Ringing"
export function labelOf(note) {
  const response = /^SIP\/2\.0 (.*)/.exec(note.start);
  return response ? response[1] : note.start.split(" ")[0];
}

export function momentOf(note, first) {
  const ms = (note.us - first.us) / 1000;
  return ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// Whoever calls from an address, or is called there, is taken for the one who sits there; but not a
// proxy, whom others call by.
function nameParties(notes) {
  const parties = new Map();
  for (const note of notes) {
    if (!note.dir) continue;
    const known = parties.get(note.remote) ?? "";
    const called = /^INVITE sips?:([^@;>]+)@/.exec(note.start);
    const caller = note.forwarded ? "proxy" : note.from.split("@")[0];
    const name = note.dir === "in" ? caller : called ? called[1] : "";
    parties.set(note.remote, known || name);
  }
  return parties;
}

// Words in lines of |room| characters.
function wrap(text, room) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (longer.length <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter(Boolean).flatMap(line => line.match(new RegExp(`.{1,${room}}`, "gsu")));
}

// What is too long loses its middle: of an address the end tells more.
function cut(text, room) {
  if (text.length <= room) return text;
  const head = Math.ceil((room - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (room - 1 - head))}`;
}

// A status code says enough where there is no room for its words.
function fit(label, room) {
  return label.length > room && /^\d{3} /.test(label) ? label.slice(0, 3) : cut(label, room);
}

function kindOf(note) {
  const status = /^SIP\/2\.0 (\d)/.exec(note.start);
  return !status ? "asks" : status[1] === "2" ? "good" : status[1] > "2" ? "bad" : "";
}

function drawArrow(note, from, to, y) {
  const way = Math.sign(to - from), width = Math.abs(to - from);
  return [
    svg("line", { class: "arrow", x1: from, x2: to - way * 6, y1: y, y2: y }),
    svg("path", { class: "tip", d: `M${to},${y}l${-way * 8},-4.5v9z` }),
    svg("text", { class: "label", x: (from + to) / 2, y: y - 6 },
        fit(labelOf(note), Math.floor(width / 6.8)))];
}

// |choose| is told of each note that is clicked.
export function drawLadder(place, notes, choose) {
  const width = Math.max(280, place.clientWidth - 24), gutter = width < 480 ? 46 : 64;
  const parties = nameParties(notes);
  const others = [...parties.keys()];
  const columns = [others[0], null, ...others.slice(1)]; // null: the server.
  const step = (width - gutter) / columns.length;
  const x = party => gutter + step * (Math.max(0, columns.indexOf(party)) + 0.5);
  const server = x(null), rows = [];
  const beside = width - server - 20 > 240;
  const left = beside ? server + 16 : gutter, room = width - left;
  const mark = beside ? server : gutter - 14;
  let y = HEAD + 8;
  for (const note of notes) {
    const moment = svg("text", { class: "moment", x: 2, y: y + 24 }, momentOf(note, notes[0]));
    let height = ROW, parts;
    if (note.dir) {
      const [from, to] = note.dir === "in" ? [x(note.remote), server] : [server, x(note.remote)];
      parts = drawArrow(note, from, to, y + 28);
    } else {
      const lines = wrap(note.why ?? "", Math.max(12, Math.floor((room - 20) / 6.3)));
      height = lines.length * LINE + 20;
      parts = [
        svg("rect", { class: "box", x: left, y: y + 4, width: room, height: height - 8, rx: 6 }),
        svg("path", { class: "mark", d: `M${mark},${y + 10}l6,6l-6,6l-6,-6z` }),
        ...lines.map((line, i) => svg("text", { x: left + 10, y: y + 20 + i * LINE }, line))];
      if (!beside) moment.replaceChildren();
    }
    const group = svg("g", { class: note.dir ? kindOf(note) : "reason", role: "button",
                             tabindex: 0, "aria-pressed": false,
                             "aria-label": note.dir ? note.start : note.why },
                      svg("rect", { class: "hit", x: 0, y, width, height, rx: 6 }), moment,
                      ...parts);
    const act = () => {
      for (const [other] of rows) other.setAttribute("aria-pressed", other === group);
      choose(note);
    };
    group.addEventListener("click", act);
    group.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(); }
    });
    rows.push([group, note]);
    y += height;
  }
  const lives = columns.map(party => svg("line", { class: "life", x1: x(party), x2: x(party),
                                                   y1: HEAD, y2: y + 8 }));
  const heads = columns.flatMap(party => [
    svg("text", { class: "party", x: x(party), y: 18 },
        cut(party === null ? "ahoyd" : parties.get(party) ?? "", Math.floor(step / 8))),
    svg("text", { class: "place", x: x(party), y: 34 }, cut(party ?? "", Math.floor(step / 6.8)))]);
  const picture = svg("svg", { class: "ladder", viewBox: `0 0 ${width} ${y + 12}` },
                      ...lives, ...heads, ...rows.map(([group]) => group));
  place.replaceChildren(picture);
}
