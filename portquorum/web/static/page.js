// What the pages do beyond what they say without a script: they stay true while one looks at them,
// count ages on, and listen to keys. No words of its own: they come with the page.

const root = document.documentElement
const words = JSON.parse(root.dataset.words)
const skewMs = Number(root.dataset.now) - Date.now()
const now = () => Date.now() + skewMs
const all = (selector, within = document) => [...within.querySelectorAll(selector)]
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole)

// Ages and the clock

const UNITS = [[172_800_000, 86_400_000, "d", 3_600_000, "h"], [7_200_000, 3_600_000, "h", 60_000, "min"],
  [120_000, 60_000, "min"], [0, 1000, "s"]]

// As schemas.duration.COARSE: 119 s, 12 min, 3 h 5 min, 2 d 4 h.
function lengthText(ms) {
  const length = Math.max(0, ms)
  const [, size, unit, restSize, restUnit] = UNITS.find(([least]) => length >= least)
  const rest = restSize ? Math.floor((length % size) / restSize) : 0
  return `${Math.floor(length / size)} ${unit}` + (rest ? ` ${rest} ${restUnit}` : "")
}

function clockFormat(zone) {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  })
}

const utcClock = clockFormat("UTC")
let localClock = utcClock

function setClock() {
  try {
    localClock = clockFormat(root.dataset.zone)
  } catch { /* a zone that this browser does not know: UTC is shown */ }
}
setClock()

function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text
}

function tick() {
  if (document.hidden) return
  const at = now()
  all("time[data-ago]").forEach((one) => put(one, lengthText(at - Date.parse(one.dateTime))))
  all("[data-at]").forEach((one) => put(one, filled(words.age, { age: lengthText(at - Number(one.dataset.at)) })))
  const time = new Date(at)
  put(document.querySelector("#clock .local"), localClock.format(time))
  put(document.querySelector("#clock .utc"), utcClock.format(time))
}

// Live: an event says that something has changed; the page is asked for anew and compared.

let coming = null // the newest page, parsed, of which not all is shown
let asking = false
let again = false
let lastAsked = 0

const plainRow = (row) => row.outerHTML.replace(/(<time data-ago[^>]*>)[^<]*/g, "$1")
  .replace(/ class="[^"]*\b(changed|gone)\b[^"]*"/g, "")
const rowsOf = (list) => new Map(all("[data-key]", list).map((row) => [row.dataset.key, row]))
const served = new WeakMap() // the markup of each row as the server sent it

function remember(within) {
  all("[data-key]", within).forEach((row) => served.set(row, plainRow(row)))
}

function soon() {
  const wait = Math.max(0, lastAsked + 1000 - Date.now())
  if (asking || again) again = true
  else if (wait === 0) refresh()
  else { again = true; setTimeout(() => { again = false; refresh() }, wait) }
}

async function refresh(wholly = false) {
  if (document.hidden && !wholly) { again = true; return }
  asking = true
  lastAsked = Date.now()
  try {
    const { answer, page: found } = await ask(location.href)
    if (!answer.ok) return
    remember(found)
    head(found)
    if (document.querySelector("main #form")) return // somebody types
    if (wholly) { coming = found; show() } else compare(found)
  } catch {
    // Not reachable: the stream of events says so, too.
  } finally {
    asking = false
    if (again) { again = false; soon() }
  }
}

function head(found) {
  document.title = found.title
  root.className = found.documentElement.className
  root.classList.add("js")
  document.getElementById("icon").href = found.getElementById("icon").getAttribute("href")
  for (const name of ["zone", "blind", "trouble", "away", "reporting"]) {
    root.dataset[name] = found.documentElement.dataset[name]
  }
  setClock()
  for (const selector of ["#counts", "#health", "#blindly", "#zone"]) {
    const [old, fresh] = [document.querySelector(selector), found.querySelector(selector)]
    if (old && fresh && old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes)
  }
  tick()
}

