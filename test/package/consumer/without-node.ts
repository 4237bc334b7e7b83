/** What must compile besides where a program has no types of Node: bytes are plain. */
import { type Bytes, createFsSync, type ErrnoException } from "foliofs";

const fs = createFsSync();
const bytes: Uint8Array = fs.readFileSync("/x");
const same: Bytes = new Uint8Array(1);

// @ts-expect-error what comes later is not declared before it is there
fs.createReadStream("/x");
// @ts-expect-error no Buffer here
bytes.readUInt8(0);

// Node's types say less here.
const names: string[] = fs.readdirSync("/", { recursive: true });
const isThere: boolean = fs.existsSync(new Uint8Array(1));

fs.readFile("/x", (error) => {
  const known: ErrnoException | null = error;
  return known?.path;
});

export { bytes, isThere, names, same };
