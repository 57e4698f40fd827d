//! Builders for what a plugin says about itself.

use crate::{Access, Ask, Capability, Description, IndexDefinition};

impl Description {
    /// Describes a plugin of this entity that asks for nothing yet.
    pub fn new(entity: &str) -> Self {
        Self { entity: entity.to_owned(), asks: Vec::new(), indexes: Vec::new() }
    }

    /// Adds an index that the plugin writes to, with its definition: the text of a JSON object with `settings`
    /// and `mappings`.
    pub fn fills(mut self, index: &str, definition: &str) -> Self {
        self.indexes.push(IndexDefinition { index: index.to_owned(), body: definition.to_owned() });
        self.writes(Capability::Index, index)
    }

    /// Adds a resource that the plugin reads.
    pub fn reads(self, capability: Capability, name: &str) -> Self {
        self.asks_for(capability, name, Access::Read)
    }

    /// Adds a resource that the plugin changes through effects.
    pub fn writes(self, capability: Capability, name: &str) -> Self {
        self.asks_for(capability, name, Access::Write)
    }

    fn asks_for(mut self, capability: Capability, name: &str, access: Access) -> Self {
        self.asks.push(Ask { capability, name: name.to_owned(), access, optional: false });
        self
    }

    /// Lets the recipe leave out what was asked for last.
    pub fn if_granted(mut self) -> Self {
        if let Some(ask) = self.asks.last_mut() {
            ask.optional = true;
        }
        self
    }
}
