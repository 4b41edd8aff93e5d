/** Brings in by itself what was stored since: the page is asked for again, and what is told in it is put in the old one's place. */

/** At most as often, in milliseconds. */
const pauseMs = 2000;

/**
 * Follows what is stored as long as the page can be seen.
 * @param {() => void} changed is told after each change
 */
export function follow(changed) {
  const status = document.getElementById("live");
  let version = "";
  let shown = "";
  let isBusy = false;

  /** @param {string} text */
  const say = (text) => {
    // Said again it would be read out again.
    if (status && status.textContent !== text) status.textContent = text;
  };

  async function update() {
    if (isBusy || version === shown || document.hidden) return;
    isBusy = true;
    const wanted = version;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) throw new Error(String(answer.status));
      replaceParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
      changed();
      shown = wanted;
      say("Live.");
    } catch {
      say("What is new cannot be read just now; this is tried again.");
    }
    setTimeout(() => {
      isBusy = false;
      void update();
    }, pauseMs);
  }

  const source = new EventSource("/live");
  source.addEventListener("version", (event) => {
    version = event.data;
    // The page was made a moment ago.
    if (shown === "") shown = version;
    say("Live.");
    void update();
  });
  source.addEventListener("error", () => say("The connection is gone; it is tried again."));
  document.addEventListener("visibilitychange", () => void update());
}

/**
 * @param {Document} fresh
 */
function replaceParts(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.getElementById(old.id);
    if (!part || part.innerHTML === old.innerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    old.replaceChildren(...part.childNodes);
    // Who was on a link with the keyboard stays there.
    if (focused)
      /** @type {HTMLElement | undefined} */ (
        [...old.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)
      )?.focus();
  }
}
