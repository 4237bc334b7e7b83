/** Files of a store, with little memory. */
import { createFsSync, MS_NOATIME, MS_REMOUNT } from "../../index.ts";
import type { NodeModule } from "../../node/face/node-types.ts";
import { BlockStore } from "./block-store.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { namesBelow, roomFor } from "./memory-machines.ts";
import { leaveRoom } from "./pressure.ts";

const TIGHT_LIMIT = 8 * 2 ** 20;
const TARGET = "/m";

export function storeMachine(options: MachineOptions): Machine {
  const { limit = TIGHT_LIMIT, isShared } = options;
  const blocks = new BlockStore(["a", "b"]);
  const fs = createFsSync({ memoryLimit: limit, shared: isShared, types: [blocks.type] });
  fs.mkdirSync(TARGET);
  const mount = (flags = 0): void => fs.kernel.mount({ type: blocks.type.name, target: TARGET, flags });
  mount();
  leaveRoom(fs, roomFor(options));
  return {
    abilities: { write: true, direct: true, fallocate: "all", seek: true, clone: false, secondName: false },
    fs: fs as unknown as NodeModule,
    folio: fs,
    initial: () => new Uint8Array(),
    names: namesBelow(TARGET, false),
    stored: (file) => blocks.content(file),
    remount: (choice) => mount(MS_REMOUNT | (choice % 2 === 0 ? MS_NOATIME : 0)),
    umount: () => {
      fs.kernel.umount(TARGET);
      mount();
    },
    end: () => void fs.kernel.destroy(),
  };
}
