// Takes the screenshots of the documentation from a running demo: node scripts/screenshots.js http://127.0.0.1:8787
const usage =
  "usage: node scripts/screenshots.js [http://127.0.0.1:8787], the address of a running demo; writes docs/images";
const [url = "http://127.0.0.1:8787", ...others] = process.argv.slice(2);
if (others.length > 0 || !URL.canParse(url)) {
  const isAsked = url === "--help" || url === "-h";
  console[isAsked ? "log" : "error"](usage);
  process.exit(isAsked ? 0 : 64);
}

const { chromium } = await import("playwright-core");
const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const wide = { width: 1280, height: 860 };
const phone = { width: 390, height: 844 };
const pictures = [
  { name: "overview", path: "/", viewport: wide, colorScheme: "light" },
  { name: "positions", path: "/positions", viewport: wide, colorScheme: "dark" },
  { name: "collection", path: "/collection", viewport: wide, colorScheme: "light" },
  { name: "performance", path: "/performance", viewport: wide, colorScheme: "light" },
  { name: "phone", path: "/", viewport: phone, colorScheme: "dark" },
];

const args = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-gpu"] : ["--disable-gpu"];
const browser = await chromium.launch({ executablePath, args });
for (const { name, path, viewport, colorScheme } of pictures) {
  const page = await browser.newPage({ viewport, colorScheme, locale: "en-GB" });
  await page.goto(new URL(path, url).href);
  if (path === "/") await page.waitForSelector("figure.chart[data-drawn]");
  await page.screenshot({ path: `docs/images/${name}.png` });
  await page.close();
}
await browser.close();
