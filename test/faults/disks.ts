/** Disks of a size that a test chooses, and other things of the machine that only root may change. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./row.ts";

const quietly = { stdio: "ignore" } as const;

/** Whether this machine lets us mount a disk in memory. */
export const canMount = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), "collector-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], quietly);
    execFileSync("umount", [folder], quietly);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
})();

export interface Disk {
  /** To so many bytes in all, while it is in use. */
  resize(bytes: number): void;
  /** Takes every byte that is left, but for `leaving`. */
  fill(leaving?: number): void;
  /** Gives them back. */
  free(): void;
}

/** A disk in memory at `folder`, gone when the row is over. */
export function mountDisk({ onEnd }: Pick<Bench, "onEnd">, folder: string, bytes: number): Disk {
  const ballast = join(folder, "ballast");
  const left = (): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=700`, "tmpfs", folder], quietly);
  onEnd(() => execFileSync("umount", ["--lazy", folder], quietly));
  return {
    resize: (to) => execFileSync("mount", ["-o", `remount,size=${to}`, folder], quietly) as unknown as undefined,
    fill(leaving = 0) {
      for (let _n = 0; left() > leaving; _n += 1) {
        try {
          writeFileSync(ballast, Buffer.alloc(left() - leaving), { flag: "a" });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
    },
    free: () => rmSync(ballast),
  };
}
