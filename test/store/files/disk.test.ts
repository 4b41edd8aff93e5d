import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { diskSpaceFor } from "../../../src/store/files/disk.ts";

it("the free space of a path that does not exist yet is that of the disk it will be on", () => {
  const { bsize, blocks } = statfsSync(tmpdir());
  for (const path of [join(tmpdir(), "nowhere", "deeper", "collector.db"), "nowhere/collector.db"]) {
    const { freeBytes } = diskSpaceFor(path);
    expect([path, Number.isFinite(freeBytes)]).toEqual([path, true]);
  }
  expect(diskSpaceFor(join(tmpdir(), "nowhere", "collector.db")).freeBytes).toBeLessThanOrEqual(bsize * blocks);
});
