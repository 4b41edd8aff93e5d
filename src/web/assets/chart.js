/** Draws a chart in its frame: requests as many points as there are pixels, and leaves gaps open. */

import { grouped, wordsOf } from "./curve.js";
import { axesOf, colorsOf, seriesOf, shade } from "./drawing.js";
import uPlot from "./uPlot.esm.js";

/**
 * @typedef {import("./curve.js").Curve} Curve
 * @typedef {{ from: number | null, to: number | null }} Span
 */

/** The shortest span to which the user can zoom, in milliseconds. */
const shortest = 60_000;

const mostTries = 10;

/** One chart of a page: its curve, the visible span, and the controls. */
export class Chart {
  /** @type {HTMLElement} */ #figure;
  /** @type {HTMLElement} */ #plot;
  /** @type {HTMLElement} */ #reading;
  /** @type {HTMLElement} */ #words;
  /** @type {HTMLElement} */ #reset;
  #timezone;
  #dates;
  /** @type {Span} */ #whole;
  /** @type {string | null} */ #span;
  #isByWallet = false;
  /** @type {Span | null} */ #zoom = null;
  /** @type {Curve | null} */ #curve = null;
  /** @type {uPlot | null} */ #drawn = null;
  /** Counts the requests: responses to older ones are discarded. */
  #requests = 0;

  /**
   * @param {HTMLElement} figure
   * @param {string} timezone
   */
  constructor(figure, timezone) {
    /** @param {string} selector */
    const part = (selector) => /** @type {HTMLElement} */ (figure.querySelector(selector));
    this.#figure = figure;
    this.#plot = part(".plot");
    this.#reading = part(".reading");
    this.#words = part(".words");
    this.#reset = part('[data-zoom="reset"]');
    this.#timezone = timezone;
    this.#dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: timezone });
    this.#whole = { from: numberOf(figure.dataset.from), to: numberOf(figure.dataset.to) };
    this.#span = figure.querySelector("[data-span]")
      ? (figure.querySelector('[aria-pressed="true"]')?.getAttribute("data-span") ?? "all")
      : null;
    this.#listen();
    void this.#load();
  }

