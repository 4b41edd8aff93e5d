/** Mounts in-memory disks of a given size (root only). */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./row.ts";

const quietly = { stdio: "ignore" } as const;

/** Whether this machine allows mounting an in-memory disk. */
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
  /** Changes the total size, bytes, while the disk is in use. */
  resize(bytes: number): void;
  /** Fills the disk, leaving the given number of bytes free. */
  fill(leaving?: number): void;
  /** Releases the filled bytes. */
  free(): void;
}

/** Mounts an in-memory disk at `folder` until the row is over. */
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
