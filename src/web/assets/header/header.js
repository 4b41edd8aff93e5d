/** Makes the header quick to use: groups of links are one stop of the tab key, menus close by themselves, ages count on. */

const focusable = "a[href], summary";

/** Makes a group one stop of the tab key; the arrow keys, Home and End move within it. @param {HTMLElement} group */
function moveByKeys(group) {
  const all = () =>
    /** @type {HTMLElement[]} */ ([...group.querySelectorAll(focusable)]).filter(
      (one) => one.offsetParent && !one.closest("details > div"),
    );
  /** @param {HTMLElement | undefined} chosen */
  const choose = (chosen) => {
    for (const one of all()) one.tabIndex = one === chosen ? 0 : -1;
  };
  const first = () => all().find((one) => one.matches("[aria-current], summary")) ?? all()[0];
  choose(first());
  group.addEventListener("focusin", ({ target }) => {
    const one = all().find((one) => one === target);
    if (one) choose(one);
  });
  group.addEventListener("keydown", (event) => {
    const list = all();
    const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: list.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    list[(to + list.length) % list.length]?.focus();
  });
}

for (const group of document.querySelectorAll("[data-keys]")) moveByKeys(/** @type {HTMLElement} */ (group));

const menus = /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll("details.menu")]);

addEventListener("keydown", ({ key }) => {
  const open = menus.find((menu) => menu.open);
  if (key !== "Escape" || !open) return;
  open.open = false;
  open.querySelector("summary")?.focus();
});

for (const kind of ["pointerdown", "focusin"])
  addEventListener(kind, ({ target }) => {
    for (const menu of menus) if (target instanceof Node && !menu.contains(target)) menu.open = false;
  });

/** When each age was shown, epoch ms: an update of the page brings new elements. @type {WeakMap<Element, number>} */
const shownAt = new WeakMap();

/** The same steps as in the pages. @param {number} ms */
function durationText(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

setInterval(() => {
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-age]"))) {
    const since = shownAt.get(one) ?? Date.now();
    shownAt.set(one, since);
    const text = durationText(Number(one.dataset.age) + Date.now() - since);
    if (one.textContent !== text) one.textContent = text;
  }
}, 1000);
