/**
 * A program to be tested: it keeps settings in a file, and must lose none whatever fails. So it writes a new file beside the old one,
 * has it on the disk, and puts it in the other's place.
 *
 * @param {string} path where the settings are
 * @param {object} settings what they are
 * @param {typeof import("node:fs")} fs
 */
export async function saveSettings(path, settings, fs) {
  const draft = `${path}.tmp`;
  try {
    const handle = await fs.promises.open(draft, "w");
    try {
      await handle.writeFile(JSON.stringify(settings));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await replace(draft, path, fs);
  } catch (error) {
    await fs.promises.rm(draft, { force: true });
    throw new Error(`settings are not saved: ${error.code}`, { cause: error });
  }
  await syncDirectory(path.slice(0, path.lastIndexOf("/")) || "/", fs);
}

/** By rename; by a copy where the two are on different devices. */
async function replace(from, to, fs) {
  try {
    await fs.promises.rename(from, to);
  } catch (error) {
    if (error.code !== "EXDEV") throw error;
    await fs.promises.copyFile(from, to);
    await fs.promises.unlink(from);
  }
}

/** The name is on the disk, too, when its directory is. */
async function syncDirectory(path, fs) {
  const handle = await fs.promises.open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @returns what is saved, or `defaults` where nothing is */
export function loadSettings(path, defaults, fs) {
  try {
    return JSON.parse(fs.readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return defaults;
    throw error;
  }
}
