/** Updates the page when new data is stored: requests the page again and replaces the parts marked `data-live`. */

/** Minimum time between two updates, in milliseconds. */
const pauseMs = 2000;

/** Time after which the page is updated even without new data, so that stale data is marked as stale. Milliseconds. */
const agesMs = 60_000;

const live = "Connected; this page updates itself.";

/**
 * Keeps the page up to date while it is visible.
 * @param {() => void} changed is called after each update
 */
export function follow(changed) {
  const status = document.getElementById("live");
  let version = "";
  let shown = "";
  let isBusy = false;
  let isOld = false;

  /** @param {string} text */
  const showStatus = (text) => {
    // Setting the same text again would make a screen reader repeat it.
    if (status && status.textContent !== text) status.textContent = text;
    document.body.classList.toggle("lost", text !== live);
  };

  async function update() {
    if (isBusy || (version === shown && !isOld) || document.hidden) return;
    isBusy = true;
    const wanted = version;
    try {
      const response = await fetch(location.href);
      if (!response.ok) throw new Error(String(response.status));
      replaceParts(new DOMParser().parseFromString(await response.text(), "text/html"));
      awaitStale();
      changed();
      shown = wanted;
      isOld = false;
      showStatus(live);
    } catch {
      showStatus("Update failed, retrying.");
    }
    setTimeout(() => {
      isBusy = false;
      void update();
    }, pauseMs);
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let staleTimer;

  /** Updates the page when what it lacks is read, or when its data becomes stale without new data. */
  function awaitStale() {
    clearTimeout(staleTimer);
    if (document.querySelector("[data-reading]")) {
      staleTimer = setTimeout(updateOld, pauseMs);
      return;
    }
    const pill = /** @type {HTMLElement | null} */ (document.querySelector("[data-stale-in]"));
    const staleInMs = Number(pill?.dataset.staleIn ?? Number.NaN);
    // Later, the update by age is earlier.
    if (!(staleInMs < agesMs)) return;
    staleTimer = setTimeout(updateOld, staleInMs + 1000);
  }

  function updateOld() {
    isOld = true;
    void update();
  }

  awaitStale();
  const source = new EventSource(new URL("../live", import.meta.url));
  source.addEventListener("version", (event) => {
    version = event.data;
    // The page was loaded just now.
    if (shown === "") shown = version;
    showStatus(live);
    void update();
  });
  source.addEventListener("error", () => {
    isOld = true;
    showStatus("Page offline, reconnecting.");
  });
  document.addEventListener("visibilitychange", () => void update());
  setInterval(updateOld, agesMs);
}

/**
 * @param {Document} fresh
 */
function replaceParts(fresh) {
  document.title = fresh.title;
  const icon = document.querySelector("link[rel=icon]");
  const newIcon = fresh.querySelector("link[rel=icon]")?.getAttribute("href");
  if (icon && newIcon && icon.getAttribute("href") !== newIcon) icon.setAttribute("href", newIcon);
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.getElementById(old.id);
    if (!part || part.innerHTML === old.innerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    const [before] = scrolledIn(old);
    const isInside = before !== undefined && before === document.activeElement;
    const { scrollLeft = 0, scrollTop = 0 } = before ?? {};
    old.replaceChildren(...part.childNodes);
    const [after] = scrolledIn(old);
    after?.scrollTo(scrollLeft, scrollTop);
    if (isInside) after?.focus({ preventScroll: true });
    // Keeps the keyboard focus on the same link.
    if (focused)
      /** @type {HTMLElement | undefined} */ (
        [...old.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)
      )?.focus();
  }
}

/** Returns the horizontally scrollable regions of a part. @param {Element} part */
const scrolledIn = (part) => /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll(".scroll"));
