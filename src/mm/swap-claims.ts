/**
 * Which devices and files are swap areas, of any kernel of this thread: with a second one each would write over what the other has there.
 *
 * @see Linux mm/swapfile.c claim_swapfile()
 */
import { partNamed, registerPart } from "../wasm/core-module.ts";
import type { SwapDevice } from "./swap-device.ts";

interface Claims {
  /** Devices of programs: a kernel that is collected lets go of its own. */
  readonly devices: WeakSet<SwapDevice>;
  /** Files of the host, by device and inode number. */
  readonly files: Set<string>;
}

const CLAIMS_PART = "swap_claims";
/** All copies of this file know the same: each entry has one. */
const claims = (partNamed(CLAIMS_PART) ?? { devices: new WeakSet(), files: new Set() }) as Claims;
registerPart(CLAIMS_PART, claims);

/** Files that are swap areas. */
export const claimedFiles = claims.files;

/** @returns false = it is an area already */
export function claimDevice(device: SwapDevice): boolean {
  if (claims.devices.has(device)) return false;
  claims.devices.add(device);
  return true;
}

/** Undoes claimDevice(), and tells the device. */
export function closeDevice(device: SwapDevice): void {
  claims.devices.delete(device);
  device.close?.();
}
