/**
 * `npm run test:swap`: writes 6 GiB of patterned data to a tmpfs within 256 MiB of memory, with a file of the host as swap, and reads
 * it back, in order and at random. Fails when a byte is not what it was, or memory has more than its limit.
 *
 * With too little room on the disk it says so, and does less.
 *
 * Usage: node scripts/test-swap.mjs [--gib N] [--dir FOLDER]; FOLIOFS_SEED is the seed, else a random one, which is printed
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const MEMORY_LIMIT = 256 * MIB;
/** Data is so many times as large as memory at least: where the disk is small, memory is smaller too. */
const TIMES = 4;
const MIN_BYTES = 64 * MIB;
const CHUNK = MIB;
const CHUNKS_PER_FILE = 512;
/** Chunks that are read at random in the end, one of so many. */
const SAMPLE = 16;
/** Left free on the disk. */
const SPARE = GIB;

const { values } = parseArgs({ options: { gib: { type: "string", default: "6" }, dir: { type: "string" } } });
const seed = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 32));
const wanted = Math.floor((Number(values.gib) * GIB) / CHUNK) * CHUNK;
if (!(wanted >= MIN_BYTES)) throw new Error(`--gib ${values.gib}: how many GiB of data?`);

const { status } = spawnSync(process.execPath, [join(ROOT, "scripts/build.mjs")], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
const { createFsSync } = await import("../dist/index.js");

const dir = mkdtempSync(join(values.dir ?? tmpdir(), "foliofs-swap-"));
try {
  run(bytesFor(dir));
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** How much data there is room for. */
function bytesFor(folder) {
  const { bavail, bsize } = statfsSync(folder);
  const room = Math.floor(Math.max(0, bavail * bsize - SPARE) / CHUNK) * CHUNK;
  if (room >= wanted) return wanted;
  console.log(
    `${folder} has room for ${Math.floor(room / MIB)} MiB beside a spare GiB: that much, not ${wanted / MIB} MiB`,
  );
  if (room < MIN_BYTES) throw new Error("that is too little to swap at all");
  return room;
}

/** The bytes of a chunk: no two are alike. */
function fill(words, chunk) {
  let x = (seed ^ Math.imul(chunk + 1, 0x9e3779b1)) >>> 0;
  for (let i = 0; i < words.length; i++) {
    words[i] = x;
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  }
}

function run(bytes) {
  const nrChunks = bytes / CHUNK;
  const memoryLimit = Math.min(MEMORY_LIMIT, Math.floor(bytes / TIMES / MIB) * MIB);
  console.log(`swap: ${bytes / MIB} MiB of data, ${memoryLimit / MIB} MiB of memory, FOLIOFS_SEED=${seed}`);
  const fs = createFsSync({ memoryLimit });
  fs.mkdirSync("/t");
  fs.kernel.mount({ type: "tmpfs", target: "/t", data: `size=${bytes}` });
  fs.kernel.swapOn({ file: join(dir, "swap"), size: bytes });
  const words = new Uint32Array(CHUNK / 4);
  const expected = Buffer.from(words.buffer);
  const got = Buffer.alloc(CHUNK);
  const place = (chunk) => [`/t/f${Math.floor(chunk / CHUNKS_PER_FILE)}`, (chunk % CHUNKS_PER_FILE) * CHUNK];
  const checkLimit = () => {
    const has = fs.kernel.vfs.core.memory.buffer.byteLength;
    if (has > memoryLimit) throw new Error(`memory has ${has} bytes of at most ${memoryLimit}`);
  };
  const write = (chunk) => {
    const [path, at] = place(chunk);
    const fd = fs.openSync(path, at === 0 ? "w" : "r+");
    fill(words, chunk);
    const n = fs.writeSync(fd, expected, 0, CHUNK, at);
    fs.closeSync(fd);
    if (n !== CHUNK) throw new Error(`${path}: ${n} bytes written at ${at}, not ${CHUNK}`);
  };
  const read = (chunk) => {
    const [path, at] = place(chunk);
    const fd = fs.openSync(path, "r");
    const n = fs.readSync(fd, got, 0, CHUNK, at);
    fs.closeSync(fd);
    fill(words, chunk);
    if (n !== CHUNK || !got.equals(expected)) throw new Error(`${path} at ${at}: not what was written`);
  };
  const order = Array.from({ length: nrChunks }, (_, i) => i);
  timed(fs, "written", order, write, checkLimit);
  timed(fs, "read back", order, read, checkLimit);
  const some = order.filter((i) => Math.imul(i + 1, 0x85ebca6b) >>> 28 < 16 / SAMPLE).sort((a, b) => mix(a) - mix(b));
  timed(fs, "read at random", some, read, checkLimit);
  fs.kernel.destroy();
}

function mix(i) {
  return Math.imul(i ^ seed, 0x27d4eb2d) >>> 0;
}

function timed(fs, what, chunks, work, check) {
  const start = performance.now();
  const before = fs.kernel.vmstat();
  for (const chunk of chunks) {
    work(chunk);
    check();
  }
  const seconds = (performance.now() - start) / 1000;
  const after = fs.kernel.vmstat();
  const mib = (name) => Math.round(((after[name] - before[name]) * 4096) / MIB);
  const rate = Math.round(chunks.length / seconds);
  console.log(
    `${chunks.length} MiB ${what} in ${seconds.toFixed(1)} s (${rate} MiB/s); ${mib("pswpout")} MiB out, ${mib("pswpin")} MiB in`,
  );
}
