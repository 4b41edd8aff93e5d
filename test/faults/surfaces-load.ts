/** Row U15: more connections than the limit, none of which completes a request. */
import { expect } from "vitest";
import { openConnection, sendRequest } from "../support/http.ts";
import { seconds, until } from "../support/wait.ts";
import { row } from "./row.ts";
import { runsOf } from "./runs.ts";
import { serving } from "./surfaces-http.ts";

/** What 500 connections send before they go silent: nothing, half a line, half of the headers, a complete request. */
const openings = [
  "",
  "GET / HT",
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
  "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
];

row("U15", "slow or half-open clients, 500 sockets", { timeoutSeconds: 120 }, async (bench) => {
  const every = { SCHEDULE_SPOT_ASSETS: "* * * * * *", SCHEDULE_POSITIONS: "" };
  const { daemon, port } = await serving(bench, every);
  const before = runsOf(daemon, "spot-assets").length;
  const held = await Promise.all(
    Array.from({ length: 500 }, (_, n) => openConnection(port, openings[n % openings.length] ?? "")),
  );
  bench.onEnd(() => {
    for (const { socket } of held) socket.destroy();
  });
  let open = held.length;
  for (const { closed } of held) void closed.then(() => (open -= 1));
  // The limit holds: further connections are closed as soon as they are accepted.
  await until(() => open <= 400);
  // Incomplete requests time out after ten seconds, checked every two; event streams may stay open.
  await Promise.all([seconds(15), until(() => open <= 125)]);
  expect((await sendRequest(port, "/")).status).toBe(200);
  await bench.stop(daemon);
  expect(runsOf(daemon, "spot-assets").length - before).toBeGreaterThanOrEqual(14);
  // From its first run on: the start may take a second.
  const late = bench.rows(
    `select max(late_ms) as worst, count(*) filter (where state = 'missed') as missed from runs
     where scheduled_for >= (select min(scheduled_for) from runs where state = 'ok')`,
  );
  expect(late).toEqual([{ worst: expect.any(Number), missed: 0 }]);
  expect(Number(late[0]?.worst)).toBeLessThan(500);
});