// Rows that stay are renewed in their place, those that are gone stay until one asks, and those
// that are new wait: nothing moves while somebody reads.
function compare(found) {
  coming = found
  // A page without a row, as beside a monitor that starts: nobody reads it yet.
  const main = document.getElementById("content")
  if (!main.querySelector("[data-key]") && !main.contains(document.activeElement)) { show(); return }
  const waiting = { new: 0, gone: 0 }
  const [heading, headed] = [main.querySelector("h1"), found.querySelector("main h1")]
  if (heading && headed && heading.innerHTML !== headed.innerHTML) heading.innerHTML = headed.innerHTML
  for (const list of all("[data-list]")) {
    const fresh = found.querySelector(`[data-list="${list.dataset.list}"]`)
    if (!fresh) continue
    const [had, has] = [rowsOf(list), rowsOf(fresh)]
    if (had.size === 0) {
      if (list.innerHTML !== fresh.innerHTML) swap(list, fresh)
      continue
    }
    const leads = new Map([...has.values()].filter((row) => row.dataset.lead).map((row) => [row.dataset.lead, row]))
    for (const [key, row] of had) {
      // A cause that grows (another port of its host) has another key, and the same incident.
      const grown = leads.get(row.dataset.lead)
      const other = has.get(key) ?? (grown && !had.has(grown.dataset.key) ? grown : undefined)
      if (!other) leave(row)
      else if (served.get(row) !== served.get(other)) renew(row, other)
    }
    had.clear()
    rowsOf(list).forEach((row, key) => had.set(key, row))
    const title = list.querySelector("h2")
    const titled = fresh.querySelector("h2")
    if (title && titled && title.innerHTML !== titled.innerHTML) title.innerHTML = titled.innerHTML
    if (!("quiet" in list.dataset)) {
      waiting.new += [...has.keys()].filter((key) => !had.has(key)).length
      waiting.gone += [...had.keys()].filter((key) => !has.has(key)).length
    }
  }
  for (const part of all("[data-swap]")) {
    const fresh = found.getElementById(part.id)
    if (fresh && plainRow(part) !== plainRow(fresh)) swap(part, fresh)
  }
  offer(waiting)
  tick()
}

// A row that is not on the new page: struck through if it is over, and not if another row has it.
async function leave(row) {
  const lead = row.dataset.lead
  if (lead && !row.classList.contains("gone")) {
    try {
      const answer = await fetch(`/api/v1/incidents/${encodeURIComponent(lead)}`)
      const found = answer.ok ? (await answer.json()).row : null
      if (found && found.closed_at === null) return
    } catch { return }
  }
  row.classList.add("gone")
}

function renew(row, other) {
  const focused = row.contains(document.activeElement) ? all("a, button", row).indexOf(document.activeElement) : -1
  const made = document.importNode(other, true)
  served.set(made, served.get(other))
  made.classList.add("changed")
  row.replaceWith(made)
  if (focused >= 0) all("a, button", made)[focused]?.focus({ preventScroll: true })
}

function swap(old, fresh) {
  const made = document.importNode(fresh, true)
  made.classList.add("changed")
  old.replaceWith(made)
  remember(made)
}

function offer(waiting) {
  const place = document.getElementById("fresh")
  const said = Object.entries(waiting).filter(([, n]) => n).map(([what, n]) => filled(words[what], { n }))
  if (!said.length) { place.replaceChildren(); return }
  let button = place.querySelector("button")
  if (!button) {
    button = document.createElement("button")
    button.type = "button"
    button.addEventListener("click", show)
    place.replaceChildren(button)
  }
  put(button, [...said, words.show].join(", "))
}

// All that is known, at once, because somebody asked for it.
function show() {
  if (!coming) return
  const key = document.activeElement?.closest?.("[data-key]")?.dataset.key
  const opened = all("details[open][id]", document.getElementById("content")).map((one) => one.id)
  const main = document.importNode(coming.getElementById("content"), true)
  document.getElementById("content").replaceWith(main)
  remember(main)
  offer({})
  opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""))
  coming = null
  const row = key === undefined ? null : all("[data-key]", main).find((one) => one.dataset.key === key)
  if (row) rowLink(row)?.focus({ preventScroll: true })
  tick()
}

let lostAt = null

function lost() {
  if (lostAt === null) { lostAt = now(); setTimeout(sayLost, 4000) }
}

function sayLost() {
  if (lostAt === null) return
  root.classList.add("blind")
  const place = document.getElementById("lost")
  place.hidden = false
  put(place, filled(words.lost, { since: localClock.format(new Date(lostAt)) }))
}

function found() {
  if (lostAt === null) return
  lostAt = null
  document.getElementById("lost").hidden = true
  refresh()
}

// The title and the icon, which are seen when the page is not.
function signal(counts) {
  if (root.classList.contains("blind")) return
  const wrong = counts.down + counts.flapping
  const title = document.title.replace(/^\([^)]*\) /, "")
  document.title = wrong ? `(${wrong}) ${title}` : title
  document.getElementById("icon").href = words.icons[wrong ? "down" : counts.slow ? "slow" : "up"]
}

function counted(counts) {
  signal(counts)
  for (const chip of all("#counts [data-state]")) {
    const count = counts[chip.dataset.state]
    if (count === undefined) continue
    if ((count === 0) !== chip.classList.contains("none")) return false
    put(chip.querySelector("b"), count.toLocaleString("en"))
  }
  return true
}

