/** A tree that is asked for its contents, and only read: somebody else changes it now and then. */
import { createFsSync } from "../../index.ts";
import { type LazyMountHandle, type LazyTree, mountLazy } from "../../lazy.ts";
import type { NodeModule } from "../../node/face/node-types.ts";
import { bytesFor } from "../pattern.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { namesBelow, roomFor } from "./memory-machines.ts";
import { leaveRoom } from "./pressure.ts";

const TIGHT_LIMIT = 8 * 2 ** 20;
const TARGET = "/m";

/** A flat tree: names are those of the files. */
function treeOf(contents: Map<string, Uint8Array>): LazyTree {
  return {
    list: () => [...contents].map(([name, { length }]) => ({ name, type: "file" as const, size: length })),
    load: (path, { position, length }) =>
      (contents.get(path.slice(1)) as Uint8Array).slice(position, position + length),
  };
}

export function lazyMachine(options: MachineOptions): Machine {
  const { limit = TIGHT_LIMIT, isShared, length } = options;
  const fs = createFsSync({ memoryLimit: limit, shared: isShared });
  fs.mkdirSync(TARGET);
  const first = [bytesFor(length, 1), bytesFor((length >> 1) + 1234, 2)];
  const contents = new Map(["a", "b"].map((name, file) => [name, first[file] as Uint8Array]));
  const mount = (): LazyMountHandle => mountLazy(fs.kernel, treeOf(contents), { target: TARGET });
  let mounted = mount();
  leaveRoom(fs, roomFor(options));
  const names = namesBelow(TARGET, false);
  return {
    abilities: { write: false, direct: false, fallocate: "none", seek: true, clone: false, secondName: false },
    fs: fs as unknown as NodeModule,
    folio: fs,
    initial: (file) => first[file],
    names,
    umount: () => {
      fs.kernel.umount(TARGET);
      mounted = mount();
    },
    change: (file, content) => {
      const path = names(file)[0].slice(TARGET.length);
      contents.set(path.slice(1), content);
      mounted.invalidate(path);
    },
    end: () => void fs.kernel.destroy(),
  };
}
