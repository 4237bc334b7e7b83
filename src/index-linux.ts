/**
 * System calls beyond Node's, as a part of its own (wasm/core-module.ts): what `fs.kernel.linux` is made of. Node's entry brings it, and
 * foliofs/store.
 */
import { linuxCalls } from "./node/linux/index.ts";
import { registerPart } from "./wasm/core-module.ts";

const LINUX = { linuxCalls };

export type LinuxPart = typeof LINUX;

/** For entry points. */
export function registerLinux(): void {
  registerPart("linux", LINUX);
}
