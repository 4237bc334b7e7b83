/**
 * The compiled core: one WebAssembly.Module per build and process, shared by all kernels.
 *
 * Does not own: where the bytes come from. Entry points register them (they are inlined as text), tests put another
 * build in their place.
 */

/** Gives the bytes of a core. */
type CoreSource = () => Uint8Array<ArrayBuffer>;

/** What tells these cores from others; written in by the build (scripts/build.mjs). */
declare const FOLIOFS_CORE_ID: string | undefined;

interface Registry {
  readonly sources: Map<boolean, CoreSource>;
  readonly modules: Map<boolean, WebAssembly.Module>;
  /** What entries bring with them beside cores, by name. */
  readonly parts: Map<string, object>;
}

function newRegistry(): Registry {
  return { sources: new Map(), modules: new Map(), parts: new Map() };
}

/**
 * The registry of all copies of this file that have the same cores: `import` and `require` load one each, bundlers may
 * make more, and "foliofs/shared" must reach whichever the kernel is made by.
 */
function commonRegistry(id: string): Registry {
  const key = Symbol.for(`foliofs.core.${id}`);
  const known = (globalThis as Record<symbol, unknown>)[key] as Registry | undefined;
  if (known !== undefined) return known;
  const registry = newRegistry();
  // Where the global object takes no more properties, each copy keeps to itself.
  Reflect.defineProperty(globalThis, key, { value: registry });
  return registry;
}

const { sources, modules, parts } =
  typeof FOLIOFS_CORE_ID === "undefined" ? newRegistry() : commonRegistry(FOLIOFS_CORE_ID);

/** Makes a part available that not every program needs. */
export function registerPart(name: string, part: object): void {
  parts.set(name, part);
}

/** A part by its name, if it has been registered. */
export function partNamed(name: string): object | undefined {
  return parts.get(name);
}

/** Makes a build available. @param shared whether it is the build for shared memory */
export function registerCore(shared: boolean, source: CoreSource): void {
  sources.set(shared, source);
}

/** Puts a compiled core in the place of the one that `shared` kernels, or the others, would get. For tests. */
export function useCoreModule(module: WebAssembly.Module, { shared }: { shared: boolean }): void {
  modules.set(shared, module);
  if (shared) alwaysShared = true;
}

/** Set by tests that run the suite on the shared build: kernels are shared unless they say otherwise. */
let alwaysShared = false;

/** True if kernels are to be shared unless they say otherwise: only in tests. */
export function sharedByDefault(): boolean {
  return alwaysShared;
}

/** @throws Error when the build is not part of this bundle, or WebAssembly is forbidden here */
export function coreModule(shared: boolean): WebAssembly.Module {
  const known = modules.get(shared);
  if (known) return known;
  const module = explained(() => new WebAssembly.Module(coreBytes(shared)));
  modules.set(shared, module);
  return module;
}

/** As coreModule(), compiled off the main thread. */
export async function compileCore(shared: boolean): Promise<WebAssembly.Module> {
  const known = modules.get(shared);
  if (known) return known;
  const bytes = coreBytes(shared);
  try {
    const module = await WebAssembly.compile(bytes);
    modules.set(shared, module);
    return module;
  } catch (error) {
    throw explain(error);
  }
}

/**
 * A core that the program has compiled.
 *
 * @throws Error when it is none of this version: the build writes into each whose it is (scripts/build.mjs)
 */
export function checkedCore(module: WebAssembly.Module): WebAssembly.Module {
  if (typeof FOLIOFS_CORE_ID === "undefined") return module;
  const [section] = WebAssembly.Module.customSections(module, "foliofs");
  if (section === undefined || new TextDecoder().decode(section) !== FOLIOFS_CORE_ID)
    throw new Error("foliofs: options.module is not foliofs/core.wasm of this version");
  return module;
}

function coreBytes(shared: boolean): Uint8Array<ArrayBuffer> {
  if (typeof WebAssembly === "undefined") throw new Error("foliofs needs WebAssembly, which this runtime lacks");
  if (shared && typeof SharedArrayBuffer === "undefined") {
    throw new Error(
      "foliofs: { shared: true } needs SharedArrayBuffer; in a browser, serve the page with the headers " +
        "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    );
  }
  const source = sources.get(shared);
  if (source === undefined) {
    throw new Error(
      `foliofs: the core is not in this bundle; import "foliofs/shared" before { shared: true }, or give { module }`,
    );
  }
  return source();
}

function explained<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw explain(error);
  }
}

/** A Content-Security-Policy without 'wasm-unsafe-eval' shows as a CompileError that names it: say what to do. */
function explain(error: unknown): unknown {
  const text = String(error);
  if (!/Content Security Policy|unsafe-eval|blocked by CSP|disallowed by embedder/i.test(text)) return error;
  return new Error(
    "foliofs: this page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src",
    { cause: error },
  );
}
