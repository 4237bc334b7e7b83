/**
 * The kernel's own tmpfs through `node:fs`: a directory of its own in /dev/shm for every subject.
 *
 * Its paths are longer than those of the others by the directory's own path, two components.
 */
import fs from "node:fs";
import { release } from "node:os";
import type { Contender } from "./contender.ts";

const MOUNT = "/dev/shm";
const TMPFS_MAGIC = 0x01021994;
const alive = new Set<string>();

/** @throws Error where /dev/shm is no tmpfs */
export async function loadTmpfs(): Promise<Contender> {
  if (!fs.existsSync(MOUNT) || fs.statfsSync(MOUNT).type !== TMPFS_MAGIC) throw new Error(`${MOUNT} is no tmpfs here`);
  process.on("exit", () => alive.forEach(remove));
  return {
    name: "tmpfs",
    origin: `node:fs on ${MOUNT}, Linux ${release()}`,
    create() {
      const root = fs.mkdtempSync(`${MOUNT}/fbench-`);
      alive.add(root);
      return { fs, root, dispose: () => remove(root) };
    },
  };
}

function remove(root: string): void {
  fs.rmSync(root, { recursive: true, force: true });
  alive.delete(root);
}
