// What a page of another origin may try against a server: each way to read from it and to write to
// it. `attack(base, path, body)` gives {way: what the page could read, "" for nothing}.
const WAIT_MS = 3000; // for what is heard of
const SHOWN_MS = 1500; // for what is looked at

function within(promise) {
  return Promise.race([promise, new Promise((done) => setTimeout(() => done(""), WAIT_MS))]);
}

function loaded(element, url, name = "src") {
  return within(
    new Promise((done) => {
      element.onload = () => done("loaded");
      element.onerror = () => done("");
      element[name] = url;
      document.body.append(element);
    }),
  );
}

async function fetched(url, options) {
  try {
    const answer = await fetch(url, options);
    return await answer.text();
  } catch {
    return "";
  }
}

function asked(method, url, body) {
  return within(
    new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.onloadend = () => done(request.responseText);
      request.send(body);
    }),
  );
}

function frame(name) {
  const made = document.createElement("iframe");
  made.name = name;
  document.body.append(made);
  return made;
}

async function shown(view) {
  await new Promise((done) => setTimeout(done, SHOWN_MS));
  try {
    return view.document.documentElement.textContent;
  } catch {
    return "";
  }
}

function form(method, url, fields, target, encoding) {
  const made = document.createElement("form");
  Object.assign(made, { method, action: url, target, enctype: encoding });
  for (const [name, value] of fields) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    made.append(input);
  }
  document.body.append(made);
  made.submit();
}

function sandboxed(url) {
  return within(
    new Promise((done) => {
      const made = document.createElement("iframe");
      addEventListener("message", (said) => {
        if (said.source === made.contentWindow) done(String(said.data));
      });
      made.sandbox = "allow-scripts";
      made.srcdoc = `<script>fetch(${JSON.stringify(url)}).then((a) => a.text()).catch(() => "")
        .then((text) => parent.postMessage(text, "*"))</` + "script>";
      document.body.append(made);
    }),
  );
}

async function attack(base, path, body) {
  const url = base + path;
  const mark = (way) => url + (path.includes("?") ? "&" : "?") + "way=" + way;
  const element = (name) => document.createElement(name);
  const post = { method: "POST", body };
  const plain = { "Content-Type": "text/plain" };
  const ways = {
    fetch: () => fetched(mark("fetch")),
    fetch_no_cors: () => fetched(mark("fetch_no_cors"), { mode: "no-cors" }),
    fetch_no_referrer: () =>
      fetched(mark("fetch_no_referrer"), { mode: "no-cors", referrerPolicy: "no-referrer" }),
    fetch_credentials: () => fetched(mark("fetch_credentials"), { credentials: "include" }),
    fetch_header: () => fetched(mark("fetch_header"), { headers: { "X-ClickHouse-User": "default" } }),
    post: () => fetched(mark("post"), { ...post, headers: plain }),
    post_no_cors: () => fetched(mark("post_no_cors"), { ...post, mode: "no-cors", headers: plain }),
    post_json: () =>
      fetched(mark("post_json"), { ...post, headers: { "Content-Type": "application/json" } }),
    put: () => fetched(mark("put"), { ...post, method: "PUT" }),
    keepalive: () => fetched(mark("keepalive"), { ...post, mode: "no-cors", keepalive: true }),
    xhr: () => asked("GET", mark("xhr"), null),
    xhr_post: () => asked("POST", mark("xhr_post"), body),
    image: () => loaded(element("img"), mark("image")),
    image_no_referrer: () =>
      loaded(Object.assign(element("img"), { referrerPolicy: "no-referrer" }), mark("image_no_referrer")),
    script: () => loaded(element("script"), mark("script")),
    style: () => loaded(Object.assign(element("link"), { rel: "stylesheet" }), mark("style"), "href"),
    video: () => loaded(element("video"), mark("video")),
    object: async () => {
      await loaded(element("object"), mark("object"), "data");
      return ""; // its error page loads, too
    },
    sandboxed: () => sandboxed(mark("sandboxed")),
    frame: () => {
      const made = frame("frame");
      made.src = mark("frame");
      return shown(made.contentWindow);
    },
    form_get: () => {
      const made = frame("form_get");
      form("GET", base + "/metrics", [["way", "form_get"], ...new URL(url).searchParams], "form_get", "");
      return shown(made.contentWindow);
    },
    form_post: () => {
      const made = frame("form_post");
      form("POST", mark("form_post"), [[body, ""]], "form_post", "text/plain");
      return shown(made.contentWindow);
    },
    popup: async () => {
      const view = open(mark("popup"));
      const text = view ? await shown(view) : "";
      view?.close();
      return text;
    },
    events: () =>
      within(
        new Promise((done) => {
          const source = new EventSource(mark("events"));
          source.onopen = () => done("opened");
          source.onmessage = (event) => done(event.data);
          source.onerror = () => (source.close(), done(""));
        }),
      ),
    socket: () =>
      within(
        new Promise((done) => {
          const socket = new WebSocket(mark("socket").replace("http:", "ws:"));
          socket.onopen = () => done("opened");
          socket.onmessage = (event) => done(event.data);
          socket.onerror = () => done("");
        }),
      ),
    beacon: () => (navigator.sendBeacon(mark("beacon"), body), ""),
  };
  const found = await Promise.all(
    Object.entries(ways).map(async ([way, run]) => {
      try {
        return [way, (await run()) ?? ""];
      } catch {
        return [way, ""];
      }
    }),
  );
  await new Promise((done) => setTimeout(done, 300));
  return Object.fromEntries(found);
}
