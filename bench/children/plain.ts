/** Writes the plain rows of a history. A message with a number of minutes adds them, and is answered with the milliseconds per minute. */
import { accountMinutes, equity, positions, spotAssets } from "../../test/store/minutes.ts";
import { timed } from "../figure.ts";
import { datasets, take, together } from "../history.ts";
import { openPlain } from "../plain.ts";

const plain = openPlain(process.argv[2] ?? "", datasets);
const source = accountMinutes(Number.POSITIVE_INFINITY);

process.on("message", (count: number) => {
  let took = 0;
  for (let left = count; left > 0; left -= together) {
    const minutes = take(source, Math.min(together, left));
    took += timed(() =>
      plain.add(
        minutes.flatMap((one) => [
          [spotAssets, [one.coins]],
          [positions, one.lines],
          [equity, [one.equity]],
        ]),
      ),
    );
  }
  process.send?.(took / count);
});
process.once("disconnect", () => plain.close());
