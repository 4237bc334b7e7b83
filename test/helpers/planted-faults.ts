/** Machines of fsx, and of calls under way at the same time, that do wrong what another does right. */
import type { Face } from "../../src/fuzz/schedule/perform-async.ts";
import type { FsxMachine, MakeAsyncMachine } from "../../src/fuzz.ts";

type Fs = FsxMachine["fs"];

const PAGE = 4096;

/** A machine with other calls: in the place of those of its face that `change` gives. */
function withCalls(machine: FsxMachine, change: (fs: Fs) => Partial<Fs>): FsxMachine {
  return new Proxy(machine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === "fs") return changed(value as Fs, change);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function changed(fs: Fs, change: (fs: Fs) => Partial<Fs>): Fs {
  const calls = change(fs);
  return new Proxy(fs, { get: (target, name) => Reflect.get(name in calls ? calls : target, name) });
}

/** Writes that end at a byte like no. 12 of each 13. */
const LOST_AT = 13;

/** Of some writes the last byte is not written, if they have two. */
export function losesBytes(machine: FsxMachine): FsxMachine {
  return withCalls(machine, (fs) => ({
    writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number, position: number | null) => {
      const written = fs.writeSync(fd, bytes, offset, length, position);
      const isLost = position !== null && length > 1 && (position + length) % LOST_AT === 0;
      if (isLost) fs.writeSync(fd, new Uint8Array([0]), 0, 1, position + length - 1);
      return written;
    }) as Fs["writeSync"],
  }));
}

/** Bytes that ftruncate() has cut off the last page are there again when the file grows. */
export function skipsTails(machine: FsxMachine): FsxMachine {
  const tails = new Map<number, { readonly at: number; readonly bytes: Uint8Array }>();
  return withCalls(machine, (fs) => ({
    ftruncateSync: ((fd: number, length: number) => {
      const { size, ino } = fs.fstatSync(fd);
      const tail = tails.get(ino);
      if (length < size) {
        const bytes = new Uint8Array(Math.min(size, Math.ceil(length / PAGE) * PAGE) - length);
        fs.readSync(fd, bytes, 0, bytes.length, length);
        tails.set(ino, { at: length, bytes });
      }
      fs.ftruncateSync(fd, length);
      if (length <= size || tail?.at !== size) return;
      fs.writeSync(fd, tail.bytes.subarray(0, length - size), 0, Math.min(tail.bytes.length, length - size), size);
    }) as Fs["ftruncateSync"],
  }));
}

/** A machine with other promise calls, of all chains: in the place of those of its face that `change` gives. */
export function withPromises(
  make: MakeAsyncMachine,
  change: (face: Face) => Partial<Face["promises"]>,
): MakeAsyncMachine {
  return (options) => {
    const machine = make(options);
    const faces = machine.hands.faces.map((face) => {
      const promises = { ...face.promises, ...change(face) };
      return Object.assign(Object.create(face), { promises }) as Face;
    });
    return { ...machine, hands: { ...machine.hands, faces } };
  };
}