// True if the page says something else of what is known than an event does.
function isToldOtherwise(fresh) {
  const { blind, trouble, away, reporting } = root.dataset
  return (fresh.blind_because ?? "") !== blind || String(fresh.history_away_since ?? "") !== away
    || (fresh.kafka_trouble ?? "") !== trouble
    || `${fresh.regions_reporting}/${fresh.regions}` !== reporting
}

function changed(kind, data) {
  let change = {}
  try {
    change = JSON.parse(data)
  } catch { /* what it says is asked for anyway */ }
  const fresh = change.freshness
  if (fresh?.data_at) all("[data-at]").forEach((one) => { one.dataset.at = fresh.data_at })
  const shown = !change.counts || counted(change.counts)
  if (kind !== "freshness" || !shown || (fresh && isToldOtherwise(fresh))) soon()
  tick()
}

// One stream for all tabs of a browser, which opens only some six connections to a server: the tab
// that holds the lock listens and tells the others. When it closes, another one goes on.
let newestId = root.dataset.position
let tabs = null

function told({ type, data, id }) {
  if (id) newestId = id
  if (type === "lost") lost()
  else if (type === "open") found()
  else changed(type, data)
}

function tell(message) {
  told(message)
  tabs?.postMessage(message)
}

function listen() {
  const source = new EventSource(`${root.dataset.live}?since=${encodeURIComponent(newestId)}`)
  const kinds = ["incident", "region", "unwatched", "target", "policy", "status", "freshness", "reload", "message"]
  for (const kind of kinds) {
    source.addEventListener(kind, (event) => tell({ type: kind, data: event.data, id: event.lastEventId }))
  }
  source.addEventListener("open", () => tell({ type: "open" }))
  source.addEventListener("error", () => {
    tell({ type: "lost" })
    // A browser tries again by itself, but not after an answer such as 503.
    if (source.readyState !== EventSource.CLOSED) return
    setTimeout(listen, 2000 + 3000 * Math.random())
    refresh() // whoever is not let in any more is led to the sign-in
  })
  window.addEventListener("pagehide", () => source.close())
}

function live() {
  if (!root.dataset.live || !window.EventSource) return
  if (navigator.locks && window.BroadcastChannel) {
    tabs = new BroadcastChannel("portquorum")
    tabs.addEventListener("message", (event) => told(event.data))
    let listens = false
    navigator.locks.request("portquorum", () => new Promise(() => { listens = true; listen() }))
    // What came before this tab heard the others.
    setTimeout(() => { if (!listens) soon() }, 500)
  } else {
    listen()
  }
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload() })
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(again) })
}

// Forms: a link to one shows it in a dialog, and what it answers is shown as it came. Without a
// script they are pages of their own.

