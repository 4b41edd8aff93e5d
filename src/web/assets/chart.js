/** A curve in its frame: asks for as many points as there are pixels, and draws what is missing as missing. */

import { grouped, wordsOf } from "./curve.js";
import { alone, shade, sizeOfLabels, timeLabels } from "./drawing.js";
import uPlot from "./uPlot.esm.js";

/**
 * @typedef {import("./curve.js").Curve} Curve
 * @typedef {{ from: number | null, to: number | null }} Span
 */

/** The shortest span that is zoomed to, in milliseconds. */
const shortest = 60_000;

const mostTries = 10;

/**
 * @param {HTMLElement} figure
 * @param {string} timezone
 */
export function startChart(figure, timezone) {
  const plot = /** @type {HTMLElement} */ (figure.querySelector(".plot"));
  const reading = /** @type {HTMLElement} */ (figure.querySelector(".reading"));
  const words = /** @type {HTMLElement} */ (figure.querySelector(".words"));
  const reset = /** @type {HTMLElement} */ (figure.querySelector('[data-zoom="reset"]'));
  const whole = { from: numberOf(figure.dataset.from), to: numberOf(figure.dataset.to) };
  const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: timezone });
  /** @param {number} at */
  const timeText = (at) => dates.format(at);

  let span = figure.querySelector("[data-span]")
    ? (figure.querySelector('[aria-pressed="true"]')?.getAttribute("data-span") ?? "all")
    : null;
  let isByWallet = false;
  /** @type {Span | null} */
  let zoom = null;
  /** @type {Curve | null} */
  let curve = null;
  /** @type {uPlot | null} */
  let drawn = null;
  let asked = 0;

  async function load(tries = 0) {
    asked += 1;
    const mine = asked;
    const address = new URL(figure.dataset.source ?? "", location.href);
    const query = address.searchParams;
    query.set("width", String(Math.max(50, Math.min(4000, Math.round(plot.clientWidth)))));
    if (figure.dataset.lines && !isByWallet) query.set("lines", figure.dataset.lines);
    const { from, to } = zoom ?? (span === null ? whole : { from: null, to: null });
    if (from !== null) query.set("from", String(from));
    if (to !== null) query.set("to", String(to));
    if (!zoom && span !== null) query.set("span", span);
    figure.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address);
      if (answer.status === 503 && mine === asked && tries < mostTries) {
        // What was read of a long history is kept: the next one goes on from there.
        words.textContent = "A long history is being read; this takes a moment.";
        setTimeout(() => mine === asked && void load(tries + 1), 1000);
        return;
      }
      const isNothing = answer.status === 404;
      if (!answer.ok && !isNothing) throw new Error(await answer.text());
      const found = isNothing ? null : /** @type {Curve} */ (await answer.json());
      // Somebody asked for something else meanwhile.
      if (mine !== asked) return;
      if (found) draw(found);
      else words.textContent = "Nothing was stored of it yet.";
    } catch (error) {
      words.textContent = `The curve could not be read: ${error instanceof Error ? error.message : error}`;
    }
    figure.removeAttribute("aria-busy");
  }

  /** @param {Curve} found */
  function draw(found) {
    /** @type {uPlot.AlignedData} */
    const data = [found.at, ...found.lines.map(({ values }) => values.map(heightOf))];
    const names = found.lines.map(({ name }) => name).join();
    curve = found;
    // Who points at it goes on pointing at it.
    if (drawn && names === figure.dataset.names) drawn.setData(data);
    else {
      drawn?.destroy();
      drawn = new uPlot(optionsOf(found), data, plot);
    }
    figure.dataset.names = names;
    reset.hidden = zoom === null;
    words.textContent = wordsOf(found, timeText);
    figure.dataset.drawn = String(Number(figure.dataset.drawn ?? 0) + 1);
  }

  /** @param {Curve} found @returns {uPlot.Options} */
  function optionsOf(found) {
    const style = getComputedStyle(figure);
    /** @param {string} name */
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--soft"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { stroke: color("--line"), width: 1 },
    };
    return {
      width: plot.clientWidth,
      height: heightAt(plot.clientWidth),
      ms: 1,
      tzDate: (at) => uPlot.tzDate(new Date(at), timezone),
      scales: { x: { time: true, range: () => (curve ? [curve.from, curve.to] : [0, 1]) } },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      axes: [
        { ...axis, values: timeLabels(timezone) },
        {
          ...axis,
          size: sizeOfLabels,
          values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en", { maximumFractionDigits: 8 })),
        },
      ],
      series: [
        {},
        ...found.lines.map(({ name, label }) => ({
          label,
          stroke:
            name === "known_part"
              ? color("--partial")
              : color(`--line-${name}`) || color(name === "average_open_price" ? "--line-other_usdt" : "--line-total"),
          width: name === "total" || found.lines.length === 1 ? 1.75 : 1.25,
          ...(name === "known_part" ? { dash: [5, 4] } : {}),
          spanGaps: false,
          points: { show: true, size: 4, filter: alone },
        })),
      ],
      hooks: {
        drawClear: [(self) => curve && shade(self, curve, color("--gap"), color("--partial"))],
        setCursor: [(self) => read(self.cursor.idx ?? null)],
        setSelect: [(self) => selected(self)],
      },
    };
  }

  /** @param {uPlot} self */
  function selected(self) {
    const { left, width } = self.select;
    if (width < 3) return;
    zoomTo(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
  }

  /** @param {number} from @param {number} to */
  function zoomTo(from, to) {
    const middle = (from + to) / 2;
    const half = Math.max(shortest, to - from) / 2;
    zoom = { from: Math.max(0, Math.round(middle - half)), to: Math.round(middle + half) };
    void load();
  }

  function zoomOut() {
    zoom = null;
    void load();
  }

  /** @param {number | null} index */
  function read(index) {
    reading.replaceChildren();
    if (!curve || index === null) return;
    const at = curve.at[index];
    if (at === undefined) return;
    const time = document.createElement("span");
    time.className = "time";
    time.textContent = timeText(at);
    reading.append(time);
    const known = curve.lines.filter(({ values }) => values[index] !== null);
    if (known.length === 0) reading.append(" nothing is known");
    for (const { name, label, values } of known) {
      const value = document.createElement("span");
      value.dataset.line = name;
      value.textContent = `${label} ${grouped(values[index] ?? "")}`;
      reading.append(value);
    }
  }

  /** @type {Record<string, (from: number, to: number) => void>} */
  const zooms = {
    in: (from, to) => zoomTo(from + (to - from) / 4, to - (to - from) / 4),
    out: (from, to) => zoomTo(from - (to - from) / 2, Math.min(Date.now(), to + (to - from) / 2)),
    earlier: (from, to) => zoomTo(from - (to - from) / 2, to - (to - from) / 2),
    later: (from, to) => {
      const step = Math.min((to - from) / 2, Math.max(0, Date.now() - to));
      zoomTo(from + step, to + step);
    },
    reset: zoomOut,
  };

  figure.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    if (!button) return;
    const { span: chosen, zoom: way } = button.dataset;
    if (chosen) {
      span = chosen;
      for (const one of figure.querySelectorAll("[data-span]"))
        one.setAttribute("aria-pressed", String(one === button));
      zoomOut();
    } else if (way && curve) zooms[way]?.(curve.from, curve.to);
  });

  figure.querySelector("[data-switch]")?.addEventListener("change", (event) => {
    isByWallet = /** @type {HTMLInputElement} */ (event.target).checked;
    void load();
  });

  plot.addEventListener("dblclick", zoomOut);

  plot.addEventListener("keydown", (event) => {
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
    const next = steps[event.key];
    if (next !== undefined) {
      const index = Math.max(0, Math.min(last, next));
      drawn.setCursor({ left: drawn.valToPos(curve.at[index] ?? 0, "x"), top: drawn.over.clientHeight / 2 });
    } else if (event.key === "+") zooms.in?.(curve.from, curve.to);
    else if (event.key === "-") zooms.out?.(curve.from, curve.to);
    else if (event.key === "Escape" || event.key === "0") zoomOut();
    else return;
    event.preventDefault();
  });

  const again = () => {
    if (!curve) return;
    figure.dataset.names = "";
    draw(curve);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let width = plot.clientWidth;
  new ResizeObserver(() => {
    if (plot.clientWidth === width) return;
    width = plot.clientWidth;
    drawn?.setSize({ width, height: heightAt(width) });
    void load();
  }).observe(plot);

  void load();
  return {
    /** Something was stored; who looks at a part of the past is left alone. */
    refresh() {
      if (zoom === null && whole.to === null) void load();
    },
  };
}

/** @param {number} width */
const heightAt = (width) => Math.max(220, Math.min(380, Math.round(width * 0.35)));

/** @param {string | undefined} text */
const numberOf = (text) => (text ? Number(text) : null);

/** Of digits only where they are drawn. @param {string | null} digits */
const heightOf = (digits) => (digits === null ? null : Number(digits));
