/**
 * Puts a file system in the place of `fs` and `fs/promises`, for `require()` and `import` of all modules that are loaded
 * after it; what is loaded already keeps the real one, as does foliofs.
 */
import Module from "node:module";

const BUILTIN = /^(?:node:)?(fs(?:\/promises)?)$/;

/** The text of a module with the exports of `object`, which it finds at globalThis.foliofsReplaced. */
function textOf(name, object) {
  const names = Object.keys(object).filter((key) => key !== "default" && /^[A-Za-z_]\w*$/.test(key));
  return `const object = globalThis.foliofsReplaced[${JSON.stringify(name)}];
export default object;
export const { ${names.join(", ")} } = object;`;
}

/** @param {typeof import("node:fs")} fs */
export async function replaceFs(fs) {
  const objects = { fs, "fs/promises": fs.promises };
  globalThis.foliofsReplaced = objects;
  const load = Module._load;
  Module._load = (request, parent, ...rest) => {
    const name = BUILTIN.exec(request)?.[1];
    return name ? objects[name] : load(request, parent, ...rest);
  };

  const urls = Object.fromEntries(
    Object.entries(objects).map(([name, object]) => [
      name,
      `data:text/javascript,${encodeURIComponent(textOf(name, object))}`,
    ]),
  );
  const source = `
    const urls = ${JSON.stringify(urls)};
    export function resolve(specifier, context, next) {
      const name = ${BUILTIN}.exec(specifier)?.[1];
      const url = context.conditions.includes("import") && name ? urls[name] : undefined;
      return url ? { url, format: "module", shortCircuit: true } : next(specifier, context);
    }`;
  const hooks = `data:text/javascript,${encodeURIComponent(source)}`;
  // Node 20 knows register() alone, which Node 26 warns of.
  if (Module.registerHooks) Module.registerHooks({ resolve: (await import(hooks)).resolve });
  else Module.register(hooks);
}
