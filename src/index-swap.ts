/**
 * Swap areas with Node's shape of errors around them, as a part of its own (wasm/core-module.ts): what `kernel.swapOn()` is made of.
 * Node's entry brings it, and foliofs/store.
 *
 * Does not own: what is done (vfs/swapon.ts).
 */
import { checkKnown } from "./index-options.ts";
import { type CompressedSwapOptions, compressedSwap as compressed, MIN_POOL_BYTES } from "./mm/compressed-swap.ts";
import { isSwapDevice, type SwapDevice } from "./mm/swap-device.ts";
import type { SwapFileOptions } from "./mm/swap-file.ts";
import { argTypeError } from "./node/errors.ts";
import { toPath } from "./node/paths.ts";
import { uvException } from "./node/uv-errors.ts";
import { checkInteger, checkObject } from "./node/validators.ts";
import { swapOff as off, swapOn as on, type SwapOptions } from "./vfs/swapon.ts";
import type { Task } from "./vfs/task.ts";
import { registerPart } from "./wasm/core-module.ts";

/** Makes a call by promises, and again when the device has answered. */
type Later = (call: () => number, syscall: string) => Promise<void>;

function checkFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw argTypeError(name, "Function", value);
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_VALUE (NUL in the path, an unknown property) */
function checkDevice(device: unknown): asserts device is SwapDevice | SwapFileOptions {
  checkObject(device, "device");
  if (isSwapDevice(device)) return;
  const { file, size, nrPages, readPages, writePages } = device as Partial<SwapDevice & SwapFileOptions>;
  if (file === undefined) {
    checkInteger(nrPages, "device.nrPages");
    checkFunction(readPages, "device.readPages");
    checkFunction(writePages, "device.writePages");
    return;
  }
  checkKnown(device, ["file", "size"], "device");
  if (typeof file !== "string") throw argTypeError("device.file", "string", file);
  toPath(file, "device.file");
  if (size !== undefined) checkInteger(size, "device.size");
}

function checkSwapOptions(options: SwapOptions): void {
  checkKnown(options, ["priority"]);
  if (options.priority !== undefined) checkInteger(options.priority, "options.priority", 0, 32767);
}

function check(rc: number, syscall: string): void {
  if (rc < 0) throw uvException(rc, syscall);
}

function swapOn(task: Task, device: SwapDevice | SwapFileOptions, options: SwapOptions = {}): void {
  checkDevice(device);
  checkSwapOptions(options);
  check(on(task, device, options), "swapon");
}

function swapOff(task: Task, device: SwapDevice | SwapFileOptions): void {
  checkDevice(device);
  check(off(task, device), "swapoff");
}

async function swapOffAsync(task: Task, device: SwapDevice | SwapFileOptions, later: Later): Promise<void> {
  checkDevice(device);
  await later(() => off(task, device), "swapoff");
}

/**
 * Makes a swap device that compresses: `fs.kernel.swapOn(compressedSwap({ size, compress, decompress }))`.
 *
 * @throws ERR_INVALID_ARG_TYPE without both functions, or numbers; ERR_OUT_OF_RANGE for a size below 64 KiB, and a number of pages that
 *   is none; ERR_INVALID_ARG_VALUE for an unknown option
 */
export function compressedSwap(options: CompressedSwapOptions): SwapDevice {
  checkKnown(options, ["size", "nrPages", "compress", "decompress"]);
  checkInteger(options.size, "options.size", MIN_POOL_BYTES);
  if (options.nrPages !== undefined) checkInteger(options.nrPages, "options.nrPages", 1);
  checkFunction(options.compress, "options.compress");
  checkFunction(options.decompress, "options.decompress");
  return compressed(options);
}

const SWAP = { swapOn, swapOff, swapOffAsync };

export type SwapPart = typeof SWAP;

/** For entry points. */
export function registerSwap(): void {
  registerPart("swap", SWAP);
}
