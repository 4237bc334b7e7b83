/**
 * A layer over a directory in memory: it is committed while its files are open, and with nothing open saved and loaded again, forked, and
 * laid below. Copies share their pages with what they are copies of.
 */
import { createFsSync } from "../../index.ts";
import { type Layer, overlay } from "../../layers.ts";
import type { NodeModule } from "../../node/face/node-types.ts";
import { bytesFor } from "../pattern.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { namesBelow } from "./memory-machines.ts";

const DEFAULT_LIMIT = 64 * 2 ** 20;
const LOWER = "/base";
/** A fork is mounted at the one where the layer is not. */
const TARGETS = ["/m", "/n"];
const LIMITS = { size: "32m", nr_inodes: 1000 };

export function layerMachine(options: MachineOptions): Machine {
  const { limit = DEFAULT_LIMIT, isShared, length } = options;
  const fs = createFsSync({ memoryLimit: limit, shared: isShared, types: [overlay] });
  for (const path of [LOWER, ...TARGETS]) fs.mkdirSync(path);
  const first = [bytesFor(length >> 1, 1), bytesFor(5000, 2)];
  const below = namesBelow(LOWER, false);
  for (const [file, content] of first.entries()) fs.writeFileSync(below(file)[0], content);
  let at = 0;
  let layer: Layer = fs.kernel.layer({ lower: LOWER, target: TARGETS[at], ...LIMITS });

  const reload = (): void => {
    const saved = layer.save();
    layer.drop();
    layer = fs.kernel.load(saved, { lower: LOWER, target: TARGETS[at], ...LIMITS });
  };
  const fork = (): void => {
    at = 1 - at;
    const forked = layer.fork(TARGETS[at], LIMITS);
    layer.drop();
    layer = forked;
  };
  const layDown = (): void => {
    layer.commit();
    layer.reset();
  };
  return {
    abilities: { write: true, direct: false, fallocate: "holes", seek: true, clone: false, secondName: false },
    fs: fs as unknown as NodeModule,
    folio: fs,
    copiesUp: true,
    initial: (file) => first[file],
    names: (file) => namesBelow(TARGETS[at], false)(file),
    remount: () => layer.commit(),
    umount: (choice) => [reload, fork, layDown][choice % 3](),
    end: () => void fs.kernel.destroy(),
  };
}
