//! Settings as a recipe says them.

use grid_image::{Parity, Settings, settings::Processor};
use serde_json::json;

#[test]
fn what_is_not_said_has_its_default() {
    assert_eq!(Settings::read("{}"), Ok(Settings::default()));
    let said = json!({"parity": "fixed", "processors": ["supplier-rules"], "stores": {"image-bucket": "pics"}});
    let settings = Settings::read(&said.to_string()).unwrap();
    assert_eq!((settings.parity, settings.processors), (Parity::Fixed, vec![Processor::SupplierRules]));
    assert_eq!(
        (settings.stores.image_bucket.as_str(), settings.stores.endpoint.as_str()),
        ("pics", "s3.amazonaws.com")
    );
}

#[test]
fn defaults_are_read_as_they_are_written() {
    let written = serde_json::to_string(&Settings::default()).unwrap();
    assert_eq!(Settings::read(&written), Ok(Settings::default()));
}

#[test]
fn what_cannot_be_is_told() {
    let photographers = json!([{"publication": "P", "photographers": [{"name": "Jo", "from": "soon"}]}]);
    for (said, expected) in [
        (json!({"paritty": "grid"}), "unknown field `paritty`"),
        (json!({"parity": "best"}), "unknown variant `best`"),
        (json!({"transcoded-types": ["image/webp"]}), "`image/webp` under transcoded-types"),
        (json!({"own": {"staff-photographers": photographers}}), "`soon`, a day of the photographer Jo"),
    ] {
        let reason = Settings::read(&said.to_string()).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }
}
