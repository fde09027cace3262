// The page in the language that a visitor reads: of the address (lang), else of the browser, else English. The server's
// HTML is English and comes with the English texts; another language's are fetched once, when first wanted.
//
// To change the language is to build the page anew from the state that it has: `explore` is the page's whole script.

const tables = { en: props.texts };
const keys = new Map(Object.entries(props.texts).map(([key, words]) => [words, key]));
const refusals = Object.entries(props.texts).filter(([key]) => key.startsWith("why_")).map(([key, words]) => [key, shape(words)]);
const reading = { language: null, page: null };

function table(language) {
  tables[language] ??= fetch(props.languages[language])
    .then((answer) => (answer.ok ? answer.json() : null)).catch(() => null)
    .then((texts) => (tables[language] = texts));
  return tables[language];
}

// Puts the texts into HTML as it came: whatever is one of the English texts, as a whole.
function translate(root, texts) {
  const told = (words) => texts[keys.get(words)];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType === Node.TEXT_NODE) {
      const words = node.data.trim();
      if (told(words)) node.data = node.data.replace(words, () => told(words));
    }
    if (node.tagName === "TEMPLATE") translate(node.content, texts);
    for (const { name, value } of node.attributes ?? []) {
      if (["aria-label", "title"].includes(name)) node.setAttribute(name, told(value) ?? value);
    }
  }
}

// What a text looks like once its places are filled.
function shape(words) {
  const plain = words.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${plain.replace(/\{(\w+)\}/g, "(?<$1>.*?)")}$`);
}

// The server says in English why it refuses. The text that it has filled in says the same in this language, and so do those
// that its places were filled with.
function retell(line, texts) {
  for (const [key, words] of refusals) {
    const found = line.match(words);
    if (found) return texts[key].replace(/\{(\w+)\}/g, (place, name) => retell(found.groups[name], texts));
  }
  return line;
}

async function speak(language) {
  reading.language = language;
  const texts = await table(language);
  if (reading.language !== language) return; // another has been asked for since
  if (!texts) {
    if (reading.page) reading.page.warn();
    else speak("en");
    return;
  }
  const before = reading.page?.end();
  const host = document.createElement("div");
  if (before) host.innerHTML = props.value;
  else host.append(...element.childNodes);
  if (language !== "en") translate(host, texts);
  const old = element.querySelector(".frame");
  element.replaceChildren(host);
  if (old) host.querySelector(".frame").replaceWith(old.cloneNode()); // with its proportions
  if (old?.querySelector("img")) host.querySelector(".frame").append(old.querySelector("img"));
  document.documentElement.lang = language;
  const life = new AbortController();
  const listen = (kind, act) => window.addEventListener(kind, act, { signal: life.signal });
  const told = { word: (words) => texts[keys.get(words)] ?? words, why: (line) => retell(line.trim(), texts) };
  const own = { ...props, ...told, texts, language, speak: choose };
  const { end, warn } = explore(host, own, listen, before);
  reading.page = { warn, end: () => (life.abort(), end()) };
}

// The choice stays in the address.
function choose(language) {
  const query = new URLSearchParams(location.search);
  query.set("lang", language);
  history.replaceState(history.state, "", `?${query}`);
  speak(language);
}

function first() {
  const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages];
  return wanted.map((tag) => tag?.split("-")[0]).find((tag) => Object.hasOwn(props.languages, tag)) ?? "en";
}

speak(first());
