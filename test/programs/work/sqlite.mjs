/**
 * SQLite in Wasm, its database where `fs` is, in the journal mode of the first argument: transactions of all kinds, two
 * connections, then the same transactions stopped before, and in the midst of, many a step that writes. What lies there at
 * that moment is kept (as files on the host, as a snapshot of foliofs) and opened anew: it must be whole, and have what
 * was committed and no more. Then a step fails, and the database goes on.
 */
import { strict as assert } from "node:assert";
import Module, { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { hostFs } from "./copy-in.mjs";
import { bytesOf } from "./make-tree.mjs";
import { randomBelow } from "./random.mjs";
import { digest, treeOf } from "./report.mjs";

const SEED = 20_260_802;
const NR_TRANSACTIONS = 30;
/** Those before fill the database. */
const FIRST_STOPPED = 25;
const WRITE_STRIDE = 23;
const FAIL_STRIDE = 11;
const STEPS = ["writeSync", "ftruncateSync", "fsyncSync", "unlinkSync"];
const require = createRequire(import.meta.url);

/**
 * node-sqlite3-wasm loaded anew over `fs`. It takes its own shared lock (a folder) for another's reserved one, and with that
 * no journal for hot: it is told that no other has one, which holds here.
 */
function sqliteOver(over) {
  const fs = {
    ...over,
    readFileSync: hostFs.readFileSync, // of the Wasm binary
    accessSync: (path, mode) => over.accessSync(path.endsWith(".lock") ? `${path}.of-another` : path, mode),
  };
  const path = require.resolve("node-sqlite3-wasm");
  const load = Module._load;
  delete require.cache[path];
  Module._load = (request, ...rest) => (request === "node:fs" ? fs : load(request, ...rest));
  try {
    return require(path);
  } finally {
    Module._load = load;
  }
}

/** `fs` with `beforeStep(name)` called before each step that writes, and in the midst of each write. */
function withSteps(fs, beforeStep) {
  const steps = Object.fromEntries(
    STEPS.map((name) => [
      name,
      (...args) => {
        beforeStep(name);
        return fs[name](...args);
      },
    ]),
  );
  steps.writeSync = (fd, bytes, offset, length, position) => {
    beforeStep("writeSync");
    const half = length >> 1;
    if (half === 0) return fs.writeSync(fd, bytes, offset, length, position);
    fs.writeSync(fd, bytes, offset, half, position);
    beforeStep("half of writeSync");
    return half + fs.writeSync(fd, bytes, offset + half, length - half, position + half);
  };
  return { ...fs, ...steps };
}

/** Keeps what lies in the folder of the database, and brings it back. */
function imagesOf(fs, folder) {
  if (fs.kernel) return { take: () => fs.kernel.snapshot(), bring: (image) => fs.kernel.restore(image) };
  return {
    take: () =>
      fs
        .readdirSync(folder)
        .map((name) => [
          name,
          fs.statSync(join(folder, name)).isFile() ? fs.readFileSync(join(folder, name)) : undefined,
        ]),
    bring(image) {
      fs.rmSync(folder, { recursive: true });
      fs.mkdirSync(folder);
      for (const [name, data] of image)
        data ? fs.writeFileSync(join(folder, name), data) : fs.mkdirSync(join(folder, name));
    },
  };
}

export default async function main({ fs, root, say, args: [mode] }) {
  const folder = join(root, "database");
  const path = join(folder, "main.db");
  fs.mkdirSync(folder);

  function open({ Database }, at = path) {
    const db = new Database(at);
    if (mode === "wal") db.exec("PRAGMA locking_mode=EXCLUSIVE");
    db.exec("PRAGMA page_size=1024; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA cache_size=12");
    const { journal_mode } = db.get(`PRAGMA journal_mode=${mode}`);
    assert.equal(journal_mode, mode);
    db.exec("PRAGMA wal_autocheckpoint=20");
    return db;
  }

  const schema = `
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, body BLOB, n INTEGER);
    CREATE INDEX items_by_name ON items (name, n);
    CREATE TABLE done (transaction_number INTEGER PRIMARY KEY);`;

  /** Does the changes of a transaction, the same ones for its number, and ends it. */
  function transact(db, number) {
    const random = randomBelow(SEED + number * 7919);
    db.exec("BEGIN");
    for (let n = 4 + random(10); n > 0; n--)
      db.run("INSERT INTO items (name, body, n) VALUES (?, ?, ?)", [
        `name ${random(50)}`,
        bytesOf(random(1000), random(3000)),
        random(99),
      ]);
    db.run("UPDATE items SET n = n + 1, name = name || '+' WHERE id % 7 = ?", [random(7)]);
    db.exec("SAVEPOINT inner");
    db.run("DELETE FROM items WHERE id % 5 = ?", [random(5)]);
    if (random(3) === 0) db.exec("ROLLBACK TO inner");
    db.run("UPDATE items SET body = ? WHERE id = (SELECT max(id) FROM items)", [bytesOf(number, 9000)]);
    db.run("INSERT INTO done VALUES (?)", [number]);
    const commits = number % 4 !== 3;
    db.exec(commits ? "COMMIT" : "ROLLBACK");
    if (number % 6 === 5) db.exec("PRAGMA incremental_vacuum(5)");
    return commits;
  }

  const stateOf = (db) =>
    digest(
      JSON.stringify([db.all("SELECT id, name, hex(body), n FROM items ORDER BY id"), db.all("SELECT * FROM done")]),
    );
  const integrityOf = (db) =>
    db
      .all("PRAGMA integrity_check")
      .map(({ integrity_check }) => integrity_check)
      .join();

  // Whatever is done with a database as it is: much at once, two connections, another file, a vacuum, a copy.
  const plain = sqliteOver(fs);
  const db = open(plain, join(root, "plain.db"));
  db.exec(schema);
  for (let i = 0; i < 10; i++) say("transaction", i, transact(db, i), stateOf(db));
  db.exec("BEGIN");
  const insert = db.prepare("INSERT INTO items (name, n) VALUES (?, ?)");
  for (let i = 0; i < 8_000; i++) insert.run([`many ${(i * 7919) % 8_000}`, i]);
  insert.finalize();
  db.exec("COMMIT");
  say(
    db.all(
      "SELECT name, count(*) AS count, sum(n) AS sum FROM items WHERE name LIKE 'many 1%' GROUP BY name ORDER BY name LIMIT 20",
    ),
  );
  db.run("ATTACH ? AS other", [join(root, "other.db")]);
  db.exec("CREATE TABLE other.copied AS SELECT * FROM items; DELETE FROM items WHERE n % 3 = 0; VACUUM");
  db.run("VACUUM INTO ?", [join(root, "into.db")]);
  say(db.get("SELECT count(*) AS count FROM other.copied"), integrityOf(db));
  if (mode !== "wal") {
    const second = open(plain, join(root, "plain.db"));
    db.exec("BEGIN IMMEDIATE");
    assert.throws(() => second.exec("BEGIN IMMEDIATE"), /locked/);
    db.exec("INSERT INTO done VALUES (1000); COMMIT");
    say("of the other connection", second.all("SELECT * FROM done").length);
    second.close();
  }
  db.close();
  say(
    treeOf(fs, root, { times: false })
      .filter((line) => / plain| other| into/.test(line))
      .sort(),
  );

  for (const name of fs.readdirSync(root)) if (name.endsWith(".db")) fs.unlinkSync(join(root, name));

  // Stopped at many a step.
  const images = imagesOf(fs, folder);
  const kept = [];
  let number = 0;
  let steps = 0;
  let wasWrite = true;
  const stopped = open(
    sqliteOver(
      withSteps(fs, (name) => {
        if (number < FIRST_STOPPED) return;
        const isWrite = name.endsWith("writeSync");
        // All that is no write and what follows it, and some of the many writes.
        if (++steps % WRITE_STRIDE === 0 || !isWrite || !wasWrite)
          kept.push({ step: steps, name, number, image: images.take() });
        wasWrite = isWrite;
      }),
    ),
  );
  stopped.exec(schema);
  /** What the database has after each transaction. */
  const states = [stateOf(stopped)];
  for (number = 1; number <= NR_TRANSACTIONS; number++) {
    transact(stopped, number);
    states.push(stateOf(stopped));
  }
  number = 0;
  const end = images.take();
  stopped.close();

  let target = fs;
  const delegate = { ...fs };
  for (const name of [
    "accessSync",
    "closeSync",
    "fstatSync",
    "fsyncSync",
    "ftruncateSync",
    "mkdirSync",
    "openSync",
    "readSync",
    "rmdirSync",
    "unlinkSync",
    "writeSync",
  ])
    delegate[name] = (...args) => target[name](...args);
  const fresh = sqliteOver(delegate);

  /** Opens what was kept, as after a kill. */
  function check({ image, number }) {
    images.bring(image);
    const fork = steps % 2 === 0 ? fs.kernel?.fork() : undefined;
    target = fork?.fs ?? fs;
    if (target.existsSync(`${path}.lock`)) target.rmdirSync(`${path}.lock`); // its holder has been killed
    const db = open(fresh);
    const integrity = integrityOf(db);
    const state = stateOf(db);
    const found = states.lastIndexOf(state);
    transact(db, 1000 + number);
    const after = integrityOf(db);
    db.close();
    fork?.destroy();
    target = fs;
    return { integrity, found, after };
  }

  const counts = {};
  for (const one of kept) {
    steps = one.step;
    const { integrity, found, after } = check(one);
    assert.equal(integrity, "ok", `step ${one.step}, before ${one.name} of transaction ${one.number}`);
    assert.equal(after, "ok");
    const allowed = [states[one.number - 1], states[one.number]];
    assert.ok(
      found >= 0 && allowed.includes(states[found]),
      `step ${one.step}: it has transaction ${found}, stopped in ${one.number}`,
    );
    say("stopped", one.step, one.name, one.number, found);
    counts[found === one.number ? "committed" : "gone"] =
      (counts[found === one.number ? "committed" : "gone"] ?? 0) + 1;
  }
  assert.ok(kept.length > 100 && counts.committed > 0 && counts.gone > 0);
  say("at the end", check({ image: end, number: NR_TRANSACTIONS + 1 }), counts);

  // Many a step fails once.
  let failAt = Number.POSITIVE_INFINITY;
  let failed = 0;
  const failing = sqliteOver(
    withSteps(fs, (name) => {
      if (++failed === failAt) throw Object.assign(new Error(`no ${name}`), { code: "EIO", errno: -5 });
    }),
  );
  for (let at = 1; ; at += FAIL_STRIDE) {
    images.bring(end);
    if (fs.existsSync(`${path}.lock`)) fs.rmdirSync(`${path}.lock`);
    const db = open(failing);
    [failed, failAt] = [0, at];
    let told = "nothing";
    try {
      transact(db, NR_TRANSACTIONS + 2);
    } catch (error) {
      told = error.message;
      try {
        db.exec("ROLLBACK");
      } catch {
        // It has been rolled back by itself.
      }
    }
    failAt = Number.POSITIVE_INFINITY;
    const [integrity, state] = [integrityOf(db), stateOf(db)];
    db.close();
    if (fs.existsSync(`${path}.lock`)) fs.rmdirSync(`${path}.lock`);
    const again = open(fresh);
    assert.equal(integrity, "ok");
    assert.equal(integrityOf(again), "ok");
    assert.equal(stateOf(again), state);
    say("failed", at, told, state);
    again.close();
    if (failed < at) break;
  }
  say(basename(dirname(path)), fs.readdirSync(folder).sort());
}