async function ask(url, options) {
  const answer = await fetch(url, { headers: { "Accept": "text/html" }, ...options })
  if (answer.status === 401 || new URL(answer.url).pathname === "/login") {
    location.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`
    return new Promise(() => {}) // this page ends
  }
  return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") }
}

const dialog = document.createElement("dialog")
dialog.setAttribute("aria-labelledby", "form-title")
document.body.append(dialog)
let opener = null

async function openForm(href) {
  if (dialog.open) return
  opener = document.activeElement
  try {
    const { page } = await ask(href)
    dialog.replaceChildren()
    dialog.showModal()
    present(page, dialog)
  } catch { location.href = href }
}

// The form of an answer in its place; an answer without one is an error, which is shown whole.
// `typed` are fields that were changed since it was asked: nothing that somebody types is lost.
function present(page, place, typed = []) {
  const sheet = document.importNode(page.getElementById("form") ?? page.getElementById("content"), true)
  sheet.removeAttribute("tabindex")
  const focused = document.activeElement?.id
  const opened = all("details[open][id]", place).map((one) => one.id)
  if (place === dialog) { sheet.id = "form"; sheet.querySelector("h1").id = "form-title"; dialog.replaceChildren(sheet) }
  else place.replaceWith(sheet)
  opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""))
  const first = sheet.querySelector("[autofocus]") || (focused && document.getElementById(focused))
    || sheet.querySelector(".field input, .field select, .field textarea, .buttons button, a")
  for (const one of typed) {
    const field = sheet.querySelector(`[name="${CSS.escape(one.name)}"]`)
    if (field) field.value = one.value
  }
  first?.focus()
  if (typed.length && first?.type === "text") first.setSelectionRange(first.value.length, first.value.length)
}

async function done(page) {
  const [key, href] = [opener?.closest?.("[data-key]")?.dataset.key, opener?.getAttribute?.("href")]
  dialog.close()
  put(document.getElementById("done"), page.getElementById("done")?.textContent ?? "")
  await refresh(true)
  if (opener?.isConnected) { opener.focus(); return }
  const row = all("[data-key]").find((one) => one.dataset.key === key)
  const link = all("main a").find((one) => one.getAttribute("href") === href)
  const back = link ?? (row && rowLink(row)) ?? document.querySelector("#actions a") ?? document.getElementById("content")
  back.focus({ preventScroll: true })
}

document.addEventListener("submit", async (event) => {
  const form = event.target
  const place = form.closest("dialog") ?? ("inPlace" in form.dataset ? form.closest("#form") : null)
  if (!place) return
  event.preventDefault()
  if (form.ariaBusy) return
  form.ariaBusy = "true"
  try {
    const body = new URLSearchParams(new FormData(form, event.submitter))
    const fields = all("input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea", form)
    const before = fields.map((one) => one.value)
    const { answer, page } = await ask(form.action, { method: "POST", body })
    if (!answer.redirected) present(page, place, fields.filter((one, at) => one.value !== before[at]))
    else if (place === dialog) await done(page)
    else location.href = answer.url
  } catch {
    const said = document.createElement("p")
    said.className = "wrongs"
    said.role = "alert"
    said.textContent = words.unsent
    form.querySelector(":scope > .wrongs")?.remove()
    form.prepend(said)
  } finally {
    form.ariaBusy = null
  }
})

document.addEventListener("click", (event) => {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  const link = event.target.closest?.("a")
  if (link?.matches("[data-dialog]")) { event.preventDefault(); openForm(link.href) }
  else if (link?.matches("dialog .without")) { event.preventDefault(); dialog.close() }
})

// Keys

const rowLink = (row) => row.querySelector("a.name, .what a, a")

function step(by) {
  const rows = all("main [data-key]").filter((row) => row.getClientRects().length && rowLink(row))
  if (!rows.length) return
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))]
  rowLink(row).focus()
  row.scrollIntoView({ block: "nearest" })
}

// Of the row that has the focus, else of the page; what one may not do has no data for it.
function act(what) {
  const at = document.activeElement?.closest?.("[data-target]") ?? document.getElementById("actions")
  if (!at?.dataset.target) return
  const [target, incident] = [at.dataset.target, at.dataset.incident].map((one) => one && encodeURIComponent(one))
  if (what === "pause") openForm(`/targets/${target}/${"paused" in at.dataset ? "resume" : "pause"}`)
  else if (incident) openForm(`/incidents/${incident}/${what}`)
  else if (what === "silence") openForm(`/targets/${target}/silence`)
}

const keys = {
  "/": () => {
    const field = all("input[type=search]").find((one) => one.getClientRects().length)
    if (field) { field.focus(); field.select() } else location.href = "/targets"
  },
  "j": () => step(1),
  "k": () => step(-1),
  "a": () => act("acknowledge"),
  "s": () => act("silence"),
  "p": () => act("pause"),
  "r": () => show(),
  "?": () => {
    const list = document.getElementById("keys")
    list.open = !list.open
    if (list.open) list.querySelector("summary").focus()
  },
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("dialog form")
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault()
    form.requestSubmit(form.querySelector(".buttons button"))
    return
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open) return
  if (event.target.closest?.("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur()
    return
  }
  const what = Object.hasOwn(keys, event.key) ? keys[event.key] : null
  if (what) { event.preventDefault(); what() }
})

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]")
  if (!button) return
  const text = document.getElementById(button.dataset.copy)?.textContent.trim() ?? ""
  try {
    await navigator.clipboard.writeText(text)
    put(button, words.copied)
    setTimeout(() => put(button, words.copy), 2000)
  } catch { getSelection().selectAllChildren(document.getElementById(button.dataset.copy)) }
})

let asksAgain = 0

// A choice in a form of filters is a question at once.
document.addEventListener("change", (event) => {
  const { target } = event
  if (target.matches?.("form[data-auto] select")) target.form.requestSubmit()
  const again = target.dataset?.again
  if (!again) return
  // Not at each letter of a name that is typed.
  clearTimeout(asksAgain)
  asksAgain = setTimeout(() => target.form?.requestSubmit(target.form.querySelector(`button[value="${again}"]`)), 500)
})

root.classList.add("js")
remember(document)
// What was done just now is said once: neither a reload nor a link that is sent says it again.
const address = new URL(location.href)
if (address.searchParams.has("done")) {
  address.searchParams.delete("done")
  history.replaceState(null, "", address)
}
document.querySelector("main [autofocus]")?.focus()
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zone && zone !== root.dataset.zone) {
  document.cookie = `portquorum_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`
  refresh(true)
}
tick()
setInterval(tick, 1000)
live()
