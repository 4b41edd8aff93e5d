/** Brings in by itself what was stored since: the page is asked for again, and what is told in it is put in the old one's place. */

/** At most as often, in milliseconds. */
const pauseMs = 2000;

/** Where nothing is stored, figures grow old all the same. */
const agesMs = 60_000;

const live = "Live.";

/**
 * Follows what is stored as long as the page can be seen.
 * @param {() => void} changed is told after each change
 */
export function follow(changed) {
  const status = document.getElementById("live");
  let version = "";
  let shown = "";
  let isBusy = false;
  let isOld = false;

  /** @param {string} text */
  const say = (text) => {
    // Said again it would be read out again.
    if (status && status.textContent !== text) status.textContent = text;
    document.body.classList.toggle("lost", text !== live);
  };

  async function update() {
    if (isBusy || (version === shown && !isOld) || document.hidden) return;
    isBusy = true;
    const wanted = version;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) throw new Error(String(answer.status));
      replaceParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
      changed();
      shown = wanted;
      isOld = false;
      say(live);
    } catch {
      say("What is new cannot be read just now; this is tried again.");
    }
    setTimeout(() => {
      isBusy = false;
      void update();
    }, pauseMs);
  }

  const source = new EventSource(new URL("../live", import.meta.url));
  source.addEventListener("version", (event) => {
    version = event.data;
    // The page was made a moment ago.
    if (shown === "") shown = version;
    say(live);
    void update();
  });
  source.addEventListener("error", () => {
    isOld = true;
    say("The connection is gone; it is tried again.");
  });
  document.addEventListener("visibilitychange", () => void update());
  setInterval(() => {
    isOld = true;
    void update();
  }, agesMs);
}

/**
 * @param {Document} fresh
 */
function replaceParts(fresh) {
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
    // Who was on a link with the keyboard stays there.
    if (focused)
      /** @type {HTMLElement | undefined} */ (
        [...old.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)
      )?.focus();
  }
}

/** What is wider than the page and moves in a frame of its own. @param {Element} part */
const scrolledIn = (part) => /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll(".scroll"));
