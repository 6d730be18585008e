"use strict";
// Reads the traces that stand in this page, filters them and shows one, or two side by side.
// Everything in `data` may come from a model: it is put on the page by textContent only, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const { problems, traces } = JSON.parse(byId("data").textContent);
  const FILTERS = ["variant", "level", "grade", "reason"];
  const VERDICT_MARKS = { valid: "✓", invalid: "✗", unchecked: "·" };
  const GRADE_MARKS = { correct: "✓", wrong: "✗", no_answer: "∅", truncated: "…", disputed: "?", error: "!" };
  const numbers = new Map(traces.map((trace, number) => [trace.id, number]));
  const searched = [];
  let state = { view: "overview", variant: "", level: "", grade: "", reason: "", q: "", trace: "", beside: "" };
  let listed = [];  // numbers of the traces that pass the filters, in order
  let options = new Map();  // their elements in the list, by number

  // ---- elements

  function make(name, classes, text) {
    const element = document.createElement(name);
    if (classes) element.className = classes;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function choices(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, text, none]) => {
      const option = make("option", "", text);
      option.value = value;
      option.selected = value === chosen;
      option.disabled = Boolean(none) && value !== chosen;
      return option;
    }));
  }

  const shade = (known, name) => (Object.hasOwn(known, name) ? name : "unchecked");
  const levelled = (trace) => (trace.variant === "corrupt" ? `corrupt ${trace.level} %` : trace.variant);

  // ---- which traces

  const valueOf = (trace, filter) => String(trace[filter]);

  function textOf(number) {
    if (searched[number] === undefined) {
      const trace = traces[number];
      const problem = problems[trace.problem];
      const text = trace.pieces.map((piece) => (typeof piece === "string" ? piece : piece[0])).join("");
      const words = [trace.id, problem.id, problem.prompt, trace.answer, trace.told, text];
      searched[number] = words.join("\n").toLowerCase();
    }
    return searched[number];
  }

  function passes(number, except) {
    const trace = traces[number];
    if (FILTERS.some((name) => name !== except && state[name] !== "" && valueOf(trace, name) !== state[name])) return false;
    return state.q === "" || textOf(number).includes(state.q.toLowerCase());
  }

  function showFilters() {
    for (const name of FILTERS) {
      const counts = new Map();
      traces.forEach((trace, number) => {
        const value = valueOf(trace, name);
        counts.set(value, (counts.get(value) ?? 0) + (passes(number, name) ? 1 : 0));
      });
      const values = [...counts.keys()];
      if (name === "level") values.sort((one, other) => one - other);
      const pairs = values.map((value) => [value, `${value}${name === "level" ? " %" : ""} (${counts.get(value)})`, !counts.get(value)]);
      choices(byId(name), [["", "all"], ...pairs], state[name]);
    }
    if (byId("q").value !== state.q) byId("q").value = state.q;
    byId("clear").disabled = state.q === "" && FILTERS.every((name) => state[name] === "");
  }

  function showList() {
    listed = traces.map((_, number) => number).filter((number) => passes(number, ""));
    options = new Map(listed.map((number) => [number, optionOf(number)]));
    byId("list").replaceChildren(...options.values());
    byId("count").textContent = `${listed.length.toLocaleString("en")} of ${traces.length.toLocaleString("en")} traces`;
    if (!listed.length) byId("list").append(make("p", "note", "No trace here is like that."));
  }

  function optionOf(number) {
    const trace = traces[number];
    const option = make("div", `option ${shade(GRADE_MARKS, trace.grade)}`);
    option.id = `option-${number}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const head = make("span", "head");
    const mark = make("span", "grade-mark", GRADE_MARKS[shade(GRADE_MARKS, trace.grade)] ?? "·");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", trace.grade);
    mark.title = trace.grade;
    head.append(mark, make("b", "", levelled(trace)), make("span", "reason", trace.reason));
    option.append(head, make("span", "problem", problems[trace.problem].id));
    option.addEventListener("click", () => go({ trace: trace.id }));
    return option;
  }

  // ---- one trace, or two

  function besideOf(trace) {
    if (state.beside === "") return null;
    const number = state.beside === "auto" ? trace.beside : numbers.get(state.beside);
    if (number !== undefined && number >= 0) return traces[number];
    return trace.parentText ? { parent: true, pieces: [trace.parentText] } : undefined;
  }

  function showTrace() {
    const trace = traces[numbers.get(state.trace)];
    byId("detail").hidden = !trace;
    for (const line of byId("list").querySelectorAll("[aria-selected='true']")) line.setAttribute("aria-selected", "false");
    byId("list").removeAttribute("aria-activedescendant");
    if (!trace) return;
    const chosen = options.get(numbers.get(trace.id));
    if (chosen) {
      chosen.setAttribute("aria-selected", "true");
      byId("list").setAttribute("aria-activedescendant", chosen.id);
      intoView(byId("list"), chosen);
    }
    showProblem(problems[trace.problem], traces.filter((other) => other.problem === trace.problem));
    showChoiceBeside(trace);
    const place = listed.indexOf(numbers.get(trace.id));
    byId("previous").setAttribute("aria-disabled", String(place <= 0));  // not disabled, which would lose the focus
    byId("next").setAttribute("aria-disabled", String(place === listed.length - 1));
    const beside = besideOf(trace);
    byId("cards").classList.toggle("two", Boolean(beside));
    byId("cards").replaceChildren(cardOf(trace), ...(beside ? [cardOf(beside)] : []));
    if (beside === undefined) byId("cards").append(make("p", "note", "No other trace of this problem is here to stand beside it."));
    byId("said").textContent = `${levelled(trace)}, ${trace.grade}, ${trace.reason}, ${problems[trace.problem].id}`;
  }

  function showProblem(problem, here) {
    byId("problem-name").textContent = `${problem.id}   ${here.length} of its ${problem.there.toLocaleString("en")} rows are here`;
    byId("prompt").textContent = problem.prompt || "(its prompt is not among the rows here)";
    facts(byId("own"), problem.own);
  }

  function showChoiceBeside(trace) {
    const others = traces.filter((other) => other.problem === trace.problem && other !== trace);
    const pairs = others.map((other) => [other.id, `${levelled(other)}: ${other.reason} (${other.id})`]);
    choices(byId("beside"), [["", "nothing"], ["auto", "its counterpart"], ...pairs], state.beside);
  }

  function facts(list, pairs) {
    list.replaceChildren(...pairs.map(([name, value]) => {
      const pair = make("div");
      pair.append(make("dt", "", name), make("dd", "", value));
      return pair;
    }));
  }

  function cardOf(trace) {
    const card = make("section", "card");
    if (trace.parent) {
      card.append(make("h3", "", "the trace it was made from"), textElement(trace));
      return card;
    }
    const grade = shade(GRADE_MARKS, trace.grade);
    const head = make("h3", "", levelled(trace));
    head.append(" ", make("span", `chip ${grade}`, `${GRADE_MARKS[grade] ?? "·"} ${trace.grade}: ${trace.told}`));
    const answers = make("dl", "answers");
    facts(answers, [["answer", trace.answer || "none"], ["right is", problems[trace.problem].right]]);
    card.append(head, answers, textElement(trace));
    if (trace.cut) card.append(make("p", "note", `${trace.cut.toLocaleString("en")} more characters are in the data set.`));
    if (!trace.pieces.some((piece) => typeof piece !== "string")) card.append(make("p", "note", "Not cut into steps."));
    const about = make("details", "about");
    const list = make("dl", "facts");
    const [config, number] = trace.id.split("/");
    facts(list, [...trace.about, ["whole row", `wrongcot-data show DATASET --variant ${config} --skip ${number} -n 1`]]);
    about.append(make("summary", "", `About this row (${trace.id})`), list);
    card.append(about);
    return card;
  }

  function textElement(trace) {
    const text = make("div", "text");
    text.dir = "auto";
    text.append(...trace.pieces.map((piece) => {
      if (typeof piece !== "string") return stepElement(piece);
      return piece.trim() ? make("span", "words", piece) : piece;
    }));
    return text;
  }

  function stepElement([words, verdict, fault, operator]) {
    const known = shade(VERDICT_MARKS, verdict);
    const step = make("span", `step ${known}${operator ? " made" : ""}`);
    const mark = make("span", "mark", VERDICT_MARKS[known]);
    mark.setAttribute("aria-hidden", "true");
    step.append(mark, ours("spoken", `${known} step: `), make("span", "words", words));
    const told = [fault, operator && `by ${operator}`].filter(Boolean).join("; ");
    if (told) step.append(" ", ours("fault", `[${told}]`));
    return step;
  }

  // Words of the page in a trace, which say nothing of the direction that the trace is written in.
  function ours(classes, words) {
    const element = make("span", classes, words);
    element.dir = "ltr";
    return element;
  }

  function intoView(box, element) {
    const above = element.offsetTop;
    if (above < box.scrollTop) box.scrollTop = above;
    const below = above + element.offsetHeight - box.clientHeight;
    if (below > box.scrollTop) box.scrollTop = below;
  }

  // ---- the state, and the address that tells it

  function readAddress() {
    const told = new URLSearchParams(location.hash.slice(1));
    const next = {};
    for (const name of Object.keys(state)) next[name] = told.get(name) ?? "";
    next.view = next.view === "traces" ? "traces" : "overview";
    for (const name of FILTERS) if (!traces.some((trace) => valueOf(trace, name) === next[name])) next[name] = "";
    return next;
  }

  function writeAddress() {
    const told = new URLSearchParams();
    if (state.view === "traces") for (const [name, value] of Object.entries(state)) if (value) told.set(name, value);
    const address = `#${told}`;
    if (location.hash === address || (address === "#" && !location.hash)) return;
    try {
      history.replaceState(null, "", address);
    } catch {  // a browser that holds files apart
      location.hash = address;
    }
  }

  // Changes the state and shows what follows from it.
  function go(changes) {
    const before = state;
    state = { ...state, ...changes };
    const filtered = [...FILTERS, "q"].some((name) => before[name] !== state[name]);
    if (filtered) showAll();
    else showChosen(before);
    writeAddress();
  }

  function showAll() {
    showFilters();
    showList();
    showChosen({});
  }

  function showChosen(before) {
    const overview = state.view === "overview";
    byId("overview").hidden = !overview;
    byId("traces").hidden = overview;
    byId("view-overview").setAttribute("aria-pressed", String(overview));
    byId("view-traces").setAttribute("aria-pressed", String(!overview));
    if (overview) return;
    const known = numbers.has(state.trace);
    if (!known || (before.trace === undefined && !options.has(numbers.get(state.trace)))) {
      state.trace = listed.length ? traces[listed[0]].id : "";
    }
    const other = traces[numbers.get(state.beside)];
    const here = traces[numbers.get(state.trace)];
    if (state.beside !== "" && state.beside !== "auto" && (!other || !here || other.problem !== here.problem || other === here)) {
      state.beside = "auto";
    }
    showTrace();
  }

  // ---- moving about

  function move(by) {
    const place = listed.indexOf(numbers.get(state.trace));
    const next = listed[Math.min(listed.length - 1, Math.max(0, place + by))];
    if (next !== undefined) go({ trace: traces[next].id });
  }

  function moveProblem(by) {
    const here = traces[numbers.get(state.trace)]?.problem ?? -1;
    const others = listed.filter((number) => (traces[number].problem - here) * by > 0);
    if (!others.length) return;
    const nearest = traces[by > 0 ? others[0] : others[others.length - 1]].problem;
    go({ trace: traces[listed.find((number) => traces[number].problem === nearest)].id });
  }

  function toSearch() {
    if (state.view === "overview") go({ view: "traces" });
    byId("q").focus();
    byId("q").select();
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    n: () => moveProblem(1),
    p: () => moveProblem(-1),
    b: () => go({ beside: state.beside === "" ? "auto" : "" }),
  };
  const KEYS_EVERYWHERE = {
    "/": toSearch,
    "?": () => byId("help").showModal(),
    t: () => setTheme(isDark() ? "light" : "dark"),
    o: () => go({ view: state.view === "overview" ? "traces" : "overview" }),
  };
  const pageful = () => Math.max(1, Math.floor(byId("list").clientHeight / (options.values().next().value?.offsetHeight || 1)) - 1);
  const LIST_KEYS = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(pageful()),
    PageUp: () => move(-pageful()),
    Home: () => move(-traces.length),
    End: () => move(traces.length),
    Enter: () => byId("detail").focus(),
  };

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const typing = event.target.closest?.("input, select, textarea");
    if (typing) {
      if (event.key === "Escape" || (event.key === "Enter" && typing === byId("q"))) {
        event.preventDefault();
        byId("list").focus();
      }
      return;
    }
    const inList = event.target === byId("list") ? LIST_KEYS[event.key] : undefined;
    const act = inList ?? KEYS_EVERYWHERE[event.key] ?? (state.view === "traces" ? KEYS[event.key] : undefined);
    if (!act) return;
    event.preventDefault();
    act();
  }

  // ---- dark and light

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  function setTheme(name) {
    if (name) document.documentElement.dataset.theme = name;
    try {
      if (name) localStorage.setItem("wrongcot-theme", name);
    } catch {}  // no storage for files in this browser: the choice lasts as long as the page
    byId("theme").setAttribute("aria-pressed", String(isDark()));
  }

  function storedTheme() {
    try {
      const stored = localStorage.getItem("wrongcot-theme");
      return stored === "dark" || stored === "light" ? stored : "";
    } catch {
      return "";
    }
  }

  // ---- begin

  for (const name of FILTERS) byId(name).addEventListener("change", (event) => go({ [name]: event.target.value }));
  byId("q").addEventListener("input", (event) => go({ q: event.target.value }));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => go({ variant: "", level: "", grade: "", reason: "", q: "" }));
  byId("beside").addEventListener("change", (event) => go({ beside: event.target.value }));
  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("view-overview").addEventListener("click", () => go({ view: "overview" }));
  byId("view-traces").addEventListener("click", () => go({ view: "traces" }));
  byId("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("help-close").addEventListener("click", () => byId("help").close());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(""));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();  // the address tells the state
    byId("main").focus();
  });
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", () => {
    state = readAddress();
    showAll();
    writeAddress();
  });
  setTheme(storedTheme());
  state = readAddress();
  showAll();
  writeAddress();
})();
