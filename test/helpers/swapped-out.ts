/** A face before each of whose calls all that can be is in a swap area: whatever the call needs it brings in. */
import type { FolioFs } from "../../src/index.ts";
import { swapOut } from "../../src/mm/swap-out.ts";
import { MockSwap } from "./mock-swap.ts";
import type { Subject } from "./subject.ts";
import { createFoliofsSubject } from "./subject-foliofs.ts";

/** Sends all pages to swap areas that can go there. */
export function pushAllOut(fs: {
  readonly kernel: { readonly vfs: { readonly core: FolioFs["kernel"]["vfs"]["core"] } };
}) {
  while (swapOut(fs.kernel.vfs.core)) {}
}

/**
 * Turns an area on, and has pages go there before each call of what is returned.
 *
 * @param count is told how many calls have found something in the area
 */
export function swappedOut<Fs extends object>(top: FolioFs, fs: Fs, count: () => void): Fs {
  const device = new MockSwap(40_000);
  top.kernel.swapOn(device);
  const before = <Call extends (...args: never[]) => unknown>(call: Call): Call => {
    const wrapped = (...args: never[]): unknown => {
      pushAllOut(top);
      const reads = device.nrReads;
      try {
        return call(...args);
      } finally {
        if (device.nrReads > reads) count();
      }
    };
    return Object.assign(wrapped, call) as unknown as Call;
  };
  const faceOf = (face: object): object =>
    new Proxy(face, {
      get(target, name, receiver) {
        const value = Reflect.get(target, name, receiver);
        if (name === "promises") return faceOf(value as object);
        const isCall = typeof value === "function" && typeof name === "string" && /^[a-z]/.test(name);
        return isCall ? before(value as never) : value;
      },
    });
  return faceOf(fs) as Fs;
}

/** As createFoliofsSubject(), on pages that are in a swap area before each call. @param count as swappedOut() */
export function createSwappedSubject(
  foliofs: Parameters<typeof createFoliofsSubject>[0],
  root?: string,
  count = () => {},
): Subject {
  const { kernel: _, ...subject } = createFoliofsSubject(foliofs, root); // it counts pages in memory, and these are not
  return { ...subject, fs: swappedOut(subject.fs as unknown as FolioFs, subject.fs, count) };
}
