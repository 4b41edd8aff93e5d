/** Draws a chart in its frame: requests as many points as there are pixels, and leaves gaps open. */

import uPlot from "../uPlot.esm.js";
import { heightsOf, wordsOf } from "./curve.js";
import { axesOf, bandsOf, colorsOf, drawFlags, eventsIn, notesAt, seriesOf, shade } from "./drawing.js";
import { figureText } from "./figures.js";
import { saveImage } from "./image.js";
import { renderLegend } from "./legend.js";
import { styleOf } from "./palette.js";
import { drawPanes, hasPanes, paneScales, withoutFar } from "./panes.js";
import { Tooltip } from "./tooltip.js";

/**
 * @typedef {import("./curve.js").Curve} Curve
 * @typedef {import("./curve.js").Line} Line
 * @typedef {import("./state.js").ChartState} ChartState
 */

/** The shortest span to which the user can zoom, in milliseconds. */
const shortest = 60_000;

const mostTries = 10;

/** How long after a point its moment is viewed, so that all snapshots of its slot are in it. Milliseconds. */
const slotMs = 59_000;

/** One chart of a page: its curve and the controls. */
export class Chart {
  /** @type {HTMLElement} */ #figure;
  /** @type {HTMLElement} */ #plot;
  /** @type {HTMLElement} */ #reading;
  /** @type {HTMLElement} */ #words;
  #state;
  #timezone;
  #dates;
  #isExact;
  #tooltip;
  /** @type {Curve | null} */ #curve = null;
  /** The address whose curve is drawn. */
  #loaded = "";
  /** @type {uPlot | null} */ #drawn = null;
  /** Whether the next click ends a drag. */
  #isDragged = false;
  /** Counts the requests: responses to older ones are discarded. */
  #requests = 0;

  /**
   * @param {HTMLElement} figure
   * @param {ChartState} state
   * @param {string} timezone
   */
  constructor(figure, state, timezone) {
    this.#figure = figure;
    this.#plot = this.#part(".plot");
    this.#reading = this.#part(".reading");
    this.#words = this.#part(".words");
    this.#state = state;
    this.#timezone = timezone;
    this.#dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: timezone });
    this.#isExact = figure.dataset.exact !== undefined;
    this.#tooltip = new Tooltip(this.#plot);
    this.#listen();
    void this.#load();
  }

