/** Calls of a file system's interface as lines that can be compared: what each answers, or the code that it fails with. */

/** The code of an error: its own, or the first word of its message, as packages without codes have it. */
function codeOf(error) {
  return error.code ?? /^[A-Z]+(?=:)/.exec(error.message)?.[0] ?? String(error);
}

/** A value as JSON: bytes as hex, times as whether they are some. */
function shown(value) {
  return JSON.stringify(value, (key, part) => {
    if (["mtime", "atime", "ctime", "identity", "dev", "ino"].includes(key)) return undefined;
    if (part instanceof Uint8Array) return `bytes ${Buffer.from(part).toString("hex")}`;
    if (part?.type === "Buffer") return `bytes ${Buffer.from(part.data).toString("hex")}`;
    return part;
  });
}

async function outcome(call) {
  try {
    return shown(await call()) ?? "done";
  } catch (error) {
    return codeOf(error);
  }
}

/**
 * Makes the calls of each scene on a file system of its own.
 *
 * @param make a new file system @param scenes by name: [method, ...arguments] in order
 * @returns by scene, a line for each call
 */
export async function outcomes(make, scenes) {
  const told = {};
  for (const [name, calls] of Object.entries(scenes)) {
    const fs = await make();
    told[name] = [];
    for (const [method, ...args] of calls) {
      const words = args.map((arg) => (arg instanceof Uint8Array ? `<${arg.length}>` : JSON.stringify(arg)));
      told[name].push(`${method}(${words.join(", ")}) → ${await outcome(() => fs[method](...args))}`);
    }
  }
  return told;
}

/** Lines in which two differ: `[ours, theirs]`. */
export function differences(ours, theirs) {
  return Object.fromEntries(
    Object.entries(ours)
      .map(([name, lines]) => [
        name,
        lines.flatMap((line, i) => (line === theirs[name][i] ? [] : [[line, theirs[name][i]]])),
      ])
      .filter(([, pairs]) => pairs.length > 0),
  );
}
