/**
 * May the host read into a Wasm memory by callbacks, while that memory may grow? Growing detaches every view, which the host
 * does not look at again: it has the address, and V8 grows a memory where it lies. Node does not promise that, so it is tried
 * once in a process; until that is known, and where it does not hold, bytes go by a buffer.
 *
 * Does not own: the memory, which whoever reads into it must hold until the host has answered.
 */
import nodeFs from "node:fs";
import process from "node:process";

const TRIED_BYTES = 65536;
const NR_GROWN_PAGES = 64;

/** undefined = it has not been tried, or the host has not answered yet. */
let survives: boolean | undefined;
let isTried = false;

/** @returns false while it is not known */
export function viewsSurviveGrowth(): boolean {
  if (!isTried) {
    isTried = true;
    tryViews().then(
      (answer) => {
        survives = answer;
      },
      () => {},
    );
  }
  return survives === true;
}

/** Reads from Node itself, grows the memory meanwhile, and compares. */
export async function tryViews(): Promise<boolean> {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 + 2 * NR_GROWN_PAGES });
  const file = await nodeFs.promises.open(process.execPath, "r");
  try {
    const reading = readv(file.fd, [new Uint8Array(memory.buffer, 0, TRIED_BYTES)]);
    memory.grow(NR_GROWN_PAGES);
    await reading;
    const expected = new Uint8Array(TRIED_BYTES);
    const { bytesRead } = await file.read(expected, 0, TRIED_BYTES, 0);
    return Buffer.compare(new Uint8Array(memory.buffer, 0, bytesRead), expected.subarray(0, bytesRead)) === 0;
  } finally {
    await file.close();
  }
}

function readv(fd: number, views: Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    nodeFs.readv(fd, views, 0, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}
