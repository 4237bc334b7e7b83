/** proper-lockfile: lock, check, unlock, retries, stale and compromised locks, many that want the same; its `fs` option. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { failureOf, treeOf } from "./report.mjs";

export default async function main({ fs, root, say, args: [byOption] }) {
  const at = (...names) => join(root, ...names);
  // Without the option it is graceful-fs that is used, over whatever `fs` is.
  const own = byOption ? { fs } : {};
  const file = at("file");
  fs.writeFileSync(file, "");
  fs.symlinkSync("file", at("link"));
  fs.mkdirSync(at("directory"));

  const release = await lockfile.lock(file, own);
  say(fs.readdirSync(root), await lockfile.check(file, own), lockfile.checkSync(at("link"), own));
  say(await failureOf(() => lockfile.lock(at("link"), own)), await failureOf(() => lockfile.lockSync(file, own)));
  await release();
  say(
    fs.readdirSync(root),
    await lockfile.check(file, own),
    await failureOf(release),
    await failureOf(() => lockfile.unlock(file, own)),
  );
  const releaseSync = lockfile.lockSync(at("directory"), { ...own, lockfilePath: at("elsewhere.lock") });
  say(treeOf(fs, root).filter((line) => line.includes("lock")));
  releaseSync();
  say(fs.readdirSync(root));

  // What is not there, with and without the real path.
  say(
    await failureOf(() => lockfile.lock(at("missing"), own)),
    await failureOf(() => lockfile.lockSync(at("missing"), own)),
  );
  const unreal = await lockfile.lock(at("missing"), { ...own, realpath: false });
  say(fs.readdirSync(root), lockfile.checkSync(at("missing"), { ...own, realpath: false }));
  await unreal();
  say(await failureOf(() => lockfile.lock(at("no", "where"), { ...own, realpath: false })));
  fs.mkdirSync(at("closed"));
  fs.writeFileSync(at("closed", "file"), "");
  fs.chmodSync(at("closed"), 0o555);
  for (const way of [lockfile.lock, lockfile.lockSync, lockfile.check]) {
    const failure = await failureOf(() => way(at("closed", "file"), own));
    say(failure);
    if (failure === "none" && way !== lockfile.check) await lockfile.unlock(at("closed", "file"), own);
  }
  fs.mkdirSync(at("filled.lock", "inside"), { recursive: true });
  fs.utimesSync(at("filled.lock"), 1e9, 1e9);
  fs.writeFileSync(at("filled"), "");
  say(
    await failureOf(() => lockfile.lock(at("filled"), own)),
    await failureOf(() => lockfile.lockSync(at("filled"), own)),
  );

  // A lock that nobody has refreshed is taken over; one that has gone or was touched by others is compromised.
  fs.mkdirSync(`${file}.lock`);
  fs.utimesSync(`${file}.lock`, 1e9, 1e9);
  say(await lockfile.check(file, own));
  const taken = await lockfile.lock(file, own);
  say(await lockfile.check(file, own));
  await taken();
  for (const harm of [() => fs.rmdirSync(`${file}.lock`), () => fs.utimesSync(`${file}.lock`, 2e9, 2e9)]) {
    let compromised;
    const told = new Promise((resolve) => (compromised = resolve));
    const held = await lockfile.lock(file, { ...own, stale: 2000, update: 1000, onCompromised: compromised });
    harm();
    const hold = setInterval(() => {}, 1000); // its own timers do not keep the process going
    say({ ...(await told), message: (await told).message }, await failureOf(held));
    clearInterval(hold);
    fs.rmSync(`${file}.lock`, { recursive: true, force: true });
  }
  const refreshed = await lockfile.lock(file, { ...own, stale: 2000, update: 1000 });
  const before = fs.statSync(`${file}.lock`).mtimeMs;
  await sleep(1300);
  say(fs.statSync(`${file}.lock`).mtimeMs > before);
  await refreshed();

  // One at a time, whoever comes.
  let inside = 0;
  let most = 0;
  const work = async (i) => {
    const leave = await lockfile.lock(file, { ...own, retries: { retries: 200, minTimeout: 1, maxTimeout: 5 } });
    most = Math.max(most, ++inside);
    const text = await fs.promises.readFile(file, "utf8");
    await fs.promises.writeFile(file, `${text}${i},`);
    inside--;
    await leave();
  };
  await Promise.all(Array.from({ length: 25 }, (_, i) => work(i)));
  say(most, fs.readFileSync(file, "utf8").split(",").sort(), fs.readdirSync(root));
  // What is held when the process ends is given back by signal-exit, which keeps its listeners here.
  await lockfile.lock(file, own);
  say(fs.existsSync(`${file}.lock`));
  process.__signal_exit_emitter__.on("exit", () => say("after the end", fs.existsSync(`${file}.lock`)));
}
