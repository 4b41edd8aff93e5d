/** Keeps what the charts of a page show in the page's address, so that a reload or a shared link shows the same. */

/**
 * @typedef {object} Zoom
 * @property {number} from epoch ms
 * @property {number} to
 */

/** The view, span, zoom and hidden lines that all charts of a page have in common. */
export class ChartState {
  #address = new URL(location.href);
  /** @type {Set<() => void>} */ #listeners = new Set();

  /** The selected span; null is the first one offered. */
  get span() {
    return this.#address.searchParams.get("span");
  }

  /** The range that the user has zoomed to; null is the whole span. @returns {Zoom | null} */
  get zoom() {
    const [from, to] = ["from", "to"].map((name) => instantOf(this.#address.searchParams.get(name)));
    return from !== undefined && to !== undefined && from < to ? { from, to } : null;
  }

  /** The selected view; null is the first one offered. */
  get view() {
    return this.#address.searchParams.get("show");
  }

  /** The names of the lines that are not drawn. */
  get hidden() {
    return new Set(this.#address.searchParams.get("hide")?.split(",") ?? []);
  }

  /** @param {string} span */
  selectSpan(span) {
    this.#set({ span, from: null, to: null });
  }

  /** @param {Zoom | null} zoom */
  zoomTo(zoom) {
    /** @param {number} at */
    const text = (at) => new Date(at).toISOString();
    this.#set({ from: zoom && text(zoom.from), to: zoom && text(zoom.to) });
  }

  /** @param {string} view */
  selectView(view) {
    this.#set({ show: view });
  }

  /** @param {string} line */
  toggle(line) {
    const hidden = this.hidden;
    if (!hidden.delete(line)) hidden.add(line);
    this.#set({ hide: hidden.size > 0 ? [...hidden].join(",") : null });
  }

  /** Calls `listener` after each change. @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  /** Changes parameters; null removes one. @param {Record<string, string | null>} changes */
  #set(changes) {
    for (const [name, value] of Object.entries(changes))
      if (value === null) this.#address.searchParams.delete(name);
      else this.#address.searchParams.set(name, value);
    history.replaceState(null, "", this.#address);
    for (const listener of this.#listeners) listener();
  }
}

/** Returns the time of an ISO 8601 text or of epoch ms; undefined if it is neither. @param {string | null} text */
function instantOf(text) {
  const at = text === null ? Number.NaN : /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return at >= 0 ? at : undefined;
}