  /** Loads new data, unless the user has zoomed in or the span ends in the past. */
  refresh() {
    if (this.#zoom === null && this.#whole.to === null) void this.#load();
  }

  async #load(tries = 0) {
    this.#requests += 1;
    const mine = this.#requests;
    this.#figure.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(this.#address());
      if (response.status === 503 && mine === this.#requests && tries < mostTries) {
        // The server keeps what it has read of a long history: the next request continues from there.
        this.#words.textContent = "Loading a long history…";
        setTimeout(() => mine === this.#requests && void this.#load(tries + 1), 1000);
        return;
      }
      const isNothing = response.status === 404;
      if (!response.ok && !isNothing) throw new Error(await response.text());
      const found = isNothing ? null : /** @type {Curve} */ (await response.json());
      // A newer request has been sent.
      if (mine !== this.#requests) return;
      if (found) this.#draw(found);
      else this.#words.textContent = "No data.";
    } catch (error) {
      this.#words.textContent = `Chart failed to load: ${error instanceof Error ? error.message : error}`;
    }
    this.#figure.removeAttribute("aria-busy");
  }

  #address() {
    const { source, lines } = this.#figure.dataset;
    const address = new URL(source ?? "", location.href);
    const query = address.searchParams;
    query.set("width", String(Math.max(50, Math.min(4000, Math.round(this.#plot.clientWidth)))));
    if (lines && !this.#isByWallet) query.set("lines", lines);
    const { from, to } = this.#zoom ?? (this.#span === null ? this.#whole : { from: null, to: null });
    if (from !== null) query.set("from", String(from));
    if (to !== null) query.set("to", String(to));
    if (!this.#zoom && this.#span !== null) query.set("span", this.#span);
    return address;
  }

  /** @param {Curve} found */
  #draw(found) {
    /** @type {uPlot.AlignedData} */
    const data = [found.at, ...found.lines.map(({ values }) => values.map(heightOf))];
    const names = found.lines.map(({ name }) => name).join();
    this.#curve = found;
    // With the same lines, only the data is replaced, so that the cursor stays where it is.
    if (this.#drawn && names === this.#figure.dataset.names) this.#drawn.setData(data);
    else {
      this.#drawn?.destroy();
      this.#drawn = new uPlot(this.#options(found), data, this.#plot);
    }
    this.#figure.dataset.names = names;
    this.#reset.hidden = this.#zoom === null;
    this.#words.textContent = wordsOf(found, (at) => this.#dates.format(at));
    this.#figure.dataset.drawn = String(Number(this.#figure.dataset.drawn ?? 0) + 1);
  }

  /** @param {Curve} found @returns {uPlot.Options} */
  #options(found) {
    const color = colorsOf(this.#figure);
    const width = this.#plot.clientWidth;
    return {
      width,
      height: heightAt(width),
      ms: 1,
      tzDate: (at) => uPlot.tzDate(new Date(at), this.#timezone),
      scales: { x: { time: true, range: () => (this.#curve ? [this.#curve.from, this.#curve.to] : [0, 1]) } },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      axes: axesOf(color, this.#timezone),
      series: [{}, ...found.lines.map(({ name, label }) => seriesOf(color, name, label, found.lines.length === 1))],
      hooks: {
        drawClear: [(self) => this.#curve && shade(self, this.#curve, color("--gap"), color("--partial"))],
        setCursor: [(self) => this.#read(self.cursor.idx ?? null)],
        setSelect: [(self) => this.#select(self)],
      },
    };
  }

  /** @param {uPlot} self */
  #select(self) {
    const { left, width } = self.select;
    // Without an event, which would select again.
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width >= 3) this.#zoomTo(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
  }

  /** @param {number} from @param {number} to */
  #zoomTo(from, to) {
    const middle = (from + to) / 2;
    const half = Math.max(shortest, to - from) / 2;
    this.#zoom = { from: Math.max(0, Math.round(middle - half)), to: Math.round(middle + half) };
    void this.#load();
  }

  /** @param {string} way as the buttons name it @param {Curve} curve */
  #zoomBy(way, { from, to }) {
    const half = (to - from) / 2;
    if (way === "reset") this.#zoomOut();
    else if (way === "in") this.#zoomTo(from + half / 2, to - half / 2);
    else if (way === "out") this.#zoomTo(from - half, Math.min(Date.now(), to + half));
    else if (way === "earlier") this.#zoomTo(from - half, to - half);
    else if (way === "later") {
      const step = Math.min(half, Math.max(0, Date.now() - to));
      this.#zoomTo(from + step, to + step);
    }
  }

  #zoomOut() {
    this.#zoom = null;
    void this.#load();
  }

  /** Writes the values under the cursor. @param {number | null} index */
  #read(index) {
    this.#reading.replaceChildren();
    const at = index === null ? undefined : this.#curve?.at[index];
    if (!this.#curve || index === null || at === undefined) return;
    const time = document.createElement("span");
    time.className = "time";
    time.textContent = this.#dates.format(at);
    this.#reading.append(time);
    const known = this.#curve.lines.filter(({ values }) => values[index] !== null);
    if (known.length === 0) this.#reading.append(" no data");
    for (const { name, label, values } of known) {
      const value = document.createElement("span");
      value.dataset.line = name;
      value.textContent = `${label} ${grouped(values[index] ?? "")}`;
      this.#reading.append(value);
    }
  }

  #listen() {
    this.#figure.addEventListener("click", (event) => this.#click(event));
    this.#figure.querySelector("[data-switch]")?.addEventListener("change", (event) => {
      this.#isByWallet = /** @type {HTMLInputElement} */ (event.target).checked;
      void this.#load();
    });
    this.#plot.addEventListener("dblclick", () => this.#zoomOut());
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#figure.dataset.names = "";
      if (this.#curve) this.#draw(this.#curve);
    });
    let width = this.#plot.clientWidth;
    new ResizeObserver(() => {
      if (this.#plot.clientWidth === width) return;
      width = this.#plot.clientWidth;
      this.#drawn?.setSize({ width, height: heightAt(width) });
      void this.#load();
    }).observe(this.#plot);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    if (!button) return;
    const { span, zoom } = button.dataset;
    if (span) {
      this.#span = span;
      for (const one of this.#figure.querySelectorAll("[data-span]"))
        one.setAttribute("aria-pressed", String(one === button));
      this.#zoomOut();
    } else if (zoom && this.#curve) this.#zoomBy(zoom, this.#curve);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const [curve, drawn] = [this.#curve, this.#drawn];
    if (!curve || !drawn || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = curve.at.length - 1;
    const now = drawn.cursor.idx ?? last;
    const steps = /** @type {Record<string, number>} */ ({
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      PageUp: now - 50,
      PageDown: now + 50,
      Home: 0,
      End: last,
    });
    const ways = /** @type {Record<string, string>} */ ({ "+": "in", "-": "out", Escape: "reset", 0: "reset" });
    const next = steps[event.key];
    const way = ways[event.key];
    if (next !== undefined) {
      const index = Math.max(0, Math.min(last, next));
      drawn.setCursor({ left: drawn.valToPos(curve.at[index] ?? 0, "x"), top: drawn.over.clientHeight / 2 });
    } else if (way !== undefined) this.#zoomBy(way, curve);
    else return;
    event.preventDefault();
  }
}

/** @param {number} width */
const heightAt = (width) => Math.max(220, Math.min(380, Math.round(width * 0.35)));

/** @param {string | undefined} text */
const numberOf = (text) => (text ? Number(text) : null);

/** Converts to a number for drawing only. @param {string | null} digits */
const heightOf = (digits) => (digits === null ? null : Number(digits));
