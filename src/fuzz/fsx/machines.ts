/** What fsx can be run on, by name. */
import { hostfsMachine, kernelMachine } from "./host-machines.ts";
import { layerMachine } from "./layer-machine.ts";
import { lazyMachine } from "./lazy-machine.ts";
import type { MakeMachine } from "./machine.ts";
import { overlayMachine, ramfsMachine, swapMachine, tmpfsMachine } from "./memory-machines.ts";
import { storeMachine } from "./store-machine.ts";

export const FSX_MACHINES = {
  tmpfs: tmpfsMachine,
  ramfs: ramfsMachine,
  swap: swapMachine,
  overlay: overlayMachine,
  layer: layerMachine,
  hostfs: hostfsMachine,
  lazyfs: lazyMachine,
  store: storeMachine,
  kernel: kernelMachine,
} as const satisfies Record<string, MakeMachine>;

export type FsxTarget = keyof typeof FSX_MACHINES;

export const FSX_TARGETS = Object.keys(FSX_MACHINES) as readonly FsxTarget[];
