/** `GET /live`: tells open pages that something was stored, as server-sent events. */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Site } from "./site.ts";

/** So many pages may be open; each holds a connection. */
const maxConnections = 100;

/** Whoever takes nothing any more is let go. */
const maxQueuedEvents = 20;

/** A word in between, so that both sides notice when the other is gone. Milliseconds. */
const heartbeatMs = 15_000;

/**
 * The event `version` comes at once and after each change; its data is `site.changes.version()`, so that a page can tell whether
 * it was made before.
 */
export function live({ changes }: Site): Hono {
  let count = 0;
  return new Hono().get("/", (c) => {
    if (count >= maxConnections) throw new HTTPException(503, { message: "Too many pages are open; close some." });
    const encoder = new TextEncoder();
    let end = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        count += 1;
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) > -maxQueuedEvents) return controller.enqueue(encoder.encode(text));
          end();
          controller.error(new Error("nobody takes it"));
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
