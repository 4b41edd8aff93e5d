import { expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import { coins, collect, good, start } from "../store/kit.ts";
import { openConnection, sendRequest } from "../support/http.ts";
import { until } from "../support/wait.ts";
import { startSite } from "./site.ts";

const opening = (port: number) => `GET /live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
const versions = (text: string) => [...text.matchAll(/^event: version\ndata: (\S+)\n/gm)].map(([, version]) => version);

it("sends every open page the current version at once, and a new one after each commit", async () => {
  const { port, site, store } = await startSite();
  const [first, second] = [await openConnection(port, opening(port)), await openConnection(port, opening(port))];
  await until(() => versions(first.received()).length === 1 && versions(second.received()).length === 1);
  const before = site.changes.version();
  expect(versions(first.received())).toEqual([before]);
  await collect(store, snapshotDatasetNamed("spot-assets"), start, { snapshots: [good(coins(1), start)] });
  await until(() => versions(first.received()).length === 2 && versions(second.received()).length === 2);
  expect(versions(second.received())).toEqual([before, site.changes.version()]);
  expect(site.changes.version()).not.toBe(before);
  first.socket.destroy();
  second.socket.destroy();
});

it("accepts a hundred open pages, and another when one is closed", async () => {
  const { port } = await startSite();
  const open = await Promise.all(Array.from({ length: 100 }, () => openConnection(port, opening(port))));
  await until(() => open.every(({ received }) => received().includes("event: version")));
  const refused = await sendRequest(port, "/live");
  expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "2"]);
  open[0]?.socket.destroy();
  let next = await openConnection(port, opening(port));
  await until(() => {
    if (next.received().includes("event: version")) return true;
    if (next.received().includes(" 503 ")) {
      next.socket.destroy();
      void openConnection(port, opening(port)).then((again) => {
        next = again;
      });
    }
    return false;
  });
  for (const { socket } of [...open, next]) socket.destroy();
});
