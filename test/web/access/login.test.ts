import { expect, it } from "vitest";
import { Secret } from "../../../src/core/domain.ts";
import { start } from "../../store/kit.ts";
import { type Response, sendRequest } from "../../support/http.ts";
import { startSite } from "../site.ts";

const word = "a-token-of-the-pages";
const token = new Secret(word);
const day = 86_400_000;

const logIn = (port: number, given: string, headers: Record<string, string | null> = {}): Promise<Response> =>
  sendRequest(
    port,
    "/login",
    {
      Origin: `http://127.0.0.1:${port}`,
      "Content-Type": "application/x-www-form-urlencoded",
      ...headers,
    },
    { method: "POST", body: new URLSearchParams({ token: given }).toString() },
  );

const cookieOf = ({ headers }: Response): string => headers["set-cookie"]?.split(";")[0] ?? "";

it("serves nothing without the token except the health status and the files of the form", async () => {
  const { port } = await startSite({ http: { token } });
  for (const path of ["/", "/metrics", "/live", "/nowhere"]) {
    const { status, headers, body } = await sendRequest(port, path);
    expect([path, status, headers["www-authenticate"]]).toEqual([path, 401, 'Bearer realm="bitget-collector"']);
    expect(body).toContain('<form method="post" action="login">');
  }
  expect(await sendRequest(port, "/healthz")).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  expect((await sendRequest(port, "/assets/icon.svg")).status).toBe(200);
});

it("responds to programs that send the token, and to no others", async () => {
  const { port } = await startSite({ http: { token } });
  const given = [
    `Bearer ${word}`,
    `bearer ${word}`,
    `Bearer ${word}x`,
    `Bearer ${word.slice(1)}`,
    `Basic ${word}`,
    "Bearer",
  ];
  const answers = await Promise.all(given.map((Authorization) => sendRequest(port, "/metrics", { Authorization })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401, 401, 401]);
  expect((await sendRequest(port, `/metrics?token=${word}`)).status).toBe(401);
});

it("gives a browser a cookie for the token, which is not the token and ends after thirty days", async () => {
  let now = start;
  const { port } = await startSite({ http: { token }, site: { now: () => now } });
  const answer = await logIn(port, word);
  expect([answer.status, answer.headers.location]).toEqual([303, "./"]);
  expect(answer.headers["set-cookie"]).toMatch(
    /^collector_login=\d+\.[\w-]{43}; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
  );
  expect(JSON.stringify(answer)).not.toContain(word);
  const cookie = cookieOf(answer);
  const tried = async (Cookie: string) => (await sendRequest(port, "/", { Cookie })).status;
  expect(await tried(cookie)).toBe(200);
  expect(await tried(cookie.replace(/=\d/, "=9"))).toBe(401);
  expect(await tried(cookie.slice(0, -1))).toBe(401);
  expect(await tried("collector_login=")).toBe(401);
  now += 30 * day - 1000;
  expect(await tried(cookie)).toBe(200);
  now += 2000;
  expect(await tried(cookie)).toBe(401);
});

it("keeps the login across a restart, and ends it with another token", async () => {
  const first = await startSite({ http: { token } });
  const cookie = cookieOf(await logIn(first.port, word));
  const second = await startSite({ http: { token } });
  const third = await startSite({ http: { token: new Secret("another-token-of-the-pages") } });
  expect((await sendRequest(second.port, "/", { Cookie: cookie })).status).toBe(200);
  expect((await sendRequest(third.port, "/", { Cookie: cookie })).status).toBe(401);
});

it("marks the cookie as secure if the login came over HTTPS", async () => {
  const { port } = await startSite({ http: { token, names: ["collector.example.com"] } });
  const answer = await logIn(port, word, { Host: "collector.example.com", Origin: "https://collector.example.com" });
  expect(answer.headers["set-cookie"]).toMatch(/; Secure; /);
});

it("accepts the form only from its own page", async () => {
  const { port } = await startSite({ http: { token } });
  expect((await logIn(port, word, { Origin: "http://evil.example" })).status).toBe(403);
  expect((await logIn(port, word, { Origin: null })).status).toBe(403);
  expect((await logIn(port, "x".repeat(3000))).status).toBe(413);
  const { port: open } = await startSite();
  expect((await logIn(open, word)).status).toBe(405);
});

it("responds with 429 to wrong tokens after ten from one address, for a minute, and always accepts the right one", async () => {
  let now = start;
  const { port } = await startSite({ http: { token }, site: { now: () => now } });
  const tried = async (given: string) => (await sendRequest(port, "/", { Authorization: `Bearer ${given}` })).status;
  for (let n = 0; n < 9; n += 1) expect((await logIn(port, `wrong-${n}`)).status).toBe(401);
  expect(await tried("wrong")).toBe(401);
  const refused = await logIn(port, "wrong-again");
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
  expect(await tried("wrong")).toBe(429);
  expect(await tried(word)).toBe(200);
  const answer = await logIn(port, word);
  expect(answer.status).toBe(303);
  expect((await sendRequest(port, "/", { Cookie: cookieOf(answer) })).status).toBe(200);
  expect(await tried("wrong")).toBe(429);
  now += 60_000;
  expect(await tried("wrong")).toBe(401);
});

it("redirects a reload after a wrong token to the first page", async () => {
  const { port } = await startSite({ http: { token } });
  const { status, headers } = await sendRequest(port, "/login");
  expect([status, headers.location]).toEqual([303, "./"]);
});
