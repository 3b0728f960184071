// The console: asks the API each second for one page of what is looked at, and shows it.  Whatever
// a stranger may have chosen reaches the document as text alone.
import { Chart } from "/chart.js";
import { drawLadder, labelOf, momentOf } from "/ladder.js";

const PAGE = 50, EVERY_MS = 1000, MINUTES = 5;
const STATES = ["living", "failed", "ended"];
const find = id => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The answer of the API; what is no success is thrown, with its status.
async function ask(method, path, body) {
  const answer = await fetch(path, {
    method, signal: AbortSignal.timeout(10000), body: body && JSON.stringify(body),
    headers: body && { "Content-Type": "application/json" } });
  const json = await answer.json();
  if (json.ok) return json;
  throw Object.assign(new Error(json.error), { status: answer.status });
}

function query(path, members) {
  const set = Object.entries(members).filter(([, value]) => value !== "" && value !== 0);
  return `${path}?${new URLSearchParams(set)}`;
}

// Rows are kept while they stay, so that neither focus nor selection is lost each second.
function showRows(list, items, keyOf, begin, update) {
  const before = new Map([...list.children].map(row => [row.dataset.key, row]));
  items.forEach((item, i) => {
    const key = keyOf(item);
    let row = before.get(key);
    if (row === undefined) {
      row = begin(item);
      row.dataset.key = key;
    }
    before.delete(key);
    update(row, item);
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
  });
  for (const row of before.values()) row.remove();
}

function showEmpty(id, count, text) {
  find(id).hidden = count > 0;
  write(find(id), text);
}

// Buttons to turn pages of |view|, and where in all of them this is.
function showPages(place, view, total, turn) {
  if (total <= PAGE && view.skip === 0) {
    place.replaceChildren();
    return;
  }
  if (place.childElementCount === 0) {
    const step = by => () => { view.skip = Math.max(0, view.skip + by); turn(); };
    place.append(make("span"), make("button", { textContent: "Back", onclick: step(-PAGE) }),
                 make("button", { textContent: "Further", onclick: step(PAGE) }));
  }
  const [where, back, further] = place.children;
  const last = Math.min(view.skip + PAGE, total);
  write(where, `${Math.min(view.skip + 1, total)}–${last} of ${total.toLocaleString()}`);
  back.disabled = view.skip === 0;
  further.disabled = view.skip + PAGE >= total;
}

