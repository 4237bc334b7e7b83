/** What must compile besides where a program has no types of Node: bytes are plain. */
import { type Bytes, createFsSync, type ErrnoException, type ReadStream, type WriteStream } from "foliofs";

const fs = createFsSync();
const bytes: Uint8Array = fs.readFileSync("/x");
const same: Bytes = new Uint8Array(1);

// @ts-expect-error no Buffer here
bytes.readUInt8(0);

// Node's types say less here.
const names: string[] = fs.readdirSync("/", { recursive: true });
const isThere: boolean = fs.existsSync(new Uint8Array(1));

fs.readFile("/x", (error) => {
  const known: ErrnoException | null = error;
  return known?.path;
});

export async function streams(): Promise<void> {
  const input: ReadStream = fs.createReadStream("/x", { encoding: "utf8", start: 1, end: 2 });
  const output: WriteStream = input.pipe(fs.createWriteStream("/y", "utf8"));
  output.on("error", ({ message }) => message).end("last", "utf8");
  for await (const chunk of new fs.ReadStream("/x")) output.write(chunk);
  const handle = await fs.promises.open("/x");
  for await (const line of handle.readLines()) line.trim();
  // @ts-expect-error no such option
  handle.createWriteStream({ flags: "w" });
  // @ts-expect-error no such event
  input.on("nonsense", () => {});
}

export async function watching(): Promise<void> {
  const watcher = fs.watch("/x", { encoding: "buffer" }, (type, name) => type === "rename" && name?.byteLength);
  watcher.on("close", () => {}).unref();
  fs.watchFile("/x", { bigint: true }, (now, before) => now.size - before.size);
  for await (const { eventType, filename } of fs.promises.watch("/x", { ignore: "*.log", maxQueue: 1 }))
    if (filename?.endsWith("x")) fs.unwatchFile(eventType);
  // @ts-expect-error no such option
  fs.watch("/x", { nonsense: true });
}

export { bytes, isThere, names, same };
