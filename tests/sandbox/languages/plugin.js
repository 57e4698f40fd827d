// The smallest plugin in JavaScript: upper-cases a name, and throws when it is told to.
export const mapping = {
  describe() {
    return {
      entity: "rogues",
      asks: [{ capability: "index", name: "rogues", access: "write", optional: false }],
      indexes: [{ index: "rogues", body: JSON.stringify({ settings: {}, mappings: {} }) }],
    };
  },
  transform(batch) {
    return batch.map(({ id, body }) => {
      const item = JSON.parse(body);
      if (item.do === "trap") throw new Error("thrown on request");
      if (item.do === "clock") return { tag: "skip", val: `${Date.now()} ${Math.random()}` };
      const document = { index: "rogues", id, version: undefined, body: JSON.stringify({ name: item.with.toUpperCase() }) };
      return { tag: "effects", val: [{ tag: "put-document", val: document }] };
    });
  },
};