function long(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

const clock = ms => new Date(ms).toLocaleTimeString([], { hour12: false });
const isLiving = call => !["ended", "failed"].includes(call.state);
const percent = (part, whole) => whole > 0 ? `${Math.round(100 * part / whole)} %` : "–";

// All that is remembered of one page view.
const desk = {
  writes: false,
  calls: { skip: 0, state: "", search: "" },
  aors: { skip: 0, search: "" },
};

// Tiles and charts.
const TILES = [["living", "in progress"], ["ringing", "ringing"], ["begun", "new a second"],
               ["answered", "answered, 1 min"], ["failed", "failed, 1 min"],
               ["registered", "registered"]];
const tiles = {};
for (const [name, words] of TILES) {
  tiles[name] = make("b", { textContent: "–" });
  find("tiles").append(make("div", { className: "card tile" }, tiles[name],
                            make("span", { textContent: words })));
}
const rate = new Chart(find("rate"), "Calls a second", [
  { name: "begun", tint: "accent" }, { name: "answered", tint: "good" }], MINUTES * 60);
const failures = new Chart(find("failures"), "Failures a second", [
  { name: "failed", tint: "bad" }], MINUTES * 60);
const minute = []; // What was counted at each second of it.

// Calls that the server itself refuses are in no meter, and those that have left the roll are in no
// count: the larger is right.
function compare(now, before) {
  const more = name => Math.max(0, now[name] - before[name]);
  return { begun: Math.max(more("begun"), more("listed")), answered: more("answered"),
           failed: Math.max(more("failed"), more("refused")) };
}

function showRates(meters, counts) {
  const sum = name => meters.reduce((total, meter) => total + meter[name], 0);
  const now = { at: performance.now(), begun: sum("begun"), answered: sum("answered"),
                failed: sum("failed"), refused: counts.failed,
                listed: Object.values(counts).reduce((a, b) => a + b) };
  const last = minute.at(-1);
  minute.push(now);
  if (minute.length > 61) minute.shift();
  if (last === undefined) return;
  const news = compare(now, last), late = compare(now, minute[0]);
  const each = name => news[name] * 1000 / (now.at - last.at);
  rate.push([each("begun"), each("answered")]);
  failures.push([each("failed")]);
  write(tiles.begun, each("begun").toFixed(1));
  write(tiles.answered, percent(Math.min(late.answered, late.begun), late.begun));
  write(tiles.failed, late.failed.toLocaleString());
}

function showHealth(status) {
  find("health").classList.toggle("ill", status.silent > 0);
  write(find("health"), status.silent > 0 ? `${status.silent} of ${status.workers} workers silent`
    : `ahoyd ${status.version}, up ${long(status.uptime * 1000)}`);
}

// Calls.
function beginCall(call) {
  const href = `#call/${encodeURIComponent(call.call_id)}`;
  return make("li", {}, make("a", { className: "row", href },
    make("span", { className: "time", textContent: clock(call.begun_ms) }),
    make("span"),
    make("span", { className: "who" }, make("b", { textContent: call.from || "unknown" }),
         make("i", { textContent: "→" }), make("b", { textContent: call.to || "unknown" })),
    make("span", { className: "why" }), make("span", { className: "long" })));
}

function updateCall(row, call) {
  const [, state, , why, length] = row.firstChild.children;
  if (state.textContent !== call.state) {
    state.className = `state ${call.state}`;
    state.textContent = call.state;
  }
  write(why, call.cause);
  write(length, long((isLiving(call) ? Date.now() : call.since_ms) - call.begun_ms));
}

function showCalls(answer) {
  const { counts } = answer;
  const living = counts.asked + counts.ringing + counts.answered;
  write(tiles.living, living.toLocaleString());
  write(tiles.ringing, counts.ringing.toLocaleString());
  const numbers = { "": living + counts.ended + counts.failed, ...counts, living };
  for (const chip of find("states").children) {
    chip.setAttribute("aria-pressed", chip.value === desk.calls.state);
    write(chip, `${chip.value || "all"} ${numbers[chip.value].toLocaleString()}`);
  }
  showRows(find("call-rows"), answer.calls.reverse(), call => call.call_id, beginCall, updateCall);
  showEmpty("no-calls", answer.calls.length, desk.calls.search || desk.calls.state
    ? "No call is like that." : "All quiet. Calls show up here as they come.");
  showPages(find("call-pages"), desk.calls, answer.total, refresh);
}

for (const state of ["", ...STATES])
  find("states").append(make("button", { value: state, textContent: state || "all", onclick() {
    Object.assign(desk.calls, { state, skip: 0 });
    refresh();
  } }));

// One call.
function showSaid(note, first) {
  const place = make("p", { className: "faint",
    textContent: `${note.dir === "in" ? "from" : "to"} ${note.transport ?? ""} ${note.remote}, `
      + `${momentOf(note, first)} after the first` });
  if (!note.dir) {
    find("said").replaceChildren(make("h3", { textContent: "Why" }),
      make("p", { textContent: note.why }),
      make("p", { className: "mono faint", textContent: note.cause }));
    return;
  }
  const text = make("pre");
  note.bytes.split("\r\n").forEach((line, i) => {
    const name = i > 0 && /^[\w-]+(?=\s*:)/.exec(line);
    if (name) text.append(make("b", { textContent: name[0] }));
    text.append(name ? line.slice(name[0].length) : line, "\n");
  });
  find("said").replaceChildren(make("h3", { textContent: labelOf(note) }), place, text);
}

async function showCall(callId) {
  const [head, cause, said] = [find("call-names"), find("call-cause"), find("said")];
  write(find("call-id"), callId);
  let story;
  try {
    story = await ask("GET", `/api/calls/${encodeURIComponent(callId)}`);
  } catch (fault) {
    if (fault.status !== 404) throw fault;
    write(head, "A call of before");
    write(cause, "What was said in it is no longer kept; observe { memory } says for how long.");
    find("ladder").replaceChildren();
    said.replaceChildren();
    return;
  }
  const invite = story.notes.find(note => note.start?.startsWith("INVITE "));
  const called = /^INVITE \w+:(?:([^@;>\s]+@[^:;>\s]+)|\S+)/.exec(invite?.start ?? "");
  write(head, `${invite?.from || "unknown"} → ${called?.[1] ?? "unknown"}`);
  write(cause, story.cause);
  if (desk.drawn === `${callId} ${story.notes.length} ${innerWidth}`) return;
  if (!desk.drawn?.startsWith(`${callId} `))
    said.replaceChildren(make("p", { className: "faint",
      textContent: "Choose a message, and it stands here in full." }));
  desk.drawn = `${callId} ${story.notes.length} ${innerWidth}`;
  drawLadder(find("ladder"), story.notes, note => {
    showSaid(note, story.notes[0]);
    if (said.offsetTop > find("ladder").offsetTop + 40) said.scrollIntoView({ behavior: "smooth" });
  });
}

// Registrations.
function beginAor(row) {
  const remove = make("button", { className: "danger", textContent: "Remove" });
  remove.hidden = !desk.writes;
  remove.onclick = async () => {
    if (remove.textContent === "Remove") {
      remove.textContent = "Really?";
      setTimeout(() => { remove.textContent = "Remove"; }, 4000);
      return;
    }
    await ask("DELETE", `/api/registrations/${encodeURIComponent(row.aor)}`).catch(showFault);
    refresh();
  };
  return make("li", {}, make("div", { className: "row" },
    make("span", { className: "who", textContent: row.aor }),
    make("span", { className: "contacts" }), remove));
}

function updateAor(row, { contacts }) {
  row.firstChild.children[1].replaceChildren(...contacts.map(contact =>
    make("span", { className: "contact" },
      make("span", { className: "mono", textContent: contact.contact }),
      make("span", { className: "faint",
        textContent: ` from ${contact.from}, for ${long(contact.expires * 1000)} more` }))));
}

async function showAors() {
  const answer = await ask("GET", query("/api/registrations", { ...desk.aors, limit: PAGE }));
  showRows(find("aor-rows"), answer.registrations, row => row.aor, beginAor, updateAor);
  showEmpty("no-aors", answer.registrations.length,
    desk.aors.search ? "Nobody is called like that." : "Nobody is registered yet.");
  showPages(find("aor-pages"), desk.aors, answer.total, refresh);
}

// Trunks and domains.
function beginMeter(meter) {
  const cells = ["begun", "answered", "failed"].map(name => {
    const cell = make("span", { className: "number" });
    cell.dataset.what = name;
    return cell;
  });
  return make("li", {}, make("div", { className: "row" },
    make("span", { className: "who" }, meter.name || "elsewhere",
         make("i", { textContent: meter.name ? meter.kind : "" })),
    ...cells, make("progress", { className: "share", title: "answered" })));
}

function updateMeter(row, meter) {
  const [, begun, answered, failed, share] = row.firstChild.children;
  write(begun, meter.begun.toLocaleString());
  write(answered, meter.answered.toLocaleString());
  write(failed, meter.failed.toLocaleString());
  share.max = Math.max(1, meter.begun);
  share.value = meter.answered;
}

function showMeters(status) {
  const order = { trunk: 0, domain: 1, other: 2 };
  const meters = status.meters.filter(meter => meter.name || meter.begun)
    .sort((a, b) => order[a.kind] - order[b.kind]);
  showRows(find("meter-rows"), meters, meter => `${meter.kind} ${meter.name}`, beginMeter,
           updateMeter);
  showEmpty("no-meters", meters.length, "The configuration names neither a trunk nor a domain.");
}

// What stands behind a # may have been written by hand.
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Which view is looked at.
function viewOf() {
  const [name, rest] = location.hash.slice(1).split("/", 2);
  return { name: ["call", "registrations", "trunks"].includes(name) ? name : "calls",
           rest: decode(rest ?? "") };
}

function showFault(fault) {
  if (fault.status === 401) return signIn();
  find("away").hidden = false;
  write(find("away"), fault.status ? fault.message : "ahoyd does not answer. Trying again …");
}

async function look() {
  const { name, rest } = viewOf();
  const wanted = name === "calls" ? { ...desk.calls, limit: PAGE } : { limit: "0" };
  const [status, calls] = await Promise.all([ask("GET", "/api/status"),
                                             ask("GET", query("/api/calls", wanted))]);
  showHealth(status);
  showRates(status.meters, calls.counts);
  if (desk.ticks++ % 5 === 0)
    await ask("GET", "/api/registrations?limit=0")
      .then(({ total }) => write(tiles.registered, total.toLocaleString()));
  if (name === "calls") showCalls(calls);
  else if (name === "call") await showCall(rest);
  else if (name === "registrations") await showAors();
  else showMeters(status);
  find("away").hidden = true;
}

// One question at a time: who asks while one is out is heard after it.
async function refresh() {
  clearTimeout(desk.timer);
  if (desk.asking) {
    desk.again = true;
    return;
  }
  desk.asking = true;
  if (!document.hidden && !find("desk").hidden) await look().catch(showFault);
  desk.asking = false;
  desk.timer = setTimeout(refresh, desk.again ? 0 : EVERY_MS);
  desk.again = false;
}

function showView() {
  const { name } = viewOf();
  for (const view of document.querySelectorAll(".view")) view.hidden = view.id !== name;
  for (const link of document.querySelectorAll("nav a")) {
    const shown = link.hash === `#${name}` || (name === "call" && link.hash === "#calls");
    if (shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  desk.drawn = null;
  scrollTo(0, 0);
  refresh();
}

function signIn() {
  find("desk").hidden = true;
  find("login").hidden = false;
  find("token").focus();
}

function come(writes) {
  Object.assign(desk, { writes, ticks: 0 });
  minute.length = 0;
  find("login").hidden = true;
  find("desk").hidden = false;
  find("reload").hidden = !writes;
  showView();
}

find("login").addEventListener("submit", async event => {
  event.preventDefault();
  find("refused").hidden = true;
  try {
    await ask("POST", "/api/session", { token: find("token").value.trim() });
    find("token").value = "";
    come((await ask("GET", "/api/session")).writes);
  } catch (fault) {
    find("refused").hidden = false;
    write(find("refused"), fault.status === 401 ? "That is not the token." : fault.message);
  }
});

// The configuration: what would change is told first, and done when that is pressed again.
function tell(text) {
  clearTimeout(desk.told);
  write(find("told"), text);
  find("told").hidden = text === "";
  write(find("reload"), "Reload");
  if (text !== "") desk.told = setTimeout(tell, 20000, "");
}
find("reload").onclick = async () => {
  const isSure = find("reload").textContent !== "Reload";
  try {
    const { changes } = await ask("POST", `/api/reload${isSure ? "" : "?check"}`);
    const lines = changes.map(({ change }) => change).join("\n");
    tell(lines ? `${isSure ? "In force:" : "This would change:"}\n${lines}` : "Nothing has changed.");
    if (lines && !isSure) write(find("reload"), "Do it");
  } catch (fault) {
    if (fault.status === 409) tell(fault.message);
    else showFault(fault);
  }
};
find("leave").onclick = () => ask("DELETE", "/api/session").then(signIn, showFault);
find("search").oninput = event => {
  Object.assign(desk.calls, { search: event.target.value.trim(), skip: 0 });
  refresh();
};
find("aor-search").oninput = event => {
  Object.assign(desk.aors, { search: event.target.value.trim(), skip: 0 });
  refresh();
};
addEventListener("hashchange", showView);
addEventListener("resize", refresh);
document.addEventListener("visibilitychange", refresh);

ask("GET", "/api/session").then(session => session.known ? come(session.writes) : signIn(), signIn);