  /** Loads new data, unless the user has zoomed in or the span ends in the past. */
  refresh() {
    if (this.#state.zoom === null && !this.#figure.dataset.to && !this.#tooltip.isPinned) void this.#load();
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#figure.querySelector(selector));
  }

  /**
   * Returns the selected one of several buttons, or the first; null without any.
   * @param {"span" | "view"} kind
   * @param {string | null} name
   * @returns {HTMLElement | null}
   */
  #chosen(kind, name) {
    const buttons = /** @type {NodeListOf<HTMLElement>} */ (this.#figure.querySelectorAll(`[data-${kind}]`));
    return (
      [...buttons].find((one) => one.dataset[kind] === name) ?? this.#figure.querySelector(`[data-${kind}][data-first]`)
    );
  }

  /** Describes what is drawn of the data: the view, or the figure itself. @returns {DOMStringMap} */
  get #shown() {
    return (this.#chosen("view", this.#state.view) ?? this.#figure).dataset;
  }

  async #load(tries = 0) {
    this.#requests += 1;
    const mine = this.#requests;
    const address = this.#address();
    this.#showControls();
    this.#figure.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(address);
      if (response.status === 503 && mine === this.#requests && tries < mostTries) {
        // The server keeps what it has read of a long history: the next request continues from there.
        this.#words.textContent = "Loading a long history…";
        setTimeout(() => mine === this.#requests && void this.#load(tries + 1), 1000);
        return;
      }
      const isNothing = response.status === 404;
      if (!response.ok && !isNothing) throw new Error(await problemOf(response));
      const found = isNothing ? null : /** @type {Curve} */ (await response.json());
      // A newer request has been sent.
      if (mine !== this.#requests) return;
      this.#loaded = address.href;
      if (found) this.#draw(found);
      else this.#words.textContent = "No data.";
    } catch (error) {
      this.#words.textContent = `Chart failed to load: ${error instanceof Error ? error.message : error}`;
    }
    this.#figure.removeAttribute("aria-busy");
  }

  #address() {
    const { from, to, source = "" } = this.#figure.dataset;
    const { of, lines } = this.#shown;
    const address = new URL(source, location.href);
    const query = address.searchParams;
    if (of) query.set("of", of);
    if (lines) query.set("lines", lines);
    query.set("width", String(Math.max(50, Math.min(4000, Math.round(this.#plot.clientWidth)))));
    const span = this.#chosen("span", this.#state.span);
    const zoom = this.#state.zoom;
    if (zoom || !span) {
      const range = zoom ?? { from, to };
      if (range.from) query.set("from", String(range.from));
      if (range.to) query.set("to", String(range.to));
    } else query.set("span", span.dataset.span ?? "all");
    return address;
  }

  /** Marks the selected buttons, of spans only while the whole span is shown. */
  #showControls() {
    const { zoom, span, view } = this.#state;
    const selected = [this.#chosen("view", view), ...(zoom ? [] : [this.#chosen("span", span)])];
    for (const button of this.#figure.querySelectorAll("[data-span], [data-view]"))
      button.setAttribute("aria-pressed", String(selected.includes(/** @type {HTMLElement} */ (button))));
    this.#part('[data-zoom="reset"]').hidden = zoom === null;
  }

  /** @param {Curve} found */
  #draw(found) {
    // A line of which nothing is known is not drawn, such as a wallet that the account does not have.
    const lines = found.lines.filter(({ values }, at) => at === 0 || values.some((value) => value !== null));
    const hidden = this.#state.hidden;
    const stack = this.#shown.stack?.split(",") ?? [];
    /** @param {string} name */
    const isStacked = (name) => stack.includes(name) && !hidden.has(name);
    /** @type {uPlot.AlignedData} */
    const data = [found.at, ...withoutFar(lines, heightsOf(lines, isStacked))];
    const names = lines.map(({ name }) => name).join();
    const drawing = [names, [...hidden].join(), stack.join()].join(" ");
    this.#curve = { ...found, lines };
    // With the same lines, only the data is replaced, so that the cursor stays where it is.
    if (this.#drawn && drawing === this.#figure.dataset.drawing) this.#drawn.setData(data);
    else {
      this.#drawn?.destroy();
      this.#drawn = new uPlot(this.#options(lines, hidden, isStacked), data, this.#plot);
    }
    this.#figure.dataset.drawing = drawing;
    this.#figure.dataset.names = names;
    renderLegend(this.#part(".legend"), lines, hidden);
    this.#words.textContent = wordsOf(this.#curve, (at) => this.#dates.format(at), this.#isExact);
    this.#showDownload(found);
    this.#figure.dataset.drawn = String(Number(this.#figure.dataset.drawn ?? 0) + 1);
  }

  /** @param {Curve} curve */
  #showDownload({ from, to }) {
    const link = /** @type {HTMLAnchorElement} */ (this.#part("a[data-download]"));
    const address = new URL(this.#loaded);
    address.pathname += ".csv";
    for (const name of ["span", "width"]) address.searchParams.delete(name);
    address.searchParams.set("from", String(from));
    address.searchParams.set("to", String(to));
    link.href = address.href;
  }

  /**
   * @param {Line[]} lines
   * @param {ReadonlySet<string>} hidden
   * @param {(name: string) => boolean} isStacked
   * @returns {uPlot.Options}
   */
  #options(lines, hidden, isStacked) {
    const color = colorsOf(this.#figure);
    const width = this.#plot.clientWidth;
    const isOnly = lines.length === 1;
    const panes = hasPanes(lines);
    return {
      width,
      height: heightAt(width, panes),
      ms: 1,
      tzDate: (at) => uPlot.tzDate(new Date(at), this.#timezone),
      scales: {
        x: { time: true, range: () => (this.#curve ? [this.#curve.from, this.#curve.to] : [0, 1]) },
        ...(panes ? paneScales() : {}),
      },
      legend: { show: false },
      cursor: {
        // The click after a drag is distinguished below; uPlot would compare places that are moved to points.
        drag: { x: true, y: false, setScale: false, click: () => {} },
        points: { size: 6 },
        move: (self, left, top) => snapped(self, left, top),
      },
      axes: axesOf(color, this.#timezone, lines),
      series: [
        {},
        ...lines.map((line) =>
          seriesOf(line, {
            ...{ isOnly, isShown: !hidden.has(line.name), isStacked: isStacked(line.name) },
            paint: color,
          }),
        ),
      ],
      bands: bandsOf(lines.map(({ name }) => isStacked(name))),
      hooks: {
        drawClear: [
          (self) => this.#curve && shade(self, this.#curve, color("--gap"), color("--partial")),
          (self) => panes && drawPanes(self, color),
        ],
        draw: [(self) => drawFlags(self, eventsIn(this.#figure), color)],
        setCursor: [(self) => this.#read(self)],
        setSelect: [(self) => this.#select(self)],
      },
    };
  }

  /** @param {uPlot} self */
  #select(self) {
    const { left, width } = self.select;
    // Without an event, which would select again.
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#isDragged = width >= 3;
    if (width >= 3) this.#zoomTo(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
  }

  /** @param {number} from @param {number} to */
  #zoomTo(from, to) {
    const middle = (from + to) / 2;
    const half = Math.max(shortest, to - from) / 2;
    this.#state.zoomTo({ from: Math.max(0, Math.round(middle - half)), to: Math.round(middle + half) });
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
    if (this.#state.zoom) this.#state.zoomTo(null);
  }

  /** Shows the values under the cursor. @param {uPlot} self */
  #read(self) {
    const curve = this.#curve;
    const { idx: index, left = -1, top = 0 } = self.cursor;
    const at = index == null ? undefined : curve?.at[index];
    if (!curve || index == null || at === undefined || left < 0) {
      this.#reading.textContent = "";
      if (!this.#tooltip.isPinned) this.#tooltip.hide();
      return;
    }
    const hidden = this.#state.hidden;
    const lines = curve.lines.filter(({ name }) => !hidden.has(name));
    const time = this.#dates.format(at);
    const known = lines.flatMap(({ label, kind, values }) => {
      const value = values[index];
      return value == null ? [] : `${label} ${figureText(value, kind, this.#isExact)}`;
    });
    const notes = notesAt(self, eventsIn(this.#figure), left);
    this.#reading.textContent = [`${time}: ${known.join(", ") || "no data"}`, ...notes].join(". ");
    const address = this.#addressAt(at, curve.at[index + 1]);
    const { offsetLeft, offsetTop, clientWidth } = self.over;
    this.#tooltip.show(
      { lines, index, time, isExact: this.#isExact, notes, address },
      { x: offsetLeft + left, y: offsetTop + top, left: offsetLeft, width: offsetLeft + clientWidth },
    );
  }

  /** Returns the address of this page at the moment of a point. @param {number} at @param {number | undefined} next the point after it */
  #addressAt(at, next) {
    const address = new URL(location.href);
    for (const name of ["span", "from", "to"]) address.searchParams.delete(name);
    const moment = Math.min(at + slotMs, (next ?? Number.POSITIVE_INFINITY) - 1, Date.now());
    address.searchParams.set("at", new Date(moment).toISOString());
    return address.href;
  }

  #listen() {
    this.#state.subscribe(() => this.#change());
    this.#figure.addEventListener("click", (event) => this.#click(event));
    this.#plot.addEventListener("dblclick", () => this.#zoomOut());
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    this.#plot.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !this.#tooltip.isPinned) this.#zoomOut();
      else if (key === "Escape") this.#tooltip.hide();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
    let width = this.#plot.clientWidth;
    new ResizeObserver(() => {
      if (this.#plot.clientWidth === width) return;
      width = this.#plot.clientWidth;
      this.#drawn?.setSize({ width, height: heightAt(width, hasPanes(this.#curve?.lines ?? [])) });
      void this.#load();
    }).observe(this.#plot);
  }

  /** Loads another range or view; only draws again if lines were shown or hidden. */
  #change() {
    this.#tooltip.hide();
    if (this.#address().href === this.#loaded) this.#redraw();
    else void this.#load();
  }

  #redraw() {
    this.#figure.dataset.drawing = "";
    this.#showControls();
    if (this.#curve) this.#draw(this.#curve);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest(".tooltip")) return;
    if (target.closest(".u-over")) {
      if (this.#isDragged) this.#isDragged = false;
      else if (this.#tooltip.isPinned) this.#tooltip.hide();
      // uPlot moves the cursor with the next frame, which on a touch screen is after the click.
      else requestAnimationFrame(() => this.#tooltip.pin());
      return;
    }
    const button = target.closest("button");
    if (!button) return;
    const { span, zoom, view, line, image } = button.dataset;
    if (span) this.#state.selectSpan(span);
    else if (view) this.#state.selectView(view);
    else if (line) this.#state.toggle(line);
    else if (image !== undefined) this.#saveImage();
    else if (zoom && this.#curve) this.#zoomBy(zoom, this.#curve);
  }

  #saveImage() {
    const canvas = this.#plot.querySelector("canvas");
    if (!canvas || !this.#curve) return;
    const hidden = this.#state.hidden;
    const lines = this.#curve.lines.filter(({ name }) => !hidden.has(name));
    const title = this.#part("h2").textContent ?? "";
    const caption = { title, lines: lines.map(({ name, label }) => ({ label, ...styleOf(name) })) };
    saveImage(canvas, caption, colorsOf(this.#figure), `${this.#figure.id}.png`);
  }

  /** Zooms around the pointer while Ctrl is pressed; otherwise the page scrolls. @param {WheelEvent} event */
  #wheel(event) {
    const [curve, drawn] = [this.#curve, this.#drawn];
    if (!event.ctrlKey || !curve || !drawn) return;
    event.preventDefault();
    const at = drawn.posToVal(event.clientX - drawn.over.getBoundingClientRect().left, "x");
    const factor = event.deltaY < 0 ? 0.75 : 1 / 0.75;
    this.#zoomTo(at - (at - curve.from) * factor, Math.min(Date.now(), at + (curve.to - at) * factor));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const [curve, drawn] = [this.#curve, this.#drawn];
    const isOnPlot = event.target === this.#plot;
    if (!curve || !drawn || !isOnPlot || event.ctrlKey || event.metaKey || event.altKey) return;
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
    const ways = /** @type {Record<string, string>} */ ({ "+": "in", "-": "out", 0: "reset" });
    const next = steps[event.key];
    const way = ways[event.key];
    if (next !== undefined) {
      this.#tooltip.hide();
      const index = Math.max(0, Math.min(last, next));
      const left = drawn.valToPos(curve.at[index] ?? 0, "x");
      drawn.setCursor({ left, top: snapped(drawn, left, drawn.over.clientHeight / 2)[1] });
    } else if (event.key === "Enter") this.#tooltip.pin()?.focus();
    else if (way !== undefined) this.#zoomBy(way, curve);
    else return;
    event.preventDefault();
  }
}

/** Returns what a response says about its error; a proxy may have answered without JSON. @param {Response} response */
const problemOf = async (response) => {
  const text = await response.text();
  return text.startsWith("{") ? JSON.parse(text).error : text;
};

/** Returns the place of the nearest point, at the height of the first line known there. @param {uPlot} self @param {number} left @param {number} top @returns {[number, number]} */
function snapped(self, left, top) {
  if (left < 0) return [left, top];
  const index = self.posToIdx(left);
  const line = self.series.findIndex(({ show }, at) => at > 0 && show && self.data[at]?.[index] != null);
  const height = self.data[line]?.[index];
  const scale = self.series[line]?.scale ?? "y";
  return [self.valToPos(self.data[0][index] ?? 0, "x"), height == null ? top : self.valToPos(height, scale)];
}

/** @param {number} width @param {boolean} hasTwo whether there are two panes */
const heightAt = (width, hasTwo) =>
  hasTwo
    ? Math.max(340, Math.min(460, Math.round(width * 0.4)))
    : Math.max(220, Math.min(380, Math.round(width * 0.35)));
