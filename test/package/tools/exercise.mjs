/**
 * What a user's program or test does with the package; every tool must build and run it. The tests make CommonJS of it
 * too, so it imports nothing, and throws where something is not as it should be.
 *
 * @param foliofs the entry "foliofs"; "foliofs/shared" has been loaded besides
 */
export async function exercise({ createFs, createFsSync, restoreFsSync }) {
  for (const options of [{}, { shared: true }]) {
    const fs = createFsSync(options);
    await useFace(fs);
    same(restoreFsSync(fs.kernel.snapshot()).readFileSync("/d/é/f", "utf8"), TEXT);
  }
  same((await createFs()).existsSync("/"), true);
}

const TEXT = "héllo 😀\u0000".repeat(500);
const LONG = `/${"längerer-name-".repeat(5)}`;

async function useFace(fs) {
  fs.mkdirSync("/d/é", { recursive: true });
  fs.writeFileSync("/d/é/f", TEXT);
  same(fs.readFileSync("/d/é/f", "utf8"), TEXT);
  fs.appendFileSync(LONG, TEXT);
  same(await fs.promises.readFile(LONG, "utf8"), TEXT);
  await fs.promises.writeFile("/b", new Uint8Array([1, 2, 3]));
  same([...fs.readFileSync("/b")].join(), "1,2,3");
  const size = await new Promise((resolve, reject) => {
    fs.stat("/b", (error, stats) => (error ? reject(error) : resolve(stats.size)));
  });
  same(size, 3);
  fs.symlinkSync(LONG, "/l");
  same(fs.realpathSync("/l"), LONG);
  same(
    fs.readdirSync("/", { recursive: true }).sort().join(),
    ["b", "d", "d/é", "d/é/f", "l", LONG.slice(1)].sort().join(),
  );
  same(
    messageOf(() => fs.statSync("/missing")),
    "ENOENT: no such file or directory, stat '/missing'",
  );
}

function messageOf(call) {
  try {
    call();
  } catch (error) {
    return error.message;
  }
  return undefined;
}

function same(actual, expected) {
  if (actual !== expected) throw new Error(`${actual} instead of ${expected}`);
}
