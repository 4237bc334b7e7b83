/** Folders of the host: mounted by hostfs, and the host's kernel itself, on which fsx is right or wrong. */
import nodeFs, { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostfs } from "../../host.ts";
import { createFsSync, type FolioFs, MS_REMOUNT } from "../../index.ts";
import type { NodeModule } from "../../node/face/node-types.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { makeFiles, namesBelow, roomFor } from "./memory-machines.ts";
import { leaveRoom } from "./pressure.ts";

const TIGHT_LIMIT = 8 * 2 ** 20;
const TARGET = "/m";
const CACHES = ["writeback", "writethrough", "none"] as const;
type Cache = (typeof CACHES)[number];

function mountFolder(fs: FolioFs, source: string, cache: Cache, flags = 0): void {
  fs.kernel.mount({ type: "hostfs", source, target: TARGET, data: `cache=${cache}`, flags });
}

export function hostfsMachine(options: MachineOptions): Machine {
  const { limit = TIGHT_LIMIT, isShared, folder = tmpdir() } = options;
  const source = mkdtempSync(join(folder, "foliofs-fsx-"));
  const fs = createFsSync({ memoryLimit: limit, shared: isShared, types: [hostfs] });
  fs.mkdirSync(TARGET);
  let cache: Cache = "writeback";
  mountFolder(fs, source, cache);
  const names = namesBelow(TARGET, true);
  const face = fs as unknown as NodeModule;
  makeFiles(face, names);
  leaveRoom(fs, roomFor(options));
  return {
    abilities: { write: true, direct: true, fallocate: "none", seek: false, clone: false, secondName: true },
    fs: face,
    folio: fs,
    initial: () => new Uint8Array(),
    names,
    mapRefusal: (isStored) => (cache === "none" || (cache === "writethrough" && isStored) ? "ENODEV" : undefined),
    stored: (file) => readFileSync(join(source, names(file)[0].slice(TARGET.length))),
    remountsUnmapped: true, // by mappings that the new options do not have
    remount: (choice) => {
      cache = CACHES[choice % CACHES.length];
      mountFolder(fs, source, cache, MS_REMOUNT);
    },
    umount: () => {
      fs.kernel.umount(TARGET);
      mountFolder(fs, source, cache);
    },
    end: () => {
      fs.kernel.destroy();
      rmSync(source, { recursive: true, force: true });
    },
  };
}

/** A folder of the host by node:fs. */
export function kernelMachine({ folder = "/dev/shm" }: MachineOptions): Machine {
  const root = mkdtempSync(join(folder, "foliofs-fsx-"));
  const names = namesBelow(root, true);
  makeFiles(nodeFs, names);
  return {
    abilities: { write: true, direct: false, fallocate: "none", seek: false, clone: false, secondName: true },
    fs: nodeFs,
    folio: undefined,
    initial: () => new Uint8Array(),
    names,
    end: () => rmSync(root, { recursive: true, force: true }),
  };
}
