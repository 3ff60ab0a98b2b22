// The task of piscina-layers.mjs.
export default value => value + 1
