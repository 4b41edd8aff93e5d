/** Serves `GET /live`: notifies open pages of new data with server-sent events. */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Site } from "./site.ts";

/** Maximum number of open pages, each of which holds a connection. */
const maxConnections = 100;

/** A client with this many unread events is disconnected. */
const maxQueuedEvents = 20;

/** Interval of the comment lines by which either side notices a lost connection. Milliseconds. */
const heartbeatMs = 15_000;

/**
 * Sends the event `version` at once and after each change. Its data is `site.changes.version()`, by which a page knows whether it
 * is older than the database.
 */
export function live({ changes }: Site): Hono {
  let count = 0;
  return new Hono().get("/", (c) => {
    if (count >= maxConnections)
      throw new HTTPException(503, { message: "Too many open pages; close some and reload." });
    const encoder = new TextEncoder();
    let end = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        count += 1;
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) > -maxQueuedEvents) return controller.enqueue(encoder.encode(text));
          end();
          controller.error(new Error("the client does not read its events"));
        };
        const sendVersion = () => send(`event: version\ndata: ${changes.version()}\n\n`);
        const unsubscribe = changes.subscribe(sendVersion);
        const heartbeat = setInterval(() => send(":\n\n"), heartbeatMs);
        end = () => {
          count -= 1;
          unsubscribe();
          clearInterval(heartbeat);
          end = () => {};
        };
        send("retry: 3000\n\n");
        sendVersion();
      },
      cancel: () => end(),
    });
    return c.body(body, 200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
  });
}
