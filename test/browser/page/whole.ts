/** Uses all of the library, so that its whole weight can be taken. */
import * as foliofs from "foliofs";

Object.assign(globalThis, { foliofs });
